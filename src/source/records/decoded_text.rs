//! Text made of content in another encoding. What has been passed is counted in the content's own bytes,
//! and a record with a sequence that means nothing keeps its own bytes, too.

use std::collections::VecDeque;

use encoding_rs::{DecoderResult, Encoding, WINDOWS_1252};

use super::choice::is_utf16;

/// How many bytes are made into text as one piece.
const PIECE: usize = 4096;

/// Stands in the text for a sequence that means nothing; [`Piece::faults`] tells it from one that was
/// written so.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// The text of content from [`super::window::Window`]'s current place on. Callers pass the bytes of
/// the content from the beginning of the first piece on.
pub(super) struct DecodedText {
    encoding: &'static Encoding,
    text: Vec<u8>,
    /// Where what is not yet passed begins in `text`.
    start: usize,
    /// Of the first piece, what was passed.
    passed: usize,
    pieces: VecDeque<Piece>,
    /// Bytes of the content in all pieces.
    taken: usize,
}

struct Piece {
    /// Its length as text.
    text: usize,
    /// Its length in the content.
    content: usize,
    /// Where in the text something stands for a sequence that means nothing.
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

    /// How many bytes of the content are text by now.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Makes text of what follows in the content; false if that is no whole character.
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

    /// What is left of the content is not a whole character, and nothing follows it.
    pub(super) fn close(&mut self, rest: usize) {
        self.text.extend_from_slice(REPLACEMENT);
        self.taken += rest;
        self.pieces.push_back(Piece {
            text: REPLACEMENT.len(),
            content: rest,
            faults: vec![0],
        });
    }

    fn decode(&mut self, content: &[u8]) -> Piece {
        let from = self.text.len();
        let mut faults = Vec::new();
        let mut decoder = self.encoding.new_decoder_without_bom_handling();
        let mut buf = [0; 4 * PIECE];
        let mut at = 0;
        while at < content.len() {
            // A single-byte encoding never waits for more, so this is between two characters.
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
        // A character that goes on behind the piece is left to the next one.
        let mut pending = 0;
        while let (DecoderResult::Malformed(bad, behind), ..) =
            decoder.decode_to_utf8_without_replacement(&[], &mut buf, true)
        {
            pending += usize::from(bad) + usize::from(behind);
        }
        Piece {
            text: self.text.len() - from,
            content: content.len().saturating_sub(pending),
            faults,
        }
    }

    /// The standard for browsers gives these a meaning that no text has.
    fn is_undefined(&self, byte: u8) -> bool {
        self.encoding == WINDOWS_1252 && matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d)
    }

    /// Gives up the first `n` bytes of the text; returns how many bytes of the content are done with.
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

    /// Where in the content the text's byte `at` is.
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

    /// How many bytes of the content, from its beginning, `text` was made of.
    fn length_of(&self, text: &[u8], content: &[u8]) -> usize {
        let chars = || count_chars(text);
        if text.is_empty() {
            0
        } else if self.encoding.is_single_byte() {
            chars()
        } else if is_utf16(self.encoding) {
            // Four bytes of UTF-8 are two units.
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
        // A bad sequence is known by the byte behind it.
        match length(low) > wanted {
            true => low - 1,
            false => low,
        }
    }

    /// Where in the first `n` bytes of the text there is something that means nothing.
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

/// How many characters UTF-8 has.
fn count_chars(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
