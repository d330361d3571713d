//! The file source, tested through its public face: settings in, batches out.

mod compression;
mod csv;
mod discovery;
mod encoding;
mod growth;
mod identity;
mod json;
mod limits;
mod ndjson;
mod nested;
mod require;
pub(super) mod resume;
mod settings;
mod skipped;
mod stdin;
mod strict;
pub(super) mod support;
mod waiting;
