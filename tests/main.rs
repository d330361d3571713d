//! Integration tests, one binary.
#![allow(clippy::unwrap_used)]

mod sources;
