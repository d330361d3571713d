mod conformance;
mod file;
mod http;
mod object;
mod snapshot;
mod support;
