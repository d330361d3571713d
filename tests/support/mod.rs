//! What tests stand on: one real server for the whole binary, a database of its own for each
//! test, and the real `sluice`.

pub mod api;
pub mod db;
pub mod golden;
pub mod loader;
pub mod pooler;
pub mod proxy;
pub mod server;
pub mod sluice;
pub mod store;
pub mod web;
pub mod wire;
pub mod workload;

pub use api::Api;
pub use db::TestDb;
pub use loader::Loader;
pub use proxy::{Fault, Proxy, sampled};
pub use sluice::{Sluice, Summary};
pub use store::Store;
pub use web::Web;
pub use workload::Workload;

/// `SLUICE_SEED`, by which random tests are repeated or varied; the same one in every run without.
pub fn seed() -> u64 {
    match std::env::var("SLUICE_SEED") {
        Ok(seed) => seed.parse().expect("SLUICE_SEED is a number"),
        Err(_) => 1,
    }
}
