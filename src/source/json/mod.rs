//! JSON by its brackets and quotes alone: where values begin and end. Nothing is parsed; numbers and
//! strings stay the bytes that came.

mod document;
mod pointer;
mod scan;

pub(crate) use document::{Container, JsonError, Outline, Parts, find, find_parts};
pub(crate) use pointer::Pointer;
pub(crate) use scan::ValueScan;

/// The text of a JSON string.
pub(crate) fn string(json: &[u8]) -> Option<String> {
    serde_json::from_slice(json).ok()
}
