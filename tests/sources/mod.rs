mod conformance;
mod file;
mod http;
mod object;
mod snapshot;
pub(crate) mod support;
