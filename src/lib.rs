//! pgsluice: a thin loader that copies raw payloads into Postgres and lets versioned SQL
//! functions validate, hash, quarantine and merge them, one transaction per batch.
//!
//! Layers, each may use only those to its right:
//! `main, cli → run → install, report → batch → source → db, embedded, http → retry, secret → stop, host → error`.

// Without it, what serves it alone is idle.
#![cfg_attr(not(feature = "parquet"), allow(dead_code, unused_imports))]

pub mod batch;
pub mod cli;
pub mod db;
pub mod embedded;
pub mod error;
pub mod host;
mod http;
pub mod install;
pub mod report;
pub mod retry;
pub mod run;
mod secret;
pub mod source;
pub mod stop;
