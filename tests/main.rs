//! Integration tests, one binary.
#![allow(clippy::unwrap_used, unreachable_pub)]

mod cli;
mod connection;
mod delivery;
mod distributed;
mod docs;
mod engine;
mod faults;
mod layout;
mod loader;
mod sources;
mod support;
