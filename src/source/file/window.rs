//! A sliding view of a file's content: what was read and is not yet a record.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::decode::Decoder;
use super::identity::Place;

/// How much of what was consumed is kept, to recognise the place again.
pub(super) const HISTORY: usize = 4 * 1024;
const CHUNK: usize = 256 * 1024;

/// Framers look at [`Window::data`], ask for more with [`Window::fill`] and give up what
/// they have dealt with by [`Window::advance`].
pub(super) struct Window {
    decoder: Decoder,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    is_at_end: bool,
    /// Where a record begins that is too long to be held and is being skipped.
    pinned: Option<Place>,
    /// Number of the line (from 1) in which `data` begins.
    pub(super) line: u64,
    /// Records taken so far.
    pub(super) records: u64,
}

impl Window {
    /// A window on `decoder`, whose next byte has `offset` in the content.
    pub(super) fn new(decoder: Decoder, offset: u64) -> Self {
        Window {
            decoder,
            buf: vec![0; CHUNK + HISTORY],
            start: 0,
            end: 0,
            offset,
            is_at_end: false,
            pinned: None,
            line: 1,
            records: 0,
        }
    }

    /// Bytes at hand from the current place on.
    pub(super) fn data(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    /// Where `data` begins in the content.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// How far the bytes on disk have been read.
    pub(super) fn raw_position(&self) -> u64 {
        self.decoder.raw_position()
    }

    /// Whether the compressed stream stopped before its end.
    pub(super) fn is_cut(&self) -> bool {
        self.decoder.is_cut()
    }

    /// Appends more content to `data`; false at the end.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        if self.is_at_end {
            return Ok(false);
        }
        self.make_room();
        let n = self.decoder.read(&mut self.buf[self.end..])?;
        self.end += n;
        self.is_at_end = n == 0;
        Ok(n > 0)
    }

    /// Forgets that the end was seen: the file has grown since.
    pub(super) fn look_again(&mut self) {
        self.is_at_end = false;
    }

    /// Gives up the first `n` bytes of `data`.
    pub(super) fn advance(&mut self, n: usize) {
        debug_assert!(n <= self.data().len());
        self.start += n;
        self.offset += n as u64;
    }

    /// Gives up everything up to `offset`, reading as needed; false if the content is shorter.
    pub(super) fn skip_to(&mut self, offset: u64) -> io::Result<bool> {
        loop {
            let missing = offset.saturating_sub(self.offset);
            let at_hand = self.data().len();
            if missing <= at_hand as u64 {
                self.advance(missing as usize);
                return Ok(true);
            }
            self.advance(at_hand);
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// Holds the current place while the record that begins here is skipped: should reading
    /// fail before its end, it has not been read.
    pub(super) fn pin(&mut self) -> Place {
        let place = self.place();
        self.pinned = Some(place.clone());
        place
    }

    pub(super) fn unpin(&mut self) {
        self.pinned = None;
    }

    /// The current place, to be found again by [`Window::is_anchored`].
    pub(super) fn place(&self) -> Place {
        if let Some(place) = &self.pinned {
            return place.clone();
        }
        let history = &self.buf[self.start.saturating_sub(HISTORY)..self.start];
        Place {
            bytes: self.offset,
            records: self.records,
            line: self.line,
            anchor: hex_sha256(history),
            anchor_bytes: history.len() as u64,
        }
    }

    /// Whether the bytes before the current place are those that stood before `place`.
    pub(super) fn is_anchored(&self, place: &Place) -> bool {
        usize::try_from(place.anchor_bytes)
            .ok()
            .and_then(|len| self.start.checked_sub(len))
            .is_some_and(|from| hex_sha256(&self.buf[from..self.start]) == place.anchor)
    }

    fn make_room(&mut self) {
        if self.buf.len() - self.end >= CHUNK / 2 {
            return;
        }
        let from = self.start.saturating_sub(HISTORY);
        self.buf.copy_within(from..self.end, 0);
        self.start -= from;
        self.end -= from;
        if self.buf.len() - self.end < CHUNK / 2 {
            self.buf.resize(self.buf.len() * 2, 0);
        }
    }
}

/// SHA-256 as text.
pub(super) fn hex_sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
