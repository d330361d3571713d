//! A sliding view of the content: what was read and is not yet a record.

use std::io::{self, Read};

use sha2::{Digest, Sha256};

use super::decode::Decoder;
use super::position::Place;

/// How much of what was consumed is kept, to recognise the place again.
pub(in crate::source) const HISTORY: usize = 4 * 1024;
const CHUNK: usize = 256 * 1024;

/// Framers look at [`Window::data`], ask for more with [`Window::fill`] and give up what
/// they have dealt with by [`Window::advance`].
pub(in crate::source) struct Window {
    decoder: Decoder,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    is_at_end: bool,
    /// Where a record begins that is too long to be held and is being skipped.
    pinned: Option<Place>,
    /// Number of the line (from 1) in which `data` begins.
    pub(in crate::source) line: u64,
    /// Records taken so far.
    pub(in crate::source) records: u64,
}

/// Whether content is found again as it was left.
pub(in crate::source) enum Resumed {
    There,
    /// It is other content: in which respect.
    Elsewhere(String),
}

impl Window {
    /// A window on `decoder`, whose next byte has `offset` in the content.
    pub(in crate::source) fn new(decoder: Decoder, offset: u64) -> Self {
        Window::with_buffer(decoder, offset, vec![0; CHUNK + HISTORY])
    }

    fn with_buffer(decoder: Decoder, offset: u64, buf: Vec<u8>) -> Self {
        Window {
            decoder,
            buf,
            start: 0,
            end: 0,
            offset,
            is_at_end: false,
            pinned: None,
            line: 1,
            records: 0,
        }
    }

    /// A window on content that is at hand as a whole; `nothing` follows it.
    pub(super) fn over(content: Vec<u8>, nothing: Decoder) -> Self {
        Window {
            end: content.len(),
            buf: content,
            is_at_end: true,
            ..Window::with_buffer(nothing, 0, Vec::new())
        }
    }

    /// Bytes at hand from the current place on.
    pub(in crate::source) fn data(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    /// Where `data` begins in the content.
    pub(in crate::source) fn offset(&self) -> u64 {
        self.offset
    }

    /// How far the raw bytes have been read.
    pub(in crate::source) fn raw_position(&self) -> u64 {
        self.decoder.raw_position()
    }

    /// Whether the compressed stream stopped before its end.
    pub(super) fn is_cut(&self) -> bool {
        self.decoder.is_cut()
    }

    /// Appends more content to `data`; false at the end.
    pub(in crate::source) fn fill(&mut self) -> io::Result<bool> {
        if self.is_at_end {
            return Ok(false);
        }
        self.make_room();
        let n = self.decoder.read(&mut self.buf[self.end..])?;
        self.end += n;
        self.is_at_end = n == 0;
        Ok(n > 0)
    }

    /// Forgets that the end was seen: the input has grown since.
    pub(super) fn look_again(&mut self) {
        self.is_at_end = false;
    }

    /// Gives up the first `n` bytes of `data`.
    pub(in crate::source) fn advance(&mut self, n: usize) {
        debug_assert!(n <= self.data().len());
        self.start += n;
        self.offset += n as u64;
    }

    /// Gives up everything up to `offset`, reading as needed; false if the content is shorter.
    pub(in crate::source) fn skip_to(&mut self, offset: u64) -> io::Result<bool> {
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

    /// Goes on from `place`, if the content still is what it was there.
    pub(in crate::source) fn resume(&mut self, place: &Place) -> io::Result<Resumed> {
        if !self.skip_to(place.bytes)? {
            return Ok(Resumed::Elsewhere(format!(
                "its content ends before byte {}, up to which it was read",
                place.bytes
            )));
        }
        if !self.is_anchored(place) {
            return Ok(Resumed::Elsewhere(format!(
                "the bytes before byte {} of its content are not the same as before",
                place.bytes
            )));
        }
        self.line = place.line;
        self.records = place.records;
        Ok(Resumed::There)
    }

    /// Whether the content goes on for at least `n` bytes.
    pub(in crate::source) fn holds(&mut self, n: usize) -> io::Result<bool> {
        while self.data().len() < n {
            if !self.fill()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the bytes before the current place are those that stood before `place`.
    fn is_anchored(&self, place: &Place) -> bool {
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
pub(in crate::source) fn hex_sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
