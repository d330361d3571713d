//! Between rows of CSV: line ends, `skip_lines`, byte order marks.

use super::Csv;
use crate::source::records::framer::FrameError;
use crate::source::records::row::{CsvDialect, RowEncoder};
use crate::source::records::scan::RowScan;
use crate::source::records::window::Window;

impl Csv {
    /// Detects the line end, at the first one outside quotes: LF, perhaps after CRs, or CR alone.
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
        let dialect = CsvDialect { line_end, ..self.encoder.dialect().clone() };
        self.line_end = Some(line_end);
        self.scan = RowScan::new(dialect.clone(), self.limits);
        let names = self.columns.clone().unwrap_or_default();
        self.encoder = RowEncoder::new(dialect, &names);
        Ok(())
    }

    /// Skips what precedes a row: `skip_lines` before the first, and a byte order mark before any.
    pub(super) fn skip_preamble(&mut self, window: &mut Window) -> Result<(), FrameError> {
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
                        if window.offset() > 0 && self.notes.is_empty() {
                            self.notes.push(format!(
                                "it ends within the {} lines that skip_lines passes over",
                                self.skip_lines
                            ));
                        }
                        return Ok(());
                    }
                }
            }
        }
        if window.data().is_empty() {
            window.fill()?;
        }
        window.skip_bom()?;
        Ok(())
    }
}
