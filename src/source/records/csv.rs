//! CSV and TSV: each row becomes a JSON object of strings by the names in the header.
//!
//! A quote opens a quoted field only at the start of the field; elsewhere it is data. After the closing quote
//! a delimiter or a line end has to follow, or the line is a bad record ([`RowScan`]).

mod fields;
mod header;
mod line_end;
mod tail;

pub(crate) use self::fields::RowFields;
pub(super) use self::header::name_faults;
use self::header::refuse_miscoded_header;
use self::tail::ragged;
use super::framer::{
    FrameError, Framer, NextRecord, Tail, quarantine_miscoded, to_bigint, trim_cr,
};
use super::position::ParserState;
use super::record_end::{RecordEnd, find_record_end};
use super::required::Required;
use super::row::{CsvDialect, RowEncoder};
use super::scan::{RowLimits, RowScan};
use super::window::Window;
use crate::source::BatchBuilder;
use crate::source::sqlstate::BAD_COPY_FILE_FORMAT;

pub(super) struct Csv {
    limits: RowLimits,
    seen: usize,
    scan: RowScan,
    encoder: RowEncoder,
    /// Names that replace those of the header row.
    override_names: Option<Vec<String>>,
    required: Required,
    /// None until the header row is read.
    columns: Option<Vec<String>>,
    /// The header row as JSON, by which it is recognised when it is repeated in concatenated files.
    repeated_header: Option<Vec<u8>>,
    /// Lines in which it was repeated.
    repeated: Vec<u64>,
    /// Other notes for the user.
    notes: Vec<String>,
    skip_lines: u64,
    /// The delimiter is not set.
    guesses_delimiter: bool,
    /// None until the first line end is seen.
    line_end: Option<u8>,
    /// Whether the input can be read again from any place.
    can_reopen: bool,
}

/// The settings of CSV.
pub(super) struct CsvOptions {
    pub(super) dialect: CsvDialect,
    pub(super) limits: RowLimits,
    pub(super) skip_lines: u64,
    pub(super) has_header: bool,
    pub(super) guesses_delimiter: bool,
    /// Names that replace those of the header row.
    pub(super) names: Option<Vec<String>>,
    pub(super) required: Required,
    pub(super) can_reopen: bool,
}

impl Csv {
    /// Resumes at `parser`, which is empty at the start.
    pub(super) fn new(layout: CsvOptions, parser: ParserState) -> Self {
        let line_end = match parser.ends_in_cr {
            true => Some(b'\r'),
            false => parser.columns.is_some().then_some(b'\n'),
        };
        let dialect = CsvDialect { line_end: line_end.unwrap_or(b'\n'), ..layout.dialect };
        let mut csv = Csv {
            limits: layout.limits,
            seen: 0,
            scan: RowScan::new(dialect.clone(), layout.limits),
            encoder: RowEncoder::new(dialect, &[]),
            override_names: layout.names.clone(),
            required: layout.required,
            columns: None,
            repeated_header: None,
            repeated: Vec::new(),
            notes: Vec::new(),
            skip_lines: layout.skip_lines,
            guesses_delimiter: layout.guesses_delimiter,
            line_end,
            can_reopen: layout.can_reopen,
        };
        let is_past_header = parser.columns.is_some() || !layout.has_header;
        if let Some(names) = layout.names.or(parser.columns).filter(|_| is_past_header) {
            csv.set_columns(names, layout.has_header);
        }
        csv
    }

    fn push(&mut self, row: &[u8], line: u64, out: &mut BatchBuilder) {
        let expected = self.encoder.width();
        let width = self.encoder.encode(row);
        if let Some(fault) = self.scan.fault {
            let message = self.quote_error_message(fault, line);
            out.push_unreadable(to_bigint(line), row.to_vec(), BAD_COPY_FILE_FORMAT, message);
        } else if width != expected {
            let message = ragged(width, expected, line);
            out.push_unreadable(to_bigint(line), row.to_vec(), BAD_COPY_FILE_FORMAT, message);
        } else if self.encoder.is_text(row) {
            let (names, values) = self.encoder.members();
            out.push_object(to_bigint(line), self.encoder.json(), names, values);
        } else {
            // The batch quarantines it with the original bytes of the row.
            out.push(to_bigint(line), row);
        }
    }

    fn reset(&mut self) {
        self.seen = 0;
        self.scan.restart();
    }
}

impl Framer for Csv {
    fn next(
        &mut self,
        window: &mut Window,
        out: &mut BatchBuilder,
    ) -> Result<NextRecord, FrameError> {
        loop {
            self.skip_preamble(window)?;
            let scan = &mut self.scan;
            match find_record_end(window, self.limits.bytes, &mut self.seen, |bytes| {
                scan.feed(bytes)
            })? {
                RecordEnd::Complete(len) => {
                    let row = trim_cr(&window.data()[..len]);
                    let line = window.line;
                    let is_row = !row.is_empty() && !self.scan.is_comment;
                    let is_record =
                        self.columns.is_some() && is_row && !self.is_repeated_header(row, line);
                    if is_record {
                        if !quarantine_miscoded(window, row.len(), to_bigint(line), out) {
                            self.push(row, line, out);
                        }
                        window.records += 1;
                    } else if self.columns.is_none() && is_row {
                        refuse_miscoded_header(window, row.len())?;
                        self.read_header(row, line)?;
                    }
                    // Of a bad row only the first line is consumed.
                    let inner = match self.scan.fault {
                        Some(_) => 0,
                        None => self.scan.newlines,
                    };
                    window.line += 1 + inner;
                    window.advance(len + 1);
                    self.reset();
                    if is_record {
                        return Ok(NextRecord::Added);
                    }
                }
                RecordEnd::TooLong(_) if self.columns.is_none() => {
                    return Err(self.long_header(window));
                }
                RecordEnd::TooLong(mut long) => {
                    if self.can_reopen
                        && self.scan.fault.is_some()
                        && let Some(row) = long.first_line(self.open_quote_message(window.line))
                    {
                        return Ok(NextRecord::Overread(row));
                    }
                    let newlines = long.newlines;
                    long.quarantine(out, to_bigint(window.line), self.limits.bytes);
                    window.advance(1);
                    window.line += 1 + newlines;
                    window.records += 1;
                    self.reset();
                    return Ok(NextRecord::Added);
                }
                RecordEnd::Truncated
                    if self.scan.is_comment || trim_cr(window.data()).is_empty() =>
                {
                    return Ok(NextRecord::EndOfInput);
                }
                RecordEnd::Truncated => return Ok(NextRecord::Unterminated(self.tail(window))),
                RecordEnd::TruncatedTooLong(mut long) => {
                    if self.can_reopen
                        && self.columns.is_some()
                        && self.scan.has_open_quote()
                        && let Some(row) = long.first_line(self.open_quote_message(window.line))
                    {
                        return Ok(NextRecord::Unterminated(row));
                    }
                    return Ok(NextRecord::Unterminated(long.into_tail(self.limits.bytes)));
                }
            }
        }
    }

    fn load_tail(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<(), FrameError> {
        let row = trim_cr(window.data());
        let len = window.data().len();
        // A header alone is no record, and is read again when the file has grown.
        if self.columns.is_some() {
            if !quarantine_miscoded(window, row.len(), to_bigint(window.line), out) {
                self.push(row, window.line, out);
            }
            window.line += self.scan.newlines;
            window.records += 1;
            window.advance(len);
        }
        self.reset();
        Ok(())
    }

    fn quarantine_tail(
        &mut self,
        window: &mut Window,
        out: &mut BatchBuilder,
        tail: &Tail,
    ) -> bool {
        let data = window.data();
        // An unclosed quote makes only its own line bad.
        let line_end = match tail.kept {
            None if self.scan.has_open_quote() => {
                memchr::memchr(self.line_end.unwrap_or(b'\n'), data)
            }
            _ => None,
        };
        let payload = match (&tail.kept, line_end) {
            (Some(kept), _) => kept.clone(),
            (None, Some(end)) => window.exact(trim_cr(&data[..end]).len()).to_vec(),
            (None, None) => window.exact(data.len()).to_vec(),
        };
        let len = data.len();
        out.push_unreadable(to_bigint(window.line), payload, tail.sqlstate, tail.message.clone());
        window.records += 1;
        window.line += u64::from(line_end.is_some());
        window.advance(line_end.map_or(len, |end| end + 1));
        self.reset();
        line_end.is_some()
    }

    fn parser(&self) -> ParserState {
        ParserState {
            columns: self.columns.clone(),
            ends_in_cr: self.line_end == Some(b'\r'),
            ..ParserState::default()
        }
    }

    fn note(&self) -> Option<String> {
        let notes: Vec<String> = self.notes.iter().cloned().chain(self.note_repeated()).collect();
        (!notes.is_empty()).then(|| notes.join("; "))
    }
}
