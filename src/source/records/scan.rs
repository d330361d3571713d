//! Where a CSV row ends: at the first line end outside of quotes.

use super::row::Dialect;

/// Finds the line end that ends a row, chunk by chunk.
pub(super) struct Scan {
    delimiter: u8,
    quote: Option<u8>,
    place: Place,
    /// The byte before the chunk; none at the start of a row.
    before: Option<u8>,
    /// Line ends inside the row.
    pub(super) newlines: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Plain,
    Quoted,
    /// Behind a quote in a quoted field: the end of it, or one half of a doubled quote.
    Closing,
}

impl Scan {
    pub(super) fn new(dialect: &Dialect) -> Self {
        Scan {
            delimiter: dialect.delimiter,
            quote: dialect.quote,
            place: Place::Plain,
            before: None,
            newlines: 0,
        }
    }

    pub(super) fn restart(&mut self) {
        self.place = Place::Plain;
        self.before = None;
        self.newlines = 0;
    }

    pub(super) fn is_in_quotes(&self) -> bool {
        self.place == Place::Quoted
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        let Some(quote) = self.quote else {
            return memchr::memchr(b'\n', bytes);
        };
        let mut at = 0;
        while at < bytes.len() {
            match self.place {
                Place::Closing if bytes[at] == quote => {
                    self.place = Place::Quoted;
                    at += 1;
                }
                Place::Closing => self.place = Place::Plain,
                Place::Quoted => {
                    let end = memchr::memchr(quote, &bytes[at..]).map(|i| at + i);
                    let inside = &bytes[at..end.unwrap_or(bytes.len())];
                    self.newlines += memchr::memchr_iter(b'\n', inside).count() as u64;
                    at = end? + 1;
                    self.place = Place::Closing;
                }
                Place::Plain => {
                    let Some(hit) = memchr::memchr2(quote, b'\n', &bytes[at..]) else {
                        break;
                    };
                    let hit = at + hit;
                    if bytes[hit] == b'\n' {
                        return Some(hit);
                    }
                    let before = match hit {
                        0 => self.before,
                        _ => Some(bytes[hit - 1]),
                    };
                    if before.is_none_or(|byte| byte == self.delimiter) {
                        self.place = Place::Quoted;
                    }
                    at = hit + 1;
                }
            }
        }
        self.before = bytes.last().copied().or(self.before);
        None
    }
}
