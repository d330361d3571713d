mod conformance;
mod file;
mod http;
