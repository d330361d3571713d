//! Faults of a CSV row, and content that ends inside one.

use super::Csv;
use crate::source::records::framer::{Tail, TailState, trim_cr};
use crate::source::records::scan::QuoteError;
use crate::source::records::window::Window;
use crate::source::sqlstate::BAD_COPY_FILE_FORMAT;

impl Csv {
    pub(super) fn tail(&mut self, window: &Window) -> Tail {
        let line = window.line;
        if self.scan.has_open_quote() {
            let message = self.open_quote_message(line);
            return Tail::new(window, TailState::UnclosedQuote, BAD_COPY_FILE_FORMAT, message);
        }
        let row = trim_cr(window.data());
        let mut message = format!("the content ends inside the row at line {line}");
        let mut fitness = TailState::ProbablyComplete;
        if self.columns.is_none() {
            // An invalid header may be an incomplete one.
            if self.header_names(row, line).is_err() {
                fitness = TailState::Truncated;
            }
        } else {
            let expected = self.encoder.width();
            let width = self.encoder.encode(row);
            if width != expected {
                message = ragged(width, expected, line);
            }
            // A row with too many fields cannot be completed.
            if width < expected {
                fitness = TailState::Truncated;
            }
        }
        // It ends inside a character.
        if std::str::from_utf8(row).is_err_and(|error| error.error_len().is_none()) {
            fitness = TailState::Truncated;
        }
        Tail::new(window, fitness, BAD_COPY_FILE_FORMAT, message)
    }

    pub(super) fn has_quote_error(&self) -> bool {
        self.scan.fault.is_some()
    }

    pub(super) fn open_quote_message(&self, line: u64) -> String {
        match self.scan.fault {
            Some(fault) => self.quote_error_message(fault, line),
            None => format!("a quote opened in the row at line {line} is never closed"),
        }
    }

    pub(super) fn quote_error_message(&self, fault: QuoteError, line: u64) -> String {
        match fault {
            QuoteError::NotAtFieldEnd => format!(
                "a quote in the row at line {line} is followed by neither a delimiter nor a line end"
            ),
            QuoteError::Unclosed => format!(
                "a quote opened in the row at line {line} is not closed within max_record_lines = {}",
                self.limits.lines
            ),
        }
    }
}

pub(super) fn ragged(width: usize, expected: usize, line: u64) -> String {
    let fields = if width == 1 { "field" } else { "fields" };
    format!("row has {width} {fields}, header has {expected} (line {line})")
}
