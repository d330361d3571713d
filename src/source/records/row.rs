//! Turns a row of CSV into a JSON object, in one pass and with one buffer.

use std::ops::Range;
use std::str::Utf8Error;
use std::sync::Arc;

/// The dialect of CSV.
#[derive(Debug, Clone)]
pub(super) struct CsvDialect {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
    /// Escapes the character after it, in quoted fields.
    pub(super) escape: Option<u8>,
    /// Lines that begin with it are comments.
    pub(super) comment: Option<u8>,
    pub(super) line_end: u8,
    /// An unquoted field with this text is null.
    pub(super) null: Option<Vec<u8>>,
}

pub(super) struct RowEncoder {
    dialect: CsvDialect,
    names: Arc<[String]>,
    /// `{"first":`, `,"second":` and so on.
    keys: Vec<Vec<u8>>,
    /// Bytes at which copying an unquoted field stops.
    stops: [bool; 256],
    json: Vec<u8>,
    /// Ranges of the values in `json`.
    values: Vec<Range<usize>>,
    has_nul: bool,
}

impl RowEncoder {
    pub(super) fn new(dialect: CsvDialect, names: &[String]) -> Self {
        let mut stops = escaped_bytes();
        stops[usize::from(dialect.delimiter)] = true;
        let mut encoder = RowEncoder {
            dialect,
            names: names.into(),
            keys: Vec::new(),
            stops,
            json: Vec::new(),
            values: Vec::new(),
            has_nul: false,
        };
        encoder.keys = names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let mut key = vec![if index == 0 { b'{' } else { b',' }, b'"'];
                for byte in name.bytes() {
                    push_escaped(&mut key, byte);
                }
                key.extend_from_slice(b"\":");
                key
            })
            .collect();
        encoder
    }

    pub(super) fn dialect(&self) -> &CsvDialect {
        &self.dialect
    }

    /// Number of fields that a row should have.
    pub(super) fn width(&self) -> usize {
        self.keys.len()
    }

    /// The last object that [`RowEncoder::encode`] made.
    pub(super) fn json(&self) -> &[u8] {
        &self.json
    }

    /// The names of its members, and the ranges of their values.
    pub(super) fn members(&self) -> (&Arc<[String]>, &[Range<usize>]) {
        (&self.names, &self.values)
    }

    /// Whether Postgres can store the last row: no NUL, valid UTF-8.
    pub(super) fn is_text(&self, row: &[u8]) -> bool {
        !self.has_nul && (row.is_ascii() || std::str::from_utf8(row).is_ok())
    }

    /// Encodes a row; returns its number of fields. The JSON is valid only if that is [`RowEncoder::width`].
    pub(super) fn encode(&mut self, row: &[u8]) -> usize {
        self.json.clear();
        self.values.clear();
        self.has_nul = false;
        let mut width = 0;
        let mut at = 0;
        loop {
            if let Some(key) = self.keys.get(width) {
                self.json.extend_from_slice(key);
            }
            width += 1;
            let start = self.json.len();
            at = self.encode_field(row, at);
            self.values.push(start..self.json.len());
            if at == row.len() {
                break;
            }
            at += 1;
        }
        self.json.push(b'}');
        width
    }

    /// The fields of a row as text, for the header.
    pub(super) fn fields(&self, row: &[u8]) -> Result<Vec<String>, Utf8Error> {
        std::str::from_utf8(row)?;
        let mut plain = RowEncoder::new(CsvDialect { null: None, ..self.dialect.clone() }, &[]);
        let mut names = Vec::new();
        let mut at = 0;
        loop {
            plain.json.clear();
            at = plain.encode_field(row, at);
            names.push(serde_json::from_slice(&plain.json).unwrap_or_default());
            if at == row.len() {
                return Ok(names);
            }
            at += 1;
        }
    }

    /// Encodes the field at `at`; returns the offset of the delimiter or the end of the row.
    fn encode_field(&mut self, row: &[u8], mut at: usize) -> usize {
        let from = at;
        let length_before = self.json.len();
        self.json.push(b'"');
        let quote = self.dialect.quote.filter(|q| row.get(at) == Some(q));
        if let Some(quote) = quote {
            at = self.encode_quoted(row, at + 1, quote);
        }
        // What stands between a closing quote and the delimiter belongs to the field.
        loop {
            let run = row[at..]
                .iter()
                .position(|byte| self.stops[usize::from(*byte)])
                .unwrap_or(row.len() - at);
            self.json.extend_from_slice(&row[at..at + run]);
            at += run;
            match row.get(at) {
                Some(byte) if *byte != self.dialect.delimiter => {
                    self.has_nul |= *byte == 0;
                    push_escaped(&mut self.json, *byte);
                    at += 1;
                }
                _ => break,
            }
        }
        let is_null = quote.is_none()
            && self.dialect.null.as_deref().is_some_and(|null| null == &row[from..at]);
        if is_null {
            self.json.truncate(length_before);
            self.json.extend_from_slice(b"null");
        } else {
            self.json.push(b'"');
        }
        at
    }

    /// Encodes a quoted field from after its opening quote; returns the offset after the closing one.
    fn encode_quoted(&mut self, row: &[u8], mut at: usize, quote: u8) -> usize {
        loop {
            let rest = &row[at..];
            let run = match self.dialect.escape {
                Some(escape) => memchr::memchr2(quote, escape, rest),
                None => memchr::memchr(quote, rest),
            }
            .unwrap_or(rest.len());
            self.push_text(&rest[..run]);
            at += run;
            match (row.get(at), row.get(at + 1)) {
                (Some(stop), Some(next)) if *stop != quote || *next == quote => {
                    self.push_text(&[*next]);
                    at += 2;
                }
                (Some(_), _) => return at + 1,
                (None, _) => return at,
            }
        }
    }

    fn push_text(&mut self, mut text: &[u8]) {
        // Stops at the delimiter, too, which only costs a quoted field another turn.
        while let Some(at) = text.iter().position(|b| self.stops[usize::from(*b)]) {
            self.json.extend_from_slice(&text[..at]);
            self.has_nul |= text[at] == 0;
            push_escaped(&mut self.json, text[at]);
            text = &text[at + 1..];
        }
        self.json.extend_from_slice(text);
    }
}

fn escaped_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    table[..0x20].fill(true);
    table[usize::from(b'"')] = true;
    table[usize::from(b'\\')] = true;
    table
}

fn push_escaped(json: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => json.extend_from_slice(b"\\\""),
        b'\\' => json.extend_from_slice(b"\\\\"),
        b'\n' => json.extend_from_slice(b"\\n"),
        b'\r' => json.extend_from_slice(b"\\r"),
        b'\t' => json.extend_from_slice(b"\\t"),
        0..0x20 => {
            json.extend_from_slice(b"\\u00");
            json.push(HEX[usize::from(byte >> 4)]);
            json.push(HEX[usize::from(byte & 15)]);
        }
        _ => json.push(byte),
    }
}
