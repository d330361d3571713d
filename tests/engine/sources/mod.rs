//! What a source's settings may be.

mod http_source;
mod settings;
