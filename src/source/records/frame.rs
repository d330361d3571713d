//! What the formats share: the contract of a framer, and finding where a record ends
//! without holding more of it than the limit.

use std::io;

use super::position::{Parser, Place};
use super::window::Window;
use crate::error::Result;
use crate::source::BatchBuilder;

/// What quarantine keeps of a record that is too long.
pub(in crate::source) const KEPT_OF_LONG: usize = 64 * 1024;

/// What Postgres says of bytes that mean nothing in their encoding.
pub(in crate::source) const MISCODED: &str = "22021";

/// Too long for the limit the user set.
pub(in crate::source) const TOO_LONG: &str = "54000";

/// Slices content into records.
pub(super) trait Framer: Send {
    /// Adds the next record to `out`.
    fn next(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<Step, Stop>;

    /// Adds the unterminated record that the last [`Step::Tail`] spoke of.
    fn load_tail(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<(), Stop>;

    /// Sets the tail aside as unreadable. True if the framer can go on behind it.
    fn break_tail(&mut self, window: &mut Window, out: &mut BatchBuilder, tail: &Tail) -> bool {
        let rest = window.exact(window.data().len());
        let payload = tail.kept.clone().unwrap_or_else(|| rest.to_vec());
        let position = self.position(window);
        out.push_unreadable(position, payload, tail.sqlstate, tail.message.clone());
        window.records += 1;
        window.advance(window.data().len());
        false
    }

    /// The number by which a record that begins here is known: its line or its index.
    fn position(&self, window: &Window) -> i64 {
        number(window.line)
    }

    /// Whether the content may end here, as far as the framer is concerned.
    fn is_between_records(&self) -> bool {
        true
    }

    /// What the user should know of the content.
    fn note(&self) -> Option<String> {
        None
    }

    /// What must be remembered, besides the place, to go on from here.
    fn parser(&self) -> Parser;
}

/// Why a framer cannot go on.
#[derive(Debug)]
pub(super) enum Stop {
    /// The bytes cannot be read.
    Io(io::Error),
    /// The content as a whole makes no sense: message and next step.
    Senseless(String, &'static str),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Stop::Io(error)
    }
}

/// What a framer found.
pub(super) enum Step {
    /// A record was added.
    Record,
    /// The content ends here, after a whole record.
    End,
    /// The content ends inside a record, or after one that lacks its line end.
    Tail(Tail),
}

/// The unterminated rest of the content.
pub(super) struct Tail {
    pub(super) start: Place,
    pub(super) fitness: Fitness,
    /// What is left of a tail that was too long to be held.
    pub(super) kept: Option<Vec<u8>>,
    pub(super) sqlstate: &'static str,
    pub(super) message: String,
}

/// What can be said of a tail by its looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fitness {
    /// Nothing can be missing.
    Whole,
    /// Looks whole, but its last value may go on.
    Doubtful,
    /// Bad as it stands, though what follows may yet mend it.
    Unclosed,
    /// Something is missing.
    Broken,
}

impl Tail {
    /// A tail that stands in the window.
    pub(super) fn new(
        window: &Window,
        fitness: Fitness,
        sqlstate: &'static str,
        message: String,
    ) -> Self {
        Tail {
            start: window.place(),
            fitness,
            kept: None,
            sqlstate,
            message,
        }
    }
}

/// Where the end of a record was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// So many bytes on in the chunk.
    Here(usize),
    /// So many bytes behind the record's beginning: what came since is not of it.
    Back(usize),
}

/// Where a record ends.
pub(super) enum Framed {
    /// It is the first so many bytes of the window.
    Whole(usize),
    /// It is longer than the limit and has been skipped.
    Long(Long),
    /// The content ends first; what there is of the record is in the window.
    Cut,
    /// The content ends first, and what there was of the record is longer than the limit.
    CutLong(Long),
}

/// A record that was too long to be held.
pub(super) struct Long {
    start: Place,
    head: Vec<u8>,
    size: u64,
    /// Lines that ended inside of it.
    pub(super) newlines: u64,
    last: u8,
}

/// Finds the end of the record that begins the window. `find` sees every byte of the record
/// once, chunk by chunk, and says where it ends; `seen` says how many bytes of the window it
/// has seen already.
#[inline]
pub(super) fn frame(
    window: &mut Window,
    max: usize,
    seen: &mut usize,
    mut find: impl FnMut(&[u8]) -> Option<End>,
) -> io::Result<Framed> {
    loop {
        if let Some(end) = find(&window.data()[*seen..]) {
            let len = match end {
                End::Here(end) => *seen + end,
                End::Back(end) => end,
            };
            *seen = 0;
            // A CR that belongs to the line end does not count.
            if len <= max || (len == max + 1 && window.data()[max] == b'\r') {
                return Ok(Framed::Whole(len));
            }
            let mut long = Long::begin(window);
            long.take(window, len);
            window.unpin();
            return Ok(Framed::Long(long));
        }
        *seen = window.data().len();
        if *seen > max + 1 {
            *seen = 0;
            return skip(window, find);
        }
        if !window.fill()? {
            return Ok(Framed::Cut);
        }
    }
}

fn skip(window: &mut Window, mut find: impl FnMut(&[u8]) -> Option<End>) -> io::Result<Framed> {
    let mut long = Long::begin(window);
    long.take(window, window.data().len());
    while window.fill_at_last()? {
        // The beginning is not held any more.
        let end = find(window.data()).map(|end| match end {
            End::Here(end) | End::Back(end) => end.min(window.data().len()),
        });
        long.take(window, end.unwrap_or(window.data().len()));
        if end.is_some() {
            window.unpin();
            return Ok(Framed::Long(long));
        }
    }
    window.unpin();
    Ok(Framed::CutLong(long))
}

impl Long {
    fn begin(window: &mut Window) -> Self {
        Long {
            start: window.pin(),
            head: Vec::new(),
            size: 0,
            newlines: 0,
            last: 0,
        }
    }

    fn take(&mut self, window: &mut Window, n: usize) {
        let bytes = &window.data()[..n];
        let exact = window.exact(n);
        self.size += n as u64;
        self.newlines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.last = bytes.last().copied().unwrap_or(self.last);
        let wanted = exact.len().min(KEPT_OF_LONG - self.head.len());
        self.head.extend_from_slice(&exact[..wanted]);
        window.advance(n);
    }

    /// Sets the record aside under `position`.
    pub(super) fn set_aside(mut self, out: &mut BatchBuilder, position: i64, max: usize) {
        let size = self.size - u64::from(self.last == b'\r');
        self.head
            .truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let message = format!(
            "the record has {size} bytes, more than the limit max_record_bytes = {max}; \
             its first {} bytes are kept here",
            self.head.len()
        );
        out.push_unreadable(position, self.head, TOO_LONG, message);
    }

    /// As the tail of content that ends before the record does.
    pub(super) fn into_tail(self, max: usize) -> Tail {
        Tail {
            fitness: Fitness::Broken,
            sqlstate: TOO_LONG,
            message: format!(
                "the content ends inside a record of which there are {} bytes, more than the limit \
                 max_record_bytes = {max}; its first {} bytes are kept here",
                self.size,
                self.head.len()
            ),
            kept: Some(self.head),
            start: self.start,
        }
    }
}

/// Sets the record that is the first `len` bytes of the window aside if it means nothing in its
/// encoding.
pub(super) fn set_aside_miscoded(
    window: &Window,
    len: usize,
    position: i64,
    out: &mut BatchBuilder,
) -> bool {
    let fault = window.miscoded(len);
    let is_bad = fault.is_some();
    if let Some(message) = fault {
        out.push_unreadable(position, window.exact(len).to_vec(), MISCODED, message);
    }
    is_bad
}

/// What some files begin with, and so what stands in the middle of such files that were joined.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// A line without the CR of its line end; some programs write two of them.
#[inline]
pub(super) fn trim_cr(mut line: &[u8]) -> &[u8] {
    while let Some(rest) = line.strip_suffix(b"\r") {
        line = rest;
    }
    line
}

/// Postgres counts in bigint.
pub(super) fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
