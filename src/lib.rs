//! pgsluice: a thin loader that copies raw payloads into Postgres and lets versioned SQL
//! functions validate, hash, quarantine and merge them, one transaction per batch.
//!
//! Layers, each may use only those to its right:
//! `main, cli → run → install, report → batch → source → db, embedded, http → retry, secret → stop, host → error`.

// Without it, what serves it alone is idle.
#![cfg_attr(not(feature = "parquet"), allow(dead_code, unused_imports))]

// Open to tests and benchmarks, unless compiled with `--cfg closed`: then the compiler says what nothing uses, and
// `.ci/run` asks it. What serves tests alone is `cfg(not(closed))`.
#[cfg(closed)]
mod batch;
#[cfg(not(closed))]
pub mod batch;
mod cli;
#[cfg(closed)]
mod db;
#[cfg(not(closed))]
pub mod db;
#[cfg(closed)]
mod embedded;
#[cfg(not(closed))]
pub mod embedded;
#[cfg(closed)]
mod error;
#[cfg(not(closed))]
pub mod error;
#[cfg(closed)]
mod host;
#[cfg(not(closed))]
pub mod host;
mod http;
#[cfg(closed)]
mod install;
#[cfg(not(closed))]
pub mod install;
#[cfg(closed)]
mod report;
#[cfg(not(closed))]
pub mod report;
#[cfg(closed)]
mod retry;
#[cfg(not(closed))]
pub mod retry;
#[cfg(closed)]
mod run;
#[cfg(not(closed))]
pub mod run;
mod secret;
#[cfg(closed)]
mod source;
#[cfg(not(closed))]
pub mod source;
#[cfg(closed)]
mod stop;
#[cfg(not(closed))]
pub mod stop;

pub use cli::main;
