//! What is understood of a program, whatever its protocol.

use std::ops::Range;

use super::messages::Messages;

/// A program of which messages are understood.
pub(super) trait Speaker: Send {
    fn messages(&mut self) -> &mut Messages;

    /// What the line means that was read last, or how it makes no sense.
    fn understand(&mut self) -> Result<Meaning, String>;

    /// What proves that a read was whole.
    fn wholeness(&self) -> Wholeness;

    /// The program has ended well: does it say so itself? Else what it said instead.
    fn end(&mut self) -> Result<(), String> {
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
    /// All records before it are in it. With how many there were, if it says so.
    State {
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

/// By what a read of everything is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wholeness {
    /// Each run gives everything.
    EachRun,
    /// It bears a new version, and the program says when that is whole.
    Version,
    /// What is new is all that is given.
    Never,
}
