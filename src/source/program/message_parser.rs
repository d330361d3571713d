//! The messages of a tap or connector, whatever its protocol.

use std::ops::Range;

/// The protocol of a program that runs.
pub(super) trait MessageParser: Send {
    /// Parses a line; the error says what is wrong with it.
    fn parse(&mut self, line: &mut Vec<u8>) -> Result<Parsed, String>;

    /// The member of a message that holds its record.
    fn payload(&self) -> &'static str;

    /// The program has ended well: an error if it did not say that the wanted stream of that number is complete.
    fn end(&self, _stream: usize) -> Result<(), String> {
        Ok(())
    }
}

/// A message.
pub(super) enum Parsed {
    Record {
        stream: String,
        /// Where the record stands in the line.
        payload: Range<usize>,
        version: Option<i64>,
    },
    /// It is about a stream, and holds no record of it.
    Stream(String),
    /// A state that covers all records before it: those of a stream, or of all streams; with their number, if given.
    State {
        stream: Option<String>,
        text: String,
        records: Option<u64>,
    },
    /// A version of a stream is complete.
    VersionComplete {
        stream: String,
        version: i64,
    },
    /// For the user.
    Remark(String),
    Nothing,
}

impl Parsed {
    pub(super) fn unknown(kind: &str) -> Self {
        Parsed::Remark(format!(
            "a message of type {kind} means nothing here, and was passed over"
        ))
    }
}

/// A stream of the catalog.
pub(super) struct CatalogStream {
    /// Its name in the catalog, however the pipeline names it.
    pub(super) identity: String,
    pub(super) completeness: Completeness,
}

/// How a complete read of the stream is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Completeness {
    /// Each run reads everything.
    EachRun,
    /// It has a new version, and the program says when that is complete.
    Version,
    /// A run reads only what is new.
    Never,
}
