//! Finds the end of a record while holding no more of it than the limit.

use std::io;

use super::framer::{Tail, TailState, trim_cr};
use super::position::ContentOffset;
use super::window::Window;
use crate::source::BatchBuilder;
use crate::source::batch::{KEPT_OF_OVERSIZED, oversized};
use crate::source::sqlstate::{BAD_COPY_FILE_FORMAT, PROGRAM_LIMIT_EXCEEDED};

/// Where a scanner saw the end of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndOffset {
    /// At this offset in the chunk.
    InChunk(usize),
    /// At this offset from the start of the record, in an earlier chunk.
    FromStart(usize),
}

/// Where a record ends.
pub(super) enum RecordEnd {
    /// The record is this many bytes at the start of the window.
    Complete(usize),
    /// The record exceeds the limit and has been skipped.
    TooLong(OversizedRecord),
    /// The content ends inside the record, which is in the window.
    Truncated,
    /// The content ends inside a record that exceeds the limit already.
    TruncatedTooLong(OversizedRecord),
}

/// A record over the limit: its head, and what is known of the rest.
pub(super) struct OversizedRecord {
    start: ContentOffset,
    head: Vec<u8>,
    size: u64,
    /// Line ends inside it.
    pub(super) newlines: u64,
    last: u8,
    /// Its first line, if another one follows, and the place behind it.
    first_line: Option<(Vec<u8>, ContentOffset)>,
}

/// Finds the end of the record at the start of the window, which may have `max` bytes. `find` is given
/// each byte of the record once, in chunks; `seen` counts the bytes of the window it was given already.
#[inline]
pub(super) fn find_record_end(
    window: &mut Window,
    max: usize,
    seen: &mut usize,
    mut find: impl FnMut(&[u8]) -> Option<EndOffset>,
) -> io::Result<RecordEnd> {
    loop {
        if let Some(end) = find(&window.data()[*seen..]) {
            let len = match end {
                EndOffset::InChunk(end) => *seen + end,
                EndOffset::FromStart(end) => end,
            };
            *seen = 0;
            // A CR that belongs to the line end does not count.
            if len <= max || (len == max + 1 && window.data()[max] == b'\r') {
                return Ok(RecordEnd::Complete(len));
            }
            let mut record = OversizedRecord::begin(window);
            record.take(window, len);
            window.unpin();
            return Ok(RecordEnd::TooLong(record));
        }
        *seen = window.data().len();
        if *seen > max + 1 {
            *seen = 0;
            return skip(window, find);
        }
        if !window.fill()? {
            return Ok(RecordEnd::Truncated);
        }
    }
}

/// Skips a record that is over the limit already.
fn skip(
    window: &mut Window,
    mut find: impl FnMut(&[u8]) -> Option<EndOffset>,
) -> io::Result<RecordEnd> {
    let mut record = OversizedRecord::begin(window);
    record.take_first_line(window);
    record.take(window, window.data().len());
    while window.fill_blocking()? {
        // The start of the record is not held any more, so an earlier end cannot be returned to.
        let end = find(window.data()).map(|end| match end {
            EndOffset::InChunk(end) | EndOffset::FromStart(end) => end.min(window.data().len()),
        });
        record.take(window, end.unwrap_or(window.data().len()));
        if end.is_some() {
            window.unpin();
            return Ok(RecordEnd::TooLong(record));
        }
    }
    window.unpin();
    Ok(RecordEnd::TruncatedTooLong(record))
}

impl OversizedRecord {
    fn begin(window: &mut Window) -> Self {
        OversizedRecord {
            start: window.pin(),
            head: Vec::new(),
            size: 0,
            newlines: 0,
            last: 0,
            first_line: None,
        }
    }

    /// Takes the first line, if it ends within the limit.
    fn take_first_line(&mut self, window: &mut Window) {
        let Some(end) = memchr::memchr(b'\n', window.data()) else {
            return;
        };
        let line = window.exact(trim_cr(&window.data()[..end]).len()).to_vec();
        self.take(window, end + 1);
        window.unpin();
        let behind =
            ContentOffset { records: window.records + 1, line: window.line + 1, ..window.place() };
        window.pin_at(self.start.clone());
        self.first_line = Some((line, behind));
    }

    fn take(&mut self, window: &mut Window, n: usize) {
        let bytes = &window.data()[..n];
        let exact = window.exact(n);
        self.size += n as u64;
        self.newlines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.last = bytes.last().copied().unwrap_or(self.last);
        let wanted = exact.len().min(KEPT_OF_OVERSIZED - self.head.len());
        self.head.extend_from_slice(&exact[..wanted]);
        window.advance(n);
    }

    /// Quarantines the record under `position`.
    pub(super) fn quarantine(mut self, out: &mut BatchBuilder, position: i64, max: usize) {
        let size = self.size - u64::from(self.last == b'\r');
        self.head.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let message = oversized(size, "bytes", max, self.head.len());
        out.push_unreadable(position, self.head, PROGRAM_LIMIT_EXCEEDED, message);
    }

    /// For a row that is not one, since its quote is not closed: its first line, if that is known. What is behind
    /// it has to be read again.
    pub(super) fn first_line(&mut self, message: String) -> Option<Tail> {
        let (line, behind) = self.first_line.take()?;
        Some(Tail {
            start: self.start.clone(),
            state: TailState::UnclosedQuote,
            kept: Some(line),
            behind: Some(behind),
            sqlstate: BAD_COPY_FILE_FORMAT,
            message,
        })
    }

    /// The record as the tail of content that ends inside it.
    pub(super) fn into_tail(self, max: usize) -> Tail {
        Tail {
            state: TailState::Truncated,
            sqlstate: PROGRAM_LIMIT_EXCEEDED,
            message: format!(
                "the content ends inside a record of which there are {} bytes, more than the limit \
                 max_record_bytes = {max}; its first {} bytes are kept here",
                self.size,
                self.head.len()
            ),
            kept: Some(self.head),
            behind: None,
            start: self.start,
        }
    }
}
