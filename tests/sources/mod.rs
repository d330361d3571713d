mod conformance;
mod file;
mod http;
mod object;
mod support;
