//! Rows the source no longer has.

mod snapshot;
mod tombstones;
