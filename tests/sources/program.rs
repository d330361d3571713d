//! The program source: taps, connectors, and whatever prints records.

mod airbyte;
mod plain;
mod shared;
mod shared_connector;
mod shared_held;
mod singer;
pub(crate) mod support;
mod taps;
