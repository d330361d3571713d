//! Where reading of an input is resumed.

use serde::{Deserialize, Serialize};

use super::choice::{Compression, Format};

/// An offset in the content, with a hash of the bytes before it (the anchor).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ContentOffset {
    pub(crate) bytes: u64,
    pub(crate) records: u64,
    pub(crate) line: u64,
    pub(crate) anchor: String,
    pub(crate) anchor_bytes: u64,
}

impl ContentOffset {
    /// Where reading has to begin for the anchor to be checked.
    pub(crate) fn anchor_start(&self) -> u64 {
        self.bytes.saturating_sub(self.anchor_bytes)
    }
}

/// The state of reading a JSON array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ArrayState {
    /// Outside of any array.
    #[default]
    Top,
    /// After the opening bracket.
    ArrayStart,
    /// After a comma.
    BeforeElement,
    /// After an element.
    AfterElement,
}

/// What a parser has to know to resume.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct ParserState {
    /// Within a JSON array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) spot: Option<ArrayState>,
    /// The names in a CSV header row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) columns: Option<Vec<String>>,
    /// CSV lines end in CR alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) ends_in_cr: bool,
    /// The encoding that a byte order mark at the start of the content shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encoding: Option<String>,
    /// The open objects and arrays around the records, outermost first: `{[`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) within: String,
}

/// Start of an unterminated record that was loaded or quarantined. If the content grows by more than a
/// line end, the record was incomplete, and is read again from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TailStart {
    pub(crate) start: u64,
    pub(crate) records: u64,
    pub(crate) line: u64,
    /// A quoted field was open: what follows may belong to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_open: bool,
    #[serde(flatten)]
    pub(crate) parser: ParserState,
}

/// Where reading is resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    #[serde(flatten)]
    pub(crate) place: ContentOffset,
    #[serde(flatten)]
    pub(crate) parser: ParserState,
    /// None while the content is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) format: Option<Format>,
    pub(crate) compression: Compression,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tail: Option<TailStart>,
    /// Batches with records of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) batches: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
