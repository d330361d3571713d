//! What tests stand on: one real server for the whole binary, a database of its own for each
//! test, and the real `sluice`.

pub mod db;
pub mod server;
pub mod sluice;

pub use db::TestDb;
pub use sluice::{Sluice, Summary};
