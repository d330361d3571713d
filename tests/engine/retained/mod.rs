//! Payloads that are kept, and reloads from them.

mod history;
mod objects;
mod prune;
pub(super) mod raw_records;
mod reload;
mod reload_histories;
