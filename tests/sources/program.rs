//! The program source: taps, connectors, and whatever prints records.

mod airbyte;
mod plain;
mod singer;
pub(crate) mod support;
mod taps;
