mod conformance;
mod database;
mod file;
mod http;
mod object;
mod snapshot;
pub(crate) mod support;
