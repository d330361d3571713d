//! A sliding window over the content: what has been read, but is not a record yet.

mod anchor;

use std::io::{self, Read};

use encoding_rs::Encoding;

use super::decode::Decoder;
use super::decoded_text::DecodedText;
use super::framer::BOM;
use super::position::ContentOffset;

pub(crate) use anchor::{Resumed, hex_sha256};

/// Consumed bytes that are kept, to compute an anchor.
pub(crate) const HISTORY: usize = 4 * 1024;
const CHUNK: usize = 256 * 1024;

/// Whether an input is idle: the read can be repeated.
pub(super) fn is_idle(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::WouldBlock
}

/// Framers read [`Window::data`], extend it by [`Window::fill`] and consume it by [`Window::advance`].
pub(crate) struct Window {
    decoder: Decoder,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    is_at_end: bool,
    /// The text of `buf`, if the content is not UTF-8.
    decoded: Option<DecodedText>,
    /// Start of an oversized record that is being skipped.
    pinned: Option<ContentOffset>,
    /// Line number (from 1) at the start of `data`.
    pub(crate) line: u64,
    /// Records read so far.
    pub(crate) records: u64,
}

impl Window {
    /// A window over `decoder`, whose next byte is at `offset` of the content.
    pub(crate) fn new(decoder: Decoder, offset: u64) -> Self {
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
            decoded: None,
            pinned: None,
            line: 1,
            records: 0,
        }
    }

    /// A window over content that is all in memory; `nothing` is an empty decoder.
    pub(super) fn over(content: Vec<u8>, nothing: Decoder) -> Self {
        Window {
            end: content.len(),
            buf: content,
            is_at_end: true,
            ..Window::with_buffer(nothing, 0, Vec::new())
        }
    }

    /// Decodes the content from here on.
    pub(crate) fn decode_from(&mut self, encoding: &'static Encoding) {
        self.decoded.get_or_insert_with(|| DecodedText::new(encoding));
    }

    pub(super) fn is_decoded(&self) -> bool {
        self.decoded.is_some()
    }

    /// The available bytes, decoded to UTF-8 if an encoding is set.
    pub(crate) fn data(&self) -> &[u8] {
        match &self.decoded {
            Some(decoded) => decoded.text(),
            None => self.content(),
        }
    }

    /// The undecoded bytes, which may begin a little before `data`.
    fn content(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    /// The offset in `content` of the byte `at` in `data`.
    fn behind(&self, at: usize) -> usize {
        match &self.decoded {
            Some(decoded) => decoded.place(at, self.content()),
            None => at,
        }
    }

    /// Where `data` begins in the content.
    pub(crate) fn offset(&self) -> u64 {
        self.offset + self.behind(0) as u64
    }

    /// The error about an invalid sequence in the first `n` bytes of `data`.
    pub(super) fn miscoded(&self, n: usize) -> Option<String> {
        let decoded = self.decoded.as_ref()?;
        let fault = decoded.fault_before(n)?;
        Some(format!(
            "invalid byte sequence for encoding \"{}\" at byte {}",
            decoded.encoding().name(),
            self.behind(fault) - self.behind(0) + 1
        ))
    }

    /// The first `n` bytes of `data`; undecoded, if they are invalid in the encoding of the content.
    pub(super) fn exact(&self, n: usize) -> &[u8] {
        match &self.decoded {
            Some(decoded) if decoded.fault_before(n).is_some() => {
                &self.content()[self.behind(0)..self.behind(n)]
            }
            _ => &self.data()[..n],
        }
    }

    /// Whether the content ends with an incomplete character.
    pub(super) fn ends_inside_character(&self) -> bool {
        self.is_at_end && self.unread_text() > 0
    }

    /// Treats that incomplete character as an invalid sequence.
    pub(super) fn close(&mut self) {
        let rest = self.unread_text();
        if let Some(decoded) = &mut self.decoded
            && rest > 0
        {
            decoded.close(rest);
        }
    }

    fn unread_text(&self) -> usize {
        let taken = self.decoded.as_ref().map(DecodedText::taken);
        taken.map_or(0, |taken| self.content().len() - taken)
    }

    /// How far the raw bytes have been read.
    pub(crate) fn raw_position(&self) -> u64 {
        self.decoder.raw_position()
    }

    /// Whether the compressed stream stopped before its end.
    pub(super) fn is_truncated(&self) -> bool {
        self.decoder.is_truncated()
    }

    /// Appends more content to `data`; false at the end.
    pub(crate) fn fill(&mut self) -> io::Result<bool> {
        loop {
            if let Some(decoded) = &mut self.decoded {
                let from = self.start + decoded.taken();
                if decoded.extend(&self.buf[from..self.end]) {
                    return Ok(true);
                }
            }
            let has_more = self.read_on()?;
            if !has_more || self.decoded.is_none() {
                return Ok(has_more);
            }
        }
    }

    fn read_on(&mut self) -> io::Result<bool> {
        if self.is_at_end {
            return Ok(false);
        }
        self.make_room();
        let n = self.decoder.read(&mut self.buf[self.end..])?;
        self.end += n;
        self.is_at_end = n == 0;
        Ok(n > 0)
    }

    /// [`Window::fill`], waiting while the input is idle.
    pub(super) fn fill_blocking(&mut self) -> io::Result<bool> {
        loop {
            match self.fill() {
                Err(cause) if is_idle(&cause) => {}
                done => return done,
            }
        }
    }

    /// Continues after the end: the input has grown.
    pub(super) fn reopen(&mut self) {
        self.is_at_end = false;
    }

    /// Consumes the first `n` bytes of `data`.
    pub(crate) fn advance(&mut self, n: usize) {
        debug_assert!(n <= self.data().len());
        let done = match &mut self.decoded {
            Some(decoded) => decoded.advance(n),
            None => n,
        };
        self.start += done;
        self.offset += done as u64;
    }

    /// Skips to `offset`; false if the content ends before.
    pub(crate) fn skip_to(&mut self, offset: u64) -> io::Result<bool> {
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

    /// Fills `data` to at least `n` bytes; false if the content ends before.
    pub(crate) fn fill_to(&mut self, n: usize) -> io::Result<bool> {
        while self.data().len() < n {
            if !self.fill_blocking()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Skips white space and returns the byte after it; none at the end.
    pub(super) fn next_non_blank(&mut self) -> io::Result<Option<u8>> {
        loop {
            let blanks = self.data().len() - self.data().trim_ascii_start().len();
            self.advance(blanks);
            match self.data().first().copied() {
                Some(byte) => return Ok(Some(byte)),
                None if self.fill()? => {}
                None => return Ok(None),
            }
        }
    }

    /// Skips a byte order mark, if one is next; whether it was.
    pub(super) fn skip_bom(&mut self) -> io::Result<bool> {
        let is_bom = self.data().first() == BOM.first()
            && self.fill_to(BOM.len())?
            && self.data().starts_with(BOM);
        if is_bom {
            self.advance(BOM.len());
        }
        Ok(is_bom)
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
