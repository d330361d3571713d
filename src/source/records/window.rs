//! A sliding view of the content: what was read and is not yet a record.

mod anchor;

use std::io::{self, Read};

use encoding_rs::Encoding;

use super::decode::Decoder;
use super::decoded_text::DecodedText;
use super::position::ContentOffset;

pub(in crate::source) use anchor::{Resumed, hex_sha256};

/// How much of what was consumed is kept, to recognise the place again.
pub(in crate::source) const HISTORY: usize = 4 * 1024;
const CHUNK: usize = 256 * 1024;

/// Whether an input says that it has nothing at the moment. It can be asked again.
pub(super) fn is_idle(cause: &io::Error) -> bool {
    cause.kind() == io::ErrorKind::WouldBlock
}

/// Framers look at [`Window::data`], ask for more with [`Window::fill`] and give up what they are done with
/// by [`Window::advance`].
pub(in crate::source) struct Window {
    decoder: Decoder,
    buf: Vec<u8>,
    start: usize,
    end: usize,
    offset: u64,
    is_at_end: bool,
    /// Text of what is in `buf`, if the content is in another encoding than UTF-8.
    decoded: Option<DecodedText>,
    /// Where a record begins that is too long to be held and is being skipped.
    pinned: Option<ContentOffset>,
    /// Number of the line (from 1) in which `data` begins.
    pub(in crate::source) line: u64,
    /// Records taken so far.
    pub(in crate::source) records: u64,
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
            decoded: None,
            pinned: None,
            line: 1,
            records: 0,
        }
    }

    /// A window on content that is available as a whole; `nothing` follows it.
    pub(super) fn over(content: Vec<u8>, nothing: Decoder) -> Self {
        Window {
            end: content.len(),
            buf: content,
            is_at_end: true,
            ..Window::with_buffer(nothing, 0, Vec::new())
        }
    }

    /// From here on the content is text in `encoding`.
    pub(in crate::source) fn decode_from(&mut self, encoding: &'static Encoding) {
        self.decoded
            .get_or_insert_with(|| DecodedText::new(encoding));
    }

    pub(super) fn is_decoded(&self) -> bool {
        self.decoded.is_some()
    }

    /// Bytes available from the current place on, in UTF-8 if the encoding is known.
    pub(in crate::source) fn data(&self) -> &[u8] {
        match &self.decoded {
            Some(decoded) => decoded.text(),
            None => self.content(),
        }
    }

    /// Bytes of the content itself, which may begin a little before the current place.
    fn content(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    /// How far behind the beginning of `content` the byte `at` of `data` stands.
    fn behind(&self, at: usize) -> usize {
        match &self.decoded {
            Some(decoded) => decoded.place(at, self.content()),
            None => at,
        }
    }

    /// Where `data` begins in the content.
    pub(in crate::source) fn offset(&self) -> u64 {
        self.offset + self.behind(0) as u64
    }

    /// What is wrong with the first `n` bytes of `data`: a sequence that means nothing in the encoding.
    pub(super) fn miscoded(&self, n: usize) -> Option<String> {
        let decoded = self.decoded.as_ref()?;
        let fault = decoded.fault_before(n)?;
        Some(format!(
            "invalid byte sequence for encoding \"{}\" at byte {}",
            decoded.encoding().name(),
            self.behind(fault) - self.behind(0) + 1
        ))
    }

    /// The first `n` bytes of `data`, as they stand in the content if they mean nothing in its encoding.
    pub(super) fn exact(&self, n: usize) -> &[u8] {
        match &self.decoded {
            Some(decoded) if decoded.fault_before(n).is_some() => {
                &self.content()[self.behind(0)..self.behind(n)]
            }
            _ => &self.data()[..n],
        }
    }

    /// Whether nothing follows but part of a character.
    pub(super) fn ends_inside_character(&self) -> bool {
        self.is_at_end && self.unread_text() > 0
    }

    /// Takes that part for something that means nothing.
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
    pub(in crate::source) fn raw_position(&self) -> u64 {
        self.decoder.raw_position()
    }

    /// Whether the compressed stream stopped before its end.
    pub(super) fn is_truncated(&self) -> bool {
        self.decoder.is_truncated()
    }

    /// Appends more content to `data`; false at the end.
    pub(in crate::source) fn fill(&mut self) -> io::Result<bool> {
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

    /// The same, waiting if the input is silent.
    pub(super) fn fill_at_last(&mut self) -> io::Result<bool> {
        loop {
            match self.fill() {
                Err(cause) if is_idle(&cause) => {}
                done => return done,
            }
        }
    }

    /// Forgets that the end was seen: the input has grown since.
    pub(super) fn look_again(&mut self) {
        self.is_at_end = false;
    }

    /// Gives up the first `n` bytes of `data`.
    pub(in crate::source) fn advance(&mut self, n: usize) {
        debug_assert!(n <= self.data().len());
        let done = match &mut self.decoded {
            Some(decoded) => decoded.advance(n),
            None => n,
        };
        self.start += done;
        self.offset += done as u64;
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

    /// Whether the content goes on for at least `n` bytes.
    pub(in crate::source) fn holds(&mut self, n: usize) -> io::Result<bool> {
        while self.data().len() < n {
            if !self.fill_at_last()? {
                return Ok(false);
            }
        }
        Ok(true)
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
