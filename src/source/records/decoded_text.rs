//! UTF-8 decoded from content in another encoding. Offsets are counted in the bytes of the content, and a
//! record with invalid bytes can be quarantined with the original bytes.

use std::collections::VecDeque;

use encoding_rs::{DecoderResult, Encoding, WINDOWS_1252};

use super::choice::is_utf16;

/// Bytes of content that are decoded as one piece.
const PIECE: usize = 4096;

/// Replaces an invalid sequence; [`DecodedPiece::faults`] tells it from the same character in the content.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// The text of content from [`super::window::Window`]'s current place on. Callers pass the bytes of
/// the content from the beginning of the first piece on.
pub(super) struct DecodedText {
    encoding: &'static Encoding,
    text: Vec<u8>,
    /// Start of the unread text.
    start: usize,
    /// Bytes of text that were read of the first piece.
    passed: usize,
    pieces: VecDeque<DecodedPiece>,
    /// Bytes of the content in all pieces.
    taken: usize,
}

struct DecodedPiece {
    /// Its length as text.
    text: usize,
    /// Its length in the content.
    content: usize,
    /// Offsets of replaced sequences in its text.
    faults: Vec<usize>,
}

impl DecodedText {
    pub(super) fn new(encoding: &'static Encoding) -> Self {
        DecodedText {
            encoding,
            text: Vec::new(),
            start: 0,
            passed: 0,
            pieces: VecDeque::new(),
            taken: 0,
        }
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text[self.start..]
    }

    /// How many bytes of the content are decoded.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Decodes what follows in the content; false if that is no complete character.
    pub(super) fn extend(&mut self, mut content: &[u8]) -> bool {
        let passed = self.start - self.passed;
        self.text.drain(..passed);
        self.start -= passed;
        let before = self.taken;
        while !content.is_empty() {
            let piece = self.decode(&content[..content.len().min(PIECE)]);
            if piece.content == 0 {
                break;
            }
            content = &content[piece.content..];
            self.taken += piece.content;
            self.pieces.push_back(piece);
        }
        self.taken > before
    }

    /// Replaces the last `rest` bytes of the content, which are an incomplete character.
    pub(super) fn close(&mut self, rest: usize) {
        self.text.extend_from_slice(REPLACEMENT);
        self.taken += rest;
        self.pieces.push_back(DecodedPiece {
            text: REPLACEMENT.len(),
            content: rest,
            faults: vec![0],
        });
    }

    fn decode(&mut self, content: &[u8]) -> DecodedPiece {
        let from = self.text.len();
        let mut faults = Vec::new();
        let mut decoder = self.encoding.new_decoder_without_bom_handling();
        let mut buf = [0; 4 * PIECE];
        let mut at = 0;
        while at < content.len() {
            // Only a single-byte encoding has undefined bytes, so no character is pending here.
            if self.is_undefined(content[at]) {
                faults.push(self.text.len() - from);
                self.text.extend_from_slice(REPLACEMENT);
                at += 1;
                continue;
            }
            let rest = &content[at..];
            let len = rest.iter().position(|byte| self.is_undefined(*byte));
            let rest = &rest[..len.unwrap_or(rest.len())];
            let (result, read, written) =
                decoder.decode_to_utf8_without_replacement(rest, &mut buf, false);
            self.text.extend_from_slice(&buf[..written]);
            at += read;
            if let DecoderResult::Malformed(..) = result {
                faults.push(self.text.len() - from);
                self.text.extend_from_slice(REPLACEMENT);
            }
        }
        // A character that continues after the piece is left to the next one.
        let mut pending = 0;
        while let (DecoderResult::Malformed(bad, behind), ..) =
            decoder.decode_to_utf8_without_replacement(&[], &mut buf, true)
        {
            pending += usize::from(bad) + usize::from(behind);
        }
        DecodedPiece {
            text: self.text.len() - from,
            content: content.len().saturating_sub(pending),
            faults,
        }
    }

    /// The WHATWG standard maps these to control characters; Postgres and iconv reject them.
    fn is_undefined(&self, byte: u8) -> bool {
        self.encoding == WINDOWS_1252 && matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d)
    }

    /// Consumes `n` bytes of text; returns how many bytes of the content are no longer needed.
    pub(super) fn advance(&mut self, n: usize) -> usize {
        self.start += n;
        self.passed += n;
        let mut done = 0;
        while let Some(first) = self.pieces.front()
            && first.text <= self.passed
        {
            self.passed -= first.text;
            done += first.content;
            self.pieces.pop_front();
        }
        self.taken -= done;
        done
    }

    /// The offset in the content of offset `at` in the text.
    pub(super) fn place(&self, at: usize, content: &[u8]) -> usize {
        let mut wanted = self.passed + at;
        let (mut text, mut from) = (self.start - self.passed, 0);
        for piece in &self.pieces {
            if wanted < piece.text {
                let before = &self.text[text..text + wanted];
                return from + self.length_of(before, &content[from..from + piece.content]);
            }
            wanted -= piece.text;
            text += piece.text;
            from += piece.content;
        }
        from
    }

    /// How many bytes at the start of the content `text` was decoded from.
    fn length_of(&self, text: &[u8], content: &[u8]) -> usize {
        let chars = || count_chars(text);
        if text.is_empty() {
            0
        } else if self.encoding.is_single_byte() {
            chars()
        } else if is_utf16(self.encoding) {
            // A character of four bytes in UTF-8 is a surrogate pair.
            2 * (chars() + text.iter().filter(|byte| **byte >= 0xf0).count())
        } else {
            self.search(text.len(), content)
        }
    }

    fn search(&self, wanted: usize, content: &[u8]) -> usize {
        let length = |n: usize| {
            let mut other = DecodedText::new(self.encoding);
            other.decode(&content[..n]).text
        };
        let (mut low, mut high) = (0, content.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match length(middle) < wanted {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        // An invalid sequence may be detected only by the byte after it.
        match length(low) > wanted {
            true => low - 1,
            false => low,
        }
    }

    /// The offset of an invalid sequence in the first `n` bytes of the text.
    pub(super) fn fault_before(&self, n: usize) -> Option<usize> {
        let mut from = 0;
        for piece in &self.pieces {
            if from >= self.passed + n {
                break;
            }
            let places = piece.faults.iter().map(|at| from + at);
            let mut places = places.filter(|at| (self.passed..self.passed + n).contains(at));
            if let Some(at) = places.next() {
                return Some(at - self.passed);
            }
            from += piece.text;
        }
        None
    }

    pub(super) fn encoding(&self) -> &'static Encoding {
        self.encoding
    }
}

/// The number of characters in UTF-8.
fn count_chars(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests;
