//! Integration tests, one binary.
#![allow(clippy::unwrap_used)]

mod cli;
mod connection;
mod loader;
mod sources;
mod support;
