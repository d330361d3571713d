//! Finds the end of a CSV row: the first line end outside quotes. A quote that is not closed at the end of
//! a field makes only its own line bad: the next row begins after that line.

use super::record_end::EndOffset;
use super::row::CsvDialect;

/// Finds the end of a row, chunk by chunk.
pub(super) struct RowScan {
    dialect: CsvDialect,
    limits: RowLimits,
    inside: ScanState,
    /// The byte before the chunk; none at the start of a row.
    before: Option<u8>,
    /// Bytes of the row in earlier chunks.
    fed: usize,
    /// End of the first line of the row, if a quoted field continues after it.
    first_line: Option<usize>,
    /// Line ends inside the row.
    pub(super) newlines: u64,
    pub(super) fault: Option<QuoteError>,
    pub(super) is_comment: bool,
}

/// Limits of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowLimits {
    pub(super) bytes: usize,
    pub(super) lines: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ScanState {
    Plain,
    Quoted,
    /// After the escape character in a quoted field.
    Escaped,
    /// After a quote in a quoted field: its end, or half of a doubled quote.
    Closing,
    /// After a CR that follows a quoted field: a line end has to follow.
    Ending,
    /// In the rest of a bad line or a comment.
    Rest,
}

/// What is wrong with the quotes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum QuoteError {
    /// A closing quote is followed by neither a delimiter nor a line end.
    NotAtFieldEnd,
    /// A quoted field is not closed within `max_record_lines`.
    Unclosed,
}

impl RowScan {
    pub(super) fn new(dialect: CsvDialect, limits: RowLimits) -> Self {
        RowScan {
            dialect,
            limits,
            inside: ScanState::Plain,
            before: None,
            fed: 0,
            first_line: None,
            newlines: 0,
            fault: None,
            is_comment: false,
        }
    }

    pub(super) fn restart(&mut self) {
        self.inside = ScanState::Plain;
        self.before = None;
        self.fed = 0;
        self.first_line = None;
        self.newlines = 0;
        self.fault = None;
        self.is_comment = false;
    }

    /// Whether the row has a quote that is unclosed or misplaced.
    pub(super) fn has_open_quote(&self) -> bool {
        self.fault.is_some() || matches!(self.inside, ScanState::Quoted | ScanState::Escaped)
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) -> Option<EndOffset> {
        if self.fed == 0 && self.before.is_none() {
            self.is_comment =
                self.dialect.comment.is_some() && bytes.first().copied() == self.dialect.comment;
            if self.is_comment {
                self.inside = ScanState::Rest;
            }
        }
        let end = self.scan(bytes);
        self.before = bytes.last().copied().or(self.before);
        self.fed += bytes.len();
        end
    }

    fn scan(&mut self, bytes: &[u8]) -> Option<EndOffset> {
        let line_end = self.dialect.line_end;
        let Some(quote) = self.dialect.quote.filter(|_| self.inside != ScanState::Rest) else {
            return memchr::memchr(line_end, bytes).map(EndOffset::InChunk);
        };
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            match self.inside {
                ScanState::Plain => {
                    let hit = at + memchr::memchr2(quote, line_end, &bytes[at..])?;
                    if bytes[hit] == line_end {
                        return Some(EndOffset::InChunk(hit));
                    }
                    let before = match hit {
                        0 => self.before,
                        _ => Some(bytes[hit - 1]),
                    };
                    if before.is_none_or(|byte| byte == self.dialect.delimiter) {
                        self.inside = ScanState::Quoted;
                    }
                    at = hit + 1;
                }
                ScanState::Quoted => {
                    let rest = &bytes[at..];
                    let stop = match self.dialect.escape {
                        Some(escape) => memchr::memchr2(quote, escape, rest),
                        None => memchr::memchr(quote, rest),
                    };
                    self.count_lines(&rest[..stop.unwrap_or(rest.len())], at);
                    if self.newlines >= self.limits.lines
                        && let Some(end) = self.give_up(QuoteError::Unclosed)
                    {
                        return Some(end);
                    }
                    at += stop?;
                    self.inside = match bytes[at] == quote {
                        true => ScanState::Closing,
                        false => ScanState::Escaped,
                    };
                    at += 1;
                }
                ScanState::Escaped => {
                    self.count_lines(&bytes[at..=at], at);
                    self.inside = ScanState::Quoted;
                    at += 1;
                }
                ScanState::Closing if byte == quote => {
                    self.inside = ScanState::Quoted;
                    at += 1;
                }
                ScanState::Closing if byte == self.dialect.delimiter => {
                    self.inside = ScanState::Plain;
                    at += 1;
                }
                ScanState::Closing | ScanState::Ending if byte == line_end => {
                    return Some(EndOffset::InChunk(at));
                }
                ScanState::Closing | ScanState::Ending if byte == b'\r' => {
                    self.inside = ScanState::Ending;
                    at += 1;
                }
                ScanState::Closing | ScanState::Ending => {
                    if let Some(end) = self.give_up(QuoteError::NotAtFieldEnd) {
                        return Some(end);
                    }
                }
                ScanState::Rest => {
                    return memchr::memchr(line_end, &bytes[at..])
                        .map(|hit| EndOffset::InChunk(at + hit));
                }
            }
        }
        None
    }

    /// Counts the line ends in quoted text, which begins at `at` in the chunk.
    fn count_lines(&mut self, quoted: &[u8], at: usize) {
        let mut lines = memchr::memchr_iter(self.dialect.line_end, quoted).peekable();
        if let Some(first) = lines.peek() {
            self.first_line.get_or_insert(self.fed + at + first);
        }
        self.newlines += lines.count() as u64;
    }

    /// Ends a bad row after its first line if that is still held, else after the current one.
    fn give_up(&mut self, fault: QuoteError) -> Option<EndOffset> {
        self.fault = Some(fault);
        self.inside = ScanState::Rest;
        let is_held = self.fed <= self.limits.bytes + 1;
        let first_line = self.first_line.filter(|end| is_held && *end <= self.limits.bytes);
        first_line.map(EndOffset::FromStart)
    }
}
