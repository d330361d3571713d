//! Decides what to do at the end of an input: it may be complete, still growing, or truncated.

use super::choice::{Compression, Format};
use super::content::Content;
use super::framer::{FrameError, Tail, TailState, to_bigint};
use super::position::{ContentOffset, TailStart};
use super::reader::{InputEnd, RecordReader, Settled};
use crate::source::BatchBuilder;
use crate::source::sqlstate::INVALID_TEXT_REPRESENTATION;

impl RecordReader {
    /// The content ends after a record: the input is done, unless its compressed stream is truncated.
    pub(super) fn at_clean_end(&mut self, out: &mut BatchBuilder) {
        if !self.window.is_truncated() && !self.window.ends_inside_character() {
            self.end = Some(InputEnd {
                is_done: true,
                tail: self.open_tail.take(),
                ..InputEnd::default()
            });
            return;
        }
        let tail = Tail::new(
            &self.window,
            TailState::Truncated,
            INVALID_TEXT_REPRESENTATION,
            match self.window.is_truncated() {
                true => "the compressed stream ends before its end marker".to_owned(),
                false => "the content ends inside a character".to_owned(),
            },
        );
        self.give_up_tail(out, tail);
    }

    pub(super) fn at_tail(&mut self, out: &mut BatchBuilder, tail: Tail) -> Result<(), FrameError> {
        let fitness = match tail.state {
            _ if self.window.is_truncated() || self.window.ends_inside_character() => {
                TailState::Truncated
            }
            TailState::ProbablyComplete | TailState::UnclosedQuote => match self.settle()? {
                Settled::Complete if tail.state == TailState::UnclosedQuote => {
                    self.quarantine_tail(out, tail);
                    return Ok(());
                }
                Settled::Complete => TailState::Complete,
                Settled::Grew => {
                    self.window.reopen();
                    return Ok(());
                }
                Settled::StillGrowing => {
                    self.wait_for_more(tail);
                    return Ok(());
                }
            },
            other => other,
        };
        if fitness == TailState::Truncated {
            self.give_up_tail(out, tail);
            return Ok(());
        }
        let tail_start = self.tail_start(&tail);
        if let Some(framer) = &mut self.framer {
            framer.load_tail(&mut self.window, out)?;
            self.hints.look_at(&self.window, self.format, out);
        }
        self.end = Some(InputEnd {
            is_done: true,
            tail: self.open_tail.take().or(Some(tail_start)),
            ..InputEnd::default()
        });
        Ok(())
    }

    /// Leaves the tail to a later run, or quarantines it if the rest cannot come.
    fn give_up_tail(&mut self, out: &mut BatchBuilder, tail: Tail) {
        if self.input.may_go_on() {
            self.wait_for_more(tail);
            return;
        }
        self.quarantine_tail(out, tail);
    }

    fn quarantine_tail(&mut self, out: &mut BatchBuilder, tail: Tail) {
        if tail.behind.is_some() {
            return self.go_back(out, tail);
        }
        self.window.close();
        let tail_start = self.tail_start(&tail);
        let remark = format!("{}; the rest is in quarantine", self.describe_end(&tail.start));
        let goes_on = match &mut self.framer {
            Some(framer) => framer.quarantine_tail(&mut self.window, out, &tail),
            None => {
                out.push_unreadable(1, Vec::new(), tail.sqlstate, tail.message);
                false
            }
        };
        if goes_on {
            // The first one counts: if the content grows, everything from there on is read again.
            self.open_tail.get_or_insert(tail_start);
        } else {
            self.end = Some(InputEnd {
                is_done: true,
                tail: self.open_tail.take().or(Some(tail_start)),
                remark: Some(remark),
                ..InputEnd::default()
            });
        }
    }

    /// Quarantines a record of which more was read than belongs to it.
    pub(super) fn go_back(&mut self, out: &mut BatchBuilder, row: Tail) {
        let payload = row.kept.unwrap_or_default();
        out.push_unreadable(to_bigint(row.start.line), payload, row.sqlstate, row.message);
        self.end = Some(InputEnd { place: row.behind, is_behind: true, ..InputEnd::default() });
    }

    fn wait_for_more(&mut self, tail: Tail) {
        let remark = format!(
            "{}: loaded up to there, continues when the {} has grown",
            self.describe_end(&tail.start),
            self.noun()
        );
        self.end = Some(InputEnd {
            place: Some(tail.start),
            tail: self.open_tail.take(),
            remark: Some(remark),
            ..InputEnd::default()
        });
    }

    fn describe_end(&self, at: &ContentOffset) -> String {
        let name = self.name();
        let number = match self.format {
            Some(Format::Json) => format!("record {}", at.records + 1),
            _ => format!("line {}", at.line),
        };
        if self.window.is_truncated() {
            format!(
                "{name} is cut short, its {} stream has no end, after byte {} of its content ({number})",
                self.compression.name(),
                at.bytes
            )
        } else {
            format!("{name} ends inside a record at byte {} ({number})", at.bytes)
        }
    }

    fn tail_start(&self, tail: &Tail) -> TailStart {
        TailStart {
            start: tail.start.bytes,
            records: tail.start.records,
            line: tail.start.line,
            is_open: tail.state == TailState::UnclosedQuote,
            parser: self.parser(),
        }
    }

    /// Waits until the input can be taken for finished: a last row without a line end may be incomplete.
    fn settle(&mut self) -> std::io::Result<Settled> {
        // The end marker of a compressed stream is proof.
        match self.compression {
            Compression::None => self.input.settle(self.window.raw_position()),
            _ => Ok(Settled::Complete),
        }
    }
}
