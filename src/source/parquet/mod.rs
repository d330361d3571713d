//! Parquet: files that are read by their end, row group after row group, column beside column.
//!
//! A position is the number of rows before it, from which row group and row follow; the footer,
//! which says where everything stands, tells whether the file still is the one it was.

#[cfg(feature = "parquet")]
mod blocks;
#[cfg(feature = "parquet")]
mod declared;
#[cfg(feature = "parquet")]
mod file;
#[cfg(feature = "parquet")]
mod json;
#[cfg(feature = "parquet")]
mod rows;
#[cfg(feature = "parquet")]
mod scalar;
#[cfg(feature = "parquet")]
mod schema;
#[cfg(feature = "parquet")]
mod time;

use std::io;
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;

use super::records::{Content, Format, Position, RecordSettings, is_text};
use crate::error::Error;

/// What a file begins and ends with.
const MAGIC: &[u8] = b"PAR1";

/// Anything whose bytes can be read in any order.
pub(super) trait Ranges: Send + Sync {
    fn size(&self) -> u64;

    /// These bytes, all of them.
    fn read(&self, range: Range<u64>) -> io::Result<Bytes>;
}

/// The result of opening a file.
pub(super) enum Opened {
    Content(Box<dyn Content>),
    /// It is not the file it was: how it differs.
    Changed(String),
    /// It has no footer yet: what is there instead.
    Unfinished(String),
}

/// Whether what begins with `head` is read as Parquet.
pub(super) fn is_meant(settings: &RecordSettings, known: Option<&Position>, head: &[u8]) -> bool {
    match known.and_then(|known| known.format) {
        Some(format) => format == Format::Parquet,
        None => match settings.format {
            // PAR1,PAR2 may be columns, too.
            None => head.starts_with(MAGIC) && !is_text(head),
            fixed => fixed == Some(Format::Parquet),
        },
    }
}

/// The same before a byte of it was seen.
pub(super) fn is_expected(fixed: Option<Format>, known: Option<&Position>, name: &str) -> bool {
    let is_named = || Path::new(name).extension() == Some("parquet".as_ref());
    match known.and_then(|known| known.format) {
        Some(format) => format == Format::Parquet,
        None => fixed.map_or_else(is_named, |format| format == Format::Parquet),
    }
}

/// The error about a file that has no end.
pub(super) fn unfinished(noun: &str, name: &str, what: &str) -> Error {
    Error::failed(format!("{noun} `{name}` is not a complete Parquet file: {what}"))
        .next("get a whole copy of it")
}

#[cfg(feature = "parquet")]
pub(super) use rows::open;

/// Built without it.
#[cfg(not(feature = "parquet"))]
pub(super) fn open(
    noun: &'static str,
    name: &str,
    _: std::sync::Arc<dyn Ranges>,
    _: &RecordSettings,
    _: Option<&Position>,
) -> crate::error::Result<Opened> {
    Err(Error::usage(format!("{noun} `{name}` is Parquet, and this binary was built without it"))
        .next("build it with the feature `parquet`, which is on by default"))
}
