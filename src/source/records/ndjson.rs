//! One record a line. Postgres decides whether it is JSON.

use super::framer::{
    BOM, FrameError, Framer, NextRecord, Tail, TailState, quarantine_miscoded, to_bigint, trim_cr,
};
use super::position::ParserState;
use super::record_end::{EndOffset, RecordEnd, find_record_end};
use super::window::Window;
use crate::source::BatchBuilder;
use crate::source::json::ValueScan;
use crate::source::sqlstate::INVALID_TEXT_REPRESENTATION;

pub(super) struct Ndjson {
    max: usize,
    seen: usize,
}

impl Ndjson {
    pub(super) fn new(max: usize) -> Self {
        Ndjson { max, seen: 0 }
    }
}

impl Framer for Ndjson {
    fn next(
        &mut self,
        window: &mut Window,
        out: &mut BatchBuilder,
    ) -> Result<NextRecord, FrameError> {
        loop {
            let find = |bytes: &[u8]| memchr::memchr(b'\n', bytes).map(EndOffset::InChunk);
            match find_record_end(window, self.max, &mut self.seen, find)? {
                RecordEnd::Complete(len) => {
                    let line = trim_cr(&window.data()[..len]);
                    if let Some(behind) = line.strip_prefix(BOM) {
                        let mark = line.len() - behind.len();
                        window.advance(mark);
                        continue;
                    }
                    let is_blank = line.trim_ascii_start().is_empty();
                    if !is_blank {
                        if !quarantine_miscoded(window, line.len(), to_bigint(window.line), out) {
                            out.push(to_bigint(window.line), line);
                        }
                        window.records += 1;
                    }
                    window.advance(len + 1);
                    window.line += 1;
                    if !is_blank {
                        return Ok(NextRecord::Added);
                    }
                }
                RecordEnd::TooLong(long) => {
                    long.quarantine(out, to_bigint(window.line), self.max);
                    window.advance(1);
                    window.line += 1;
                    window.records += 1;
                    return Ok(NextRecord::Added);
                }
                RecordEnd::Truncated if window.data().trim_ascii().is_empty() => {
                    return Ok(NextRecord::EndOfInput);
                }
                RecordEnd::Truncated => {
                    let fitness = if ValueScan::is_whole(window.data().trim_ascii()) {
                        TailState::Complete
                    } else {
                        TailState::Truncated
                    };
                    let message = format!("the content ends inside line {}", window.line);
                    return Ok(NextRecord::Unterminated(Tail::new(
                        window,
                        fitness,
                        INVALID_TEXT_REPRESENTATION,
                        message,
                    )));
                }
                RecordEnd::TruncatedTooLong(long) => {
                    return Ok(NextRecord::Unterminated(long.into_tail(self.max)));
                }
            }
        }
    }

    fn load_tail(&mut self, window: &mut Window, out: &mut BatchBuilder) -> Result<(), FrameError> {
        self.seen = 0;
        let line = trim_cr(window.data());
        if !quarantine_miscoded(window, line.len(), to_bigint(window.line), out) {
            out.push(to_bigint(window.line), line);
        }
        window.records += 1;
        window.advance(window.data().len());
        Ok(())
    }

    fn parser(&self) -> ParserState {
        ParserState::default()
    }
}
