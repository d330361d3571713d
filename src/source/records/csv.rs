//! Rows of separated fields; each becomes a JSON object of strings under the header's names.
//!
//! A quote opens a quoted field only at the field's very start; elsewhere it is itself. So
//! a stray inch mark stays what it is and does not swallow the rows that follow.

use super::frame::{Fitness, Framed, Framer, Step, Stop, Tail, frame, number, trim_cr};
use super::position::Parser;
use super::row::{Dialect, RowEncoder};
use super::scan::Scan;
use super::settings::name_faults;
use super::window::Window;
use crate::source::BatchBuilder;

/// Bad copy file format: what Postgres says of a row with too many or too few columns.
const RAGGED: &str = "22P04";

pub(super) struct Csv {
    max: usize,
    seen: usize,
    scan: Scan,
    encoder: RowEncoder,
    /// Names that replace those of the header row.
    override_names: Option<Vec<String>>,
    /// None until the header row is read.
    columns: Option<Vec<String>>,
}

impl Csv {
    /// With `columns` known, the next row is data; else it is the header, whose names
    /// `override_names` may replace.
    pub(super) fn new(
        max: usize,
        dialect: Dialect,
        columns: Option<Vec<String>>,
        override_names: Option<Vec<String>>,
    ) -> Self {
        Csv {
            max,
            seen: 0,
            scan: Scan::new(&dialect),
            encoder: RowEncoder::new(dialect, columns.as_deref().unwrap_or_default()),
            override_names,
            columns,
        }
    }

    /// The names in the header row, if they can name the columns.
    fn header_names(&self, row: &[u8], line: u64) -> Result<Vec<String>, Stop> {
        let found = self.encoder.fields(row).map_err(|_| {
            Stop::Senseless(
                format!("the header in line {line} is not valid UTF-8"),
                "save the file as UTF-8",
            )
        })?;
        let names = match &self.override_names {
            Some(names) if names.len() == found.len() => names.clone(),
            Some(names) => {
                return Err(Stop::Senseless(
                    format!(
                        "the setting `columns` names {}, but the header in line {line} has {}: {}",
                        names.len(),
                        found.len(),
                        found.join(", ")
                    ),
                    "name as many columns as the file has",
                ));
            }
            None => found,
        };
        let faults = name_faults(&names);
        if faults.is_empty() {
            return Ok(names);
        }
        Err(Stop::Senseless(
            format!(
                "the header in line {line} cannot name the columns: {}",
                faults.join("; ")
            ),
            "give every column a name of its own in the file, or by the setting `columns`",
        ))
    }

    fn read_header(&mut self, row: &[u8], line: u64) -> Result<(), Stop> {
        let names = self.header_names(row, line)?;
        self.encoder = RowEncoder::new(self.encoder.dialect().clone(), &names);
        self.columns = Some(names);
        Ok(())
    }

    fn push(&mut self, row: &[u8], line: u64, out: &mut BatchBuilder) {
        let expected = self.encoder.width();
        let width = self.encoder.encode(row);
        if width != expected {
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
        if self.scan.is_in_quotes() {
            let message = format!("a quote opened in the row at line {line} is never closed");
            return Tail::new(window, Fitness::Broken, RAGGED, message);
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
            let scan = &mut self.scan;
            match frame(window, self.max, &mut self.seen, |bytes| scan.feed(bytes))? {
                Framed::Whole(len) => {
                    let row = trim_cr(&window.data()[..len]);
                    let line = window.line;
                    let is_record = self.columns.is_some() && !row.is_empty();
                    if is_record {
                        self.push(row, line, out);
                        window.records += 1;
                    } else if !row.is_empty() {
                        self.read_header(row, line)?;
                    }
                    window.line += 1 + self.scan.newlines;
                    window.advance(len + 1);
                    self.rest();
                    if is_record {
                        return Ok(Step::Record);
                    }
                }
                Framed::Long(_) if self.columns.is_none() => return Err(self.long_header(window)),
                Framed::Long(long) => {
                    let newlines = long.newlines;
                    long.set_aside(out, number(window.line), self.max);
                    window.advance(1);
                    window.line += 1 + newlines;
                    window.records += 1;
                    self.rest();
                    return Ok(Step::Record);
                }
                Framed::Cut if trim_cr(window.data()).is_empty() => return Ok(Step::End),
                Framed::Cut => return Ok(Step::Tail(self.tail(window))),
                Framed::CutLong(long) => return Ok(Step::Tail(long.into_tail(self.max))),
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
            None if self.scan.is_in_quotes() => memchr::memchr(b'\n', data),
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
            ..Parser::default()
        }
    }
}

impl Csv {
    fn long_header(&self, window: &Window) -> Stop {
        Stop::Senseless(
            format!(
                "the header in line {} is longer than max_record_bytes = {}",
                window.line, self.max
            ),
            "check that the file is CSV or TSV, or raise max_record_bytes",
        )
    }
}

fn ragged(width: usize, expected: usize, line: u64) -> String {
    let fields = if width == 1 { "field" } else { "fields" };
    format!("row has {width} {fields}, header has {expected} (line {line})")
}
