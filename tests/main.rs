//! Integration tests, one binary.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod cli;
mod connection;
mod faults;
mod loader;
mod sources;
mod support;
