//! The messages of a tap or connector, whatever its protocol.

use std::ops::Range;

/// The protocol of a running program.
pub(super) trait MessageParser: Send {
    /// Parses a line; the error says what is wrong with it.
    fn parse(&mut self, line: &mut Vec<u8>) -> Result<Parsed, String>;

    /// The member of a message that holds its record.
    fn payload(&self) -> &'static str;

    /// The pipeline's name of a stream.
    fn called(&self, name: String, _namespace: Option<String>) -> String {
        name
    }

    /// Checks, after a successful exit, that the wanted stream of that number was reported complete.
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
    /// A message about a stream, without a record.
    Stream(String),
    /// A state that covers all records before it: those of a stream, or of all streams; with their number, if given.
    State {
        stream: Option<String>,
        text: String,
        records: Option<u64>,
    },
    /// A version of a table is complete.
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
        Parsed::Remark(format!("a message of type {kind} means nothing here, and was passed over"))
    }
}

/// A stream of the catalog.
pub(super) struct CatalogStream {
    /// Its full name in the catalog.
    pub(super) identity: String,
    pub(super) completeness: Completeness,
}

/// How a complete read of the stream is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Completeness {
    /// Each run reads everything.
    EachRun,
    /// A new version is read, and the program reports it complete.
    Version,
    /// A run reads only what is new.
    Never,
}
