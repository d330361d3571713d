mod conformance;
pub(crate) mod database;
mod file;
mod http;
mod object;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
pub(crate) mod program;
mod snapshot;
pub(crate) mod support;
