//! From bytes to records: NDJSON, JSON, CSV and TSV, plain or compressed.
//!
//! A source wraps its input in a [`CountingReader`] and hands it to a [`RecordReader`], which puts records
//! into batches, knows the [`Position`] to resume from, and decides at the end whether the input is
//! complete. What only the source knows about its input, it says through [`Input`].

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

pub(super) use choice::{Compression, Format, OnReplace};
pub(super) use content::{Content, HandedOut, ReadOutcome};
pub(crate) use csv::RowFields;
pub(super) use damage::damaged;
pub(super) use decode::{CountingReader, Decoder};
pub(super) use format::{has_columns, is_tabular};
pub(super) use magic::is_text;
pub(super) use position::{ContentOffset, ParserState, Position};
pub(super) use reader::{CompleteInput, Input, RecordReader, Settled};
pub(super) use required::NEXT as WHAT_TO_DO_ABOUT_LACKING;
pub(super) use settings::{RecordSettings, invalid, parse, shared};
pub(super) use slice::SliceReader;
pub(super) use window::{HISTORY, Resumed, Window, hex_sha256};
