//! JSON by its brackets and quotes alone: where values begin and end. Nothing is parsed; numbers and
//! strings stay the bytes that came.

mod document;
mod pointer;
mod scan;

pub(in crate::source) use document::{Fault, Outline, Parts, Shape, find, find_parts, string};
pub(in crate::source) use pointer::Pointer;
pub(in crate::source) use scan::ValueScan;
