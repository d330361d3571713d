//! From bytes to records, wherever the bytes come from: NDJSON, JSON, CSV and TSV, plain or
//! compressed.
//!
//! A source opens its input, wraps it into [`Raw`], and hands it to a [`Reading`], which puts
//! records into batches, says at any time from which [`Position`] it can be gone on with, and
//! decides at the end whether that was an end. What the source alone can know of its input,
//! it says through [`Input`].

mod choice;
mod content;
mod csv;
mod damage;
mod decode;
mod decoded_text;
mod encoding;
mod ending;
mod format;
mod frame;
mod hints;
mod json;
mod magic;
mod ndjson;
mod position;
mod reading;
mod required;
mod row;
mod scan;
mod settings;
mod slice;
mod window;

pub(super) use choice::{Compression, Format, FormatChoice, OnReplace};
pub(super) use content::{Content, Progress, Taken};
pub(super) use damage::damaged;
pub(super) use decode::{Decoder, Raw};
pub(super) use format::{has_columns, is_tabular};
#[cfg(feature = "parquet")]
pub(super) use frame::TOO_LONG;
pub(super) use frame::{KEPT_OF_LONG, MISCODED};
pub(super) use magic::is_text;
pub(super) use position::{Parser, Place, Position};
pub(super) use reading::{Input, Reading, Settled, Whole};
pub(super) use required::NEXT as WHAT_TO_DO_ABOUT_LACKING;
pub(super) use settings::{RecordSettings, invalid, parse, shared};
pub(super) use slice::Slicer;
pub(super) use window::{HISTORY, Resumed, Window, hex_sha256};
