//! Rows the source no longer has.

mod lasting;
mod snapshot;
mod tombstones;
