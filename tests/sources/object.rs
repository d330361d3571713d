//! The object source, against a small S3 server that misbehaves on request.

mod faults;
mod formats;
mod listing;
mod loader;
mod local;
mod memory;
mod replaced;
mod settings;
mod skipped;
mod support;
