//! From bytes to records, wherever the bytes come from: NDJSON, JSON, CSV and TSV, plain or
//! compressed.
//!
//! A source opens its input, wraps it into [`CountingReader`], and hands it to a [`RecordReader`], which puts
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
mod framer;
mod hints;
mod json;
mod magic;
mod ndjson;
mod position;
mod reader;
mod record_end;
mod required;
mod row;
mod scan;
mod settings;
mod slice;
mod window;

pub(super) use choice::{Compression, Format, FormatChoice, OnReplace};
pub(super) use content::{Content, HandedOut, ReadOutcome};
pub(super) use damage::damaged;
pub(super) use decode::{CountingReader, Decoder};
pub(super) use format::{has_columns, is_tabular};
pub(super) use framer::MISCODED;
#[cfg(feature = "parquet")]
pub(super) use framer::TOO_LONG;
pub(super) use magic::is_text;
pub(super) use position::{ContentOffset, ParserState, Position};
pub(super) use reader::{CompleteInput, Input, RecordReader, Settled};
pub(super) use record_end::KEPT_OF_LONG;
pub(super) use required::NEXT as WHAT_TO_DO_ABOUT_LACKING;
pub(super) use settings::{RecordSettings, invalid, parse, shared};
pub(super) use slice::SliceReader;
pub(super) use window::{HISTORY, Resumed, Window, hex_sha256};
