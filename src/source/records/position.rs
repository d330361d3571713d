//! Where reading of an input continues.

use serde::{Deserialize, Serialize};

use super::choice::{Compression, Format};

/// A place in the content, with the hash of what precedes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::source) struct ContentOffset {
    pub(in crate::source) bytes: u64,
    pub(in crate::source) records: u64,
    pub(in crate::source) line: u64,
    pub(in crate::source) anchor: String,
    pub(in crate::source) anchor_bytes: u64,
}

impl ContentOffset {
    /// Where reading has to begin for the bytes before the place to be compared.
    pub(in crate::source) fn anchor_start(&self) -> u64 {
        self.bytes.saturating_sub(self.anchor_bytes)
    }
}

/// Between which two things reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::source) enum ArrayState {
    /// Outside of any array.
    #[default]
    Top,
    /// Behind the opening bracket.
    ArrayStart,
    /// Behind a comma.
    BeforeElement,
    /// Behind an element.
    AfterElement,
}

/// What a parser must know to begin at a place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::source) struct ParserState {
    /// Within a JSON array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) spot: Option<ArrayState>,
    /// The names in a CSV header row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::source) columns: Option<Vec<String>>,
    /// CSV lines end in CR alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) ends_in_cr: bool,
    /// The content began with a byte order mark; unless by a setting, nothing else tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::source) encoding: Option<String>,
    /// The objects and arrays of a document that are open around its records, outermost first: `{[`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) within: String,
}

/// Where an unterminated record begins that was loaded or set aside. Should the content go on
/// other than with a line end, the record was not whole and is read again from here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::source) struct TailStart {
    pub(in crate::source) start: u64,
    pub(in crate::source) records: u64,
    pub(in crate::source) line: u64,
    /// A quote was open: whatever follows may belong to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::source) is_open: bool,
    #[serde(flatten)]
    pub(in crate::source) parser: ParserState,
}

/// From where reading resumes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::source) struct Position {
    #[serde(flatten)]
    pub(in crate::source) place: ContentOffset,
    #[serde(flatten)]
    pub(in crate::source) parser: ParserState,
    /// None as long as there is nothing by which to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::source) format: Option<Format>,
    pub(in crate::source) compression: Compression,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::source) tail: Option<TailStart>,
    /// How many batches have records of it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(in crate::source) batches: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}
