//! The contract of a format: slice content into records.

use std::io;

use super::position::{ContentOffset, ParserState};
use super::window::Window;
use crate::source::BatchBuilder;
use crate::source::sqlstate::CHARACTER_NOT_IN_REPERTOIRE;

/// The byte order mark of UTF-8. It may also occur inside content, where files were concatenated.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// Slices content into records.
pub(super) trait Framer: Send {
    /// Adds the next record to `out`.
    fn next(
        &mut self,
        window: &mut Window,
        out: &mut BatchBuilder,
    ) -> Result<NextRecord, FrameError>;

    /// Adds the tail of the last [`NextRecord::Unterminated`] as a record.
    fn load_tail(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<(), FrameError>;

    /// Quarantines that tail. Returns whether content follows that can still be read.
    fn quarantine_tail(
        &mut self,
        window: &mut Window,
        out: &mut BatchBuilder,
        tail: &Tail,
    ) -> bool {
        let rest = window.exact(window.data().len());
        let payload = tail.kept.clone().unwrap_or_else(|| rest.to_vec());
        let position = self.position(window);
        out.push_unreadable(position, payload, tail.sqlstate, tail.message.clone());
        window.records += 1;
        window.advance(window.data().len());
        false
    }

    /// The number that identifies a record starting here: its line or its index.
    fn position(&self, window: &Window) -> i64 {
        to_bigint(window.line)
    }

    /// Whether the content may end here.
    fn is_between_records(&self) -> bool {
        true
    }

    /// A note for the user about the content.
    fn note(&self) -> Option<String> {
        None
    }

    /// What is needed, besides the offset, to resume from here.
    fn parser(&self) -> ParserState;
}

/// Why a framer cannot continue.
#[derive(Debug)]
pub(super) enum FrameError {
    /// The bytes cannot be read.
    Io(io::Error),
    /// The content as a whole is invalid: message and next step.
    Malformed(String, &'static str),
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        FrameError::Io(error)
    }
}

/// What a framer found.
pub(super) enum NextRecord {
    /// A record was added to the batch.
    Added,
    /// The content ends here, after a complete record.
    EndOfInput,
    /// The content ends inside a record, or after one without a line end.
    Unterminated(Tail),
    /// A record that ends before where reading stands.
    Overread(Tail),
}

/// The unterminated rest of the content.
pub(super) struct Tail {
    pub(super) start: ContentOffset,
    pub(super) state: TailState,
    /// The head of a tail that was too long to be held.
    pub(super) kept: Option<Vec<u8>>,
    /// Where reading has to go on, if that is before what was read.
    pub(super) behind: Option<ContentOffset>,
    pub(super) sqlstate: &'static str,
    pub(super) message: String,
}

/// How complete a tail looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TailState {
    /// Nothing can be missing.
    Complete,
    /// Looks complete, but its last value may go on.
    ProbablyComplete,
    /// A quoted field is open: what follows may close it.
    UnclosedQuote,
    /// Something is missing.
    Truncated,
}

impl Tail {
    /// A tail that is all in the window.
    pub(super) fn new(
        window: &Window,
        state: TailState,
        sqlstate: &'static str,
        message: String,
    ) -> Self {
        Tail { start: window.place(), state, kept: None, behind: None, sqlstate, message }
    }
}

/// Quarantines the first `len` bytes of the window if they are invalid in their encoding; returns whether
/// they were.
pub(super) fn quarantine_miscoded(
    window: &Window,
    len: usize,
    position: i64,
    out: &mut BatchBuilder,
) -> bool {
    let Some(message) = window.miscoded(len) else {
        return false;
    };
    out.push_unreadable(position, window.exact(len).to_vec(), CHARACTER_NOT_IN_REPERTOIRE, message);
    true
}

/// A line without the CR of its line end; some programs write two of them.
#[inline]
pub(super) fn trim_cr(mut line: &[u8]) -> &[u8] {
    while let Some(rest) = line.strip_suffix(b"\r") {
        line = rest;
    }
    line
}

/// Postgres counts in bigint.
pub(super) fn to_bigint(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
