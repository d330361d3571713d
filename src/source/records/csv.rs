//! Rows of separated fields; each becomes a JSON object of strings under the header's names.
//!
//! A quote opens a quoted field only at the field's very start; elsewhere it is itself. Behind the
//! quote that closes it there is a delimiter or a line end, or the line is a bad record ([`Scan`]).

use super::frame::{Fitness, Framed, Framer, Step, Stop, Tail, frame, number, trim_cr};
use super::position::Parser;
use super::row::{Dialect, RowEncoder};
use super::scan::{Fault, Limits, Scan};
use super::window::Window;
use crate::source::BatchBuilder;

/// Bad copy file format: what Postgres says of a row with too many or too few columns.
const RAGGED: &str = "22P04";

pub(super) struct Csv {
    limits: Limits,
    seen: usize,
    scan: Scan,
    pub(super) encoder: RowEncoder,
    /// Names that replace those of the header row.
    pub(super) override_names: Option<Vec<String>>,
    /// None until the header row is read.
    pub(super) columns: Option<Vec<String>>,
    /// A row of the names themselves: the header, come again in joined files.
    header_again: Option<Vec<u8>>,
    /// Where it came.
    repeated: Vec<u64>,
    skip_lines: u64,
    /// Nobody said what stands between two fields.
    pub(super) guesses_delimiter: bool,
    /// None until the first line end is seen.
    line_end: Option<u8>,
}

/// How rows stand in the content.
pub(super) struct Layout {
    pub(super) dialect: Dialect,
    pub(super) limits: Limits,
    pub(super) skip_lines: u64,
    pub(super) has_header: bool,
    pub(super) guesses_delimiter: bool,
    /// Names that replace those of the header row.
    pub(super) names: Option<Vec<String>>,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

impl Csv {
    /// Goes on from `parser`, which is empty at the beginning.
    pub(super) fn new(layout: Layout, parser: Parser) -> Self {
        let line_end = match parser.ends_in_cr {
            true => Some(b'\r'),
            false => parser.columns.is_some().then_some(b'\n'),
        };
        let dialect = Dialect {
            line_end: line_end.unwrap_or(b'\n'),
            ..layout.dialect
        };
        let mut csv = Csv {
            limits: layout.limits,
            seen: 0,
            scan: Scan::new(dialect.clone(), layout.limits),
            encoder: RowEncoder::new(dialect, &[]),
            override_names: layout.names.clone(),
            columns: None,
            header_again: None,
            repeated: Vec::new(),
            skip_lines: layout.skip_lines,
            guesses_delimiter: layout.guesses_delimiter,
            line_end,
        };
        let is_past_header = parser.columns.is_some() || !layout.has_header;
        if let Some(names) = layout.names.or(parser.columns).filter(|_| is_past_header) {
            csv.name_columns(names, layout.has_header);
        }
        csv
    }

    /// Rows have these columns from now on.
    pub(super) fn name_columns(&mut self, names: Vec<String>, has_header: bool) {
        self.encoder = RowEncoder::new(self.encoder.dialect().clone(), &names);
        // A lone column may well hold its own name.
        if has_header && self.override_names.is_none() && names.len() > 1 {
            let pairs = names.iter().map(|name| (name.clone(), name.clone().into()));
            let row = serde_json::Value::Object(pairs.collect());
            self.header_again = Some(row.to_string().into_bytes());
        }
        self.columns = Some(names);
    }

    /// Looks for the first line end outside of quotes: LF, perhaps behind CRs, or CR alone.
    fn find_line_end(&mut self, window: &mut Window) -> std::io::Result<()> {
        let quote = self.encoder.dialect().quote;
        let (mut at, mut is_quoted, mut has_cr) = (0, false, false);
        let line_end = loop {
            let Some(&byte) = window.data().get(at) else {
                if at > self.limits.bytes || !window.fill()? {
                    break b'\n';
                }
                continue;
            };
            match byte {
                b'\n' if !is_quoted => break b'\n',
                b'\r' if !is_quoted => has_cr = true,
                _ if has_cr => break b'\r',
                byte if Some(byte) == quote => is_quoted = !is_quoted,
                _ => {}
            }
            at += 1;
        };
        let dialect = Dialect {
            line_end,
            ..self.encoder.dialect().clone()
        };
        self.line_end = Some(line_end);
        self.scan = Scan::new(dialect.clone(), self.limits);
        let names = self.columns.clone().unwrap_or_default();
        self.encoder = RowEncoder::new(dialect, &names);
        Ok(())
    }

    /// Makes ready for a row: what stands before the first one is passed over, and a byte order
    /// mark in front of any.
    fn approach(&mut self, window: &mut Window) -> Result<(), Stop> {
        if self.seen > 0 {
            return Ok(());
        }
        if self.line_end.is_none() {
            self.find_line_end(window)?;
        }
        let line_end = self.line_end.unwrap_or(b'\n');
        while window.line <= self.skip_lines {
            match memchr::memchr(line_end, window.data()) {
                Some(end) => {
                    window.advance(end + 1);
                    window.line += 1;
                }
                None => {
                    window.advance(window.data().len());
                    if !window.fill()? {
                        return Ok(());
                    }
                }
            }
        }
        if window.data().is_empty() {
            window.fill()?;
        }
        if window.data().first() == Some(&BOM[0])
            && window.holds(BOM.len())?
            && window.data().starts_with(BOM)
        {
            window.advance(BOM.len());
        }
        Ok(())
    }

    fn push(&mut self, row: &[u8], line: u64, out: &mut BatchBuilder) {
        let expected = self.encoder.width();
        let width = self.encoder.encode(row);
        if let Some(fault) = self.scan.fault {
            let message = self.unclosed(fault, line);
            out.push_unreadable(number(line), row.to_vec(), RAGGED, message);
        } else if width != expected {
            let message = ragged(width, expected, line);
            out.push_unreadable(number(line), row.to_vec(), RAGGED, message);
        } else if self.encoder.is_text(row) {
            out.push(number(line), self.encoder.json());
        } else {
            // The batch sets it aside, with the bytes of the row and not of its encoding.
            out.push(number(line), row);
        }
    }

    fn tail(&mut self, window: &Window) -> Tail {
        let line = window.line;
        if self.scan.is_broken() {
            let message = match self.scan.fault {
                Some(fault) => self.unclosed(fault, line),
                None => format!("a quote opened in the row at line {line} is never closed"),
            };
            return Tail::new(window, Fitness::Unclosed, RAGGED, message);
        }
        let row = trim_cr(window.data());
        let mut message = format!("the content ends inside the row at line {line}");
        let mut fitness = Fitness::Doubtful;
        if self.columns.is_none() {
            // A header that makes no sense yet may be only the beginning of one.
            if self.header_names(row, line).is_err() {
                fitness = Fitness::Broken;
            }
        } else {
            let expected = self.encoder.width();
            let width = self.encoder.encode(row);
            if width != expected {
                message = ragged(width, expected, line);
                fitness = Fitness::Broken;
            }
        }
        // Cut inside a character, that is.
        if std::str::from_utf8(row).is_err_and(|error| error.error_len().is_none()) {
            fitness = Fitness::Broken;
        }
        Tail::new(window, fitness, RAGGED, message)
    }

    fn rest(&mut self) {
        self.seen = 0;
        self.scan.restart();
    }
}

impl Framer for Csv {
    fn next(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<Step, Stop> {
        loop {
            self.approach(window)?;
            let scan = &mut self.scan;
            match frame(window, self.limits.bytes, &mut self.seen, |bytes| {
                scan.feed(bytes)
            })? {
                Framed::Whole(len) => {
                    let row = trim_cr(&window.data()[..len]);
                    let line = window.line;
                    let is_row = !row.is_empty() && !self.scan.is_comment;
                    let is_record =
                        self.columns.is_some() && is_row && !self.is_header_again(row, line);
                    if is_record {
                        self.push(row, line, out);
                        window.records += 1;
                    } else if self.columns.is_none() && is_row {
                        self.read_header(row, line)?;
                    }
                    // Of a row that was given up only the first line is behind us.
                    let inner = match self.scan.fault {
                        Some(_) => 0,
                        None => self.scan.newlines,
                    };
                    window.line += 1 + inner;
                    window.advance(len + 1);
                    self.rest();
                    if is_record {
                        return Ok(Step::Record);
                    }
                }
                Framed::Long(_) if self.columns.is_none() => return Err(self.long_header(window)),
                Framed::Long(long) => {
                    let newlines = long.newlines;
                    long.set_aside(out, number(window.line), self.limits.bytes);
                    window.advance(1);
                    window.line += 1 + newlines;
                    window.records += 1;
                    self.rest();
                    return Ok(Step::Record);
                }
                Framed::Cut if self.scan.is_comment || trim_cr(window.data()).is_empty() => {
                    return Ok(Step::End);
                }
                Framed::Cut => return Ok(Step::Tail(self.tail(window))),
                Framed::CutLong(long) => return Ok(Step::Tail(long.into_tail(self.limits.bytes))),
            }
        }
    }

    fn load_tail(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<(), Stop> {
        let row = trim_cr(window.data());
        let len = window.data().len();
        // A header alone is no record, and is read again should the file grow.
        if self.columns.is_some() {
            self.push(row, window.line, out);
            window.line += self.scan.newlines;
            window.records += 1;
            window.advance(len);
        }
        self.rest();
        Ok(())
    }

    fn break_tail(&mut self, window: &mut Window, out: &mut BatchBuilder, tail: &Tail) -> bool {
        let data = window.data();
        // A quote that is never closed spoils its own line only, not the rest of the file.
        let line_end = match tail.kept {
            None if self.scan.is_broken() => memchr::memchr(self.line_end.unwrap_or(b'\n'), data),
            _ => None,
        };
        let payload = match (&tail.kept, line_end) {
            (Some(kept), _) => kept.clone(),
            (None, Some(end)) => trim_cr(&data[..end]).to_vec(),
            (None, None) => data.to_vec(),
        };
        let len = data.len();
        out.push_unreadable(
            number(window.line),
            payload,
            tail.sqlstate,
            tail.message.clone(),
        );
        window.records += 1;
        window.line += u64::from(line_end.is_some());
        window.advance(line_end.map_or(len, |end| end + 1));
        self.rest();
        line_end.is_some()
    }

    fn parser(&self) -> Parser {
        Parser {
            columns: self.columns.clone(),
            ends_in_cr: self.line_end == Some(b'\r'),
            ..Parser::default()
        }
    }

    fn note(&self) -> Option<String> {
        let first = self.repeated.first()?;
        let more = match self.repeated.len() {
            1 => String::new(),
            n => format!(" and {} times more", n - 1),
        };
        Some(format!(
            "the header comes again in line {first}{more}, which was taken for no record"
        ))
    }
}

impl Csv {
    fn is_header_again(&mut self, row: &[u8], line: u64) -> bool {
        let Some(header) = &self.header_again else {
            return false;
        };
        let first = self.columns.as_ref().and_then(|names| names.first());
        let quote = self.encoder.dialect().quote;
        let bare = row.get(usize::from(row.first().copied() == quote)..);
        let looks_like_it = first
            .zip(bare)
            .is_some_and(|(name, row)| row.starts_with(name.as_bytes()));
        if !looks_like_it || self.scan.fault.is_some() {
            return false;
        }
        let is_again =
            self.encoder.encode(row) == self.encoder.width() && self.encoder.json() == header;
        if is_again {
            self.repeated.push(line);
        }
        is_again
    }

    pub(super) fn is_spoilt(&self) -> bool {
        self.scan.fault.is_some()
    }

    fn unclosed(&self, fault: Fault, line: u64) -> String {
        match fault {
            Fault::Stray => format!(
                "a quote in the row at line {line} is followed by neither a delimiter nor a line end"
            ),
            Fault::Unclosed => format!(
                "a quote opened in the row at line {line} is not closed within max_record_lines = {}",
                self.limits.lines
            ),
        }
    }

    fn long_header(&self, window: &Window) -> Stop {
        Stop::Senseless(
            format!(
                "the header in line {} is longer than max_record_bytes = {}",
                window.line, self.limits.bytes
            ),
            "check that the file is CSV or TSV, or raise max_record_bytes",
        )
    }
}

fn ragged(width: usize, expected: usize, line: u64) -> String {
    let fields = if width == 1 { "field" } else { "fields" };
    format!("row has {width} {fields}, header has {expected} (line {line})")
}
