//! What is understood of a program, whatever its protocol.

use std::ops::Range;

/// A program of which messages are understood.
pub(super) trait Speaker: Send {
    /// What a line means, or how it makes no sense.
    fn understand(&mut self, line: &mut Vec<u8>) -> Result<Meaning, String>;

    /// The member of a message in which its record is.
    fn payload(&self) -> &'static str;

    /// The program has ended well: does it say so itself of the wanted stream of that number? Else what it
    /// said instead.
    fn end(&self, _stream: usize) -> Result<(), String> {
        Ok(())
    }
}

/// What a message says.
pub(super) enum Meaning {
    Record {
        stream: String,
        /// Where the record stands in the line.
        payload: Range<usize>,
        version: Option<i64>,
    },
    /// A stream is spoken of.
    Stream(String),
    /// All records before it are in it: those of a stream, or of all. With how many there were, if it says so.
    State {
        stream: Option<String>,
        text: String,
        records: Option<u64>,
    },
    /// The version of a stream is whole.
    Whole {
        stream: String,
        version: i64,
    },
    /// What the user should know.
    Remark(String),
    Nothing,
}

/// A stream that is in the catalog.
pub(super) struct CatalogStream {
    /// The same whatever the pipeline calls it.
    pub(super) identity: String,
    pub(super) completeness: Completeness,
}

/// By what a read of everything is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Completeness {
    /// Each run gives everything.
    EachRun,
    /// It bears a new version, and the program says when that is whole.
    Version,
    /// What is new is all that is given.
    Never,
}
