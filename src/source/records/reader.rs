//! Reads one input into batches up to its end.

use std::io;

use encoding_rs::{Encoding, UTF_8};

use super::choice::{Compression, Format};
use super::content::{Content, HandedOut, ReadOutcome};
use super::damage::{damaged, is_decode_error};
use super::framer::{FrameError, Framer, NextRecord};
use super::hints::Hints;
use super::position::{ContentOffset, ParserState, Position, TailStart};
use super::window::{Window, is_idle};
use crate::error::{Error, Result};
use crate::source::BatchBuilder;

/// What only the source knows about its input.
pub(crate) trait Input: Send {
    /// Its noun in messages: file, object.
    fn noun(&self) -> &'static str;

    /// Whether a later run may find the rest of a record that is incomplete at the end.
    fn may_go_on(&self) -> bool;

    /// Waits until the input, of which `read` raw bytes were read, can be taken for finished.
    fn settle(&mut self, read: u64) -> io::Result<Settled>;
}

/// An input that is complete when its bytes end: an object, standard input, a program that exits with 0.
pub(crate) struct CompleteInput(pub(crate) &'static str);

impl Input for CompleteInput {
    fn noun(&self) -> &'static str {
        self.0
    }

    fn may_go_on(&self) -> bool {
        false
    }

    fn settle(&mut self, _: u64) -> io::Result<Settled> {
        Ok(Settled::Complete)
    }
}

/// Whether an input is complete after it was waited for.
pub(crate) enum Settled {
    Complete,
    Grew,
    StillGrowing,
}

/// Reads the records of one input.
pub(crate) struct RecordReader {
    name: String,
    pub(super) input: Box<dyn Input>,
    pub(crate) compression: Compression,
    /// Whether its source opens it again if it has to be read from an earlier place.
    pub(crate) can_reopen: bool,
    pub(super) format: Option<Format>,
    pub(crate) window: Window,
    pub(super) framer: Option<Box<dyn Framer>>,
    pub(super) end: Option<InputEnd>,
    counted: u64,
    taken: HandedOut,
    is_damaged: bool,
    /// Start of a row whose quoted field is not closed at the end.
    pub(super) open_tail: Option<TailStart>,
    /// The encoding of the byte order mark, which a resumed read does not see.
    pub(super) encoding_of_mark: Option<&'static Encoding>,
    pub(super) hints: Hints,
}

/// How an input ended.
#[derive(Default)]
pub(super) struct InputEnd {
    pub(super) is_done: bool,
    pub(super) place: Option<ContentOffset>,
    pub(super) tail: Option<TailStart>,
    pub(super) remark: Option<String>,
    /// The place lies before what was read: the rest has to be read again.
    pub(super) is_behind: bool,
}

impl RecordReader {
    pub(crate) fn new(
        name: &str,
        input: impl Input + 'static,
        compression: Compression,
        window: Window,
    ) -> Self {
        let counted = match compression {
            Compression::None => window.offset(),
            _ => 0,
        };
        RecordReader {
            name: name.to_owned(),
            input: Box::new(input),
            compression,
            can_reopen: false,
            format: None,
            window,
            framer: None,
            end: None,
            counted,
            taken: HandedOut::default(),
            is_damaged: false,
            open_tail: None,
            encoding_of_mark: None,
            hints: Hints::default(),
        }
    }

    pub(super) fn noun(&self) -> &'static str {
        self.input.noun()
    }

    pub(super) fn set_framer(&mut self, format: Format, framer: Box<dyn Framer>) {
        self.format = Some(format);
        self.framer = Some(framer);
    }

    /// The input was read to its end before, and has not grown.
    pub(crate) fn mark_done(&mut self) {
        self.end = Some(InputEnd { is_done: true, ..InputEnd::default() });
    }

    /// [`Content::read_into`] for an input that may be idle: `None`.
    pub(crate) fn try_read_into(&mut self, out: &mut BatchBuilder) -> Result<Option<ReadOutcome>> {
        match self.advance(out) {
            Err(FrameError::Io(cause)) if is_idle(&cause) => Ok(None),
            progress => self.finish_read(progress, out).map(Some),
        }
    }

    /// Counts the bytes that were read, and describes an error.
    fn finish_read(
        &mut self,
        progress: Result<ReadOutcome, FrameError>,
        out: &mut BatchBuilder,
    ) -> Result<ReadOutcome> {
        let read = self.window.raw_position();
        out.consume(read.saturating_sub(self.counted));
        self.counted = self.counted.max(read);
        progress.map_err(|stop| match stop {
            FrameError::Io(cause) => {
                self.is_damaged = self.compression != Compression::None && is_decode_error(&cause);
                self.damaged(cause)
            }
            FrameError::Malformed(what, next) => {
                Error::failed(format!("{} `{}`: {what}", self.noun(), self.name)).next(next)
            }
        })
    }

    fn advance(&mut self, out: &mut BatchBuilder) -> Result<ReadOutcome, FrameError> {
        while self.end.is_none() {
            let Some(framer) = &mut self.framer else {
                self.at_clean_end(out);
                continue;
            };
            // Look for the end even with a full batch, to avoid an empty batch that only reports it.
            let is_spent = self.window.data().is_empty() && !self.window.fill()?;
            let is_at_rest = !self.window.is_truncated() && !self.window.ends_inside_character();
            let ends_here = is_spent && is_at_rest && framer.is_between_records();
            if out.is_full() && !ends_here {
                return Ok(ReadOutcome::BatchFull);
            }
            match framer.next(&mut self.window, out)? {
                NextRecord::Added => self.hints.look_at(&self.window, self.format, out),
                NextRecord::EndOfInput => self.at_clean_end(out),
                NextRecord::Unterminated(tail) => self.at_tail(out, tail)?,
                NextRecord::Overread(row) => self.go_back(out, row),
            }
        }
        Ok(ReadOutcome::EndOfInput)
    }

    pub(super) fn parser(&self) -> ParserState {
        let mut parser = self.framer.as_ref().map(|framer| framer.parser());
        let parser = parser.get_or_insert_default();
        let found = self.encoding_of_mark.filter(|found| *found != UTF_8);
        parser.encoding = found.map(|found| found.name().to_owned());
        parser.clone()
    }

    /// Counts on from what earlier runs took.
    pub(crate) fn resume(&mut self, position: &Position) {
        self.taken = HandedOut::of(position);
    }

    /// Whether its compressed stream is truncated.
    pub(crate) fn is_truncated(&self) -> bool {
        self.window.is_truncated()
    }

    /// An error about content that cannot be read.
    pub(crate) fn damaged(&self, cause: io::Error) -> Error {
        damaged(self.noun(), &self.name, self.compression, &self.window, cause)
    }
}

impl Content for RecordReader {
    fn name(&self) -> &str {
        &self.name
    }

    fn read_into(&mut self, out: &mut BatchBuilder) -> Result<ReadOutcome> {
        let progress = self.advance(out);
        self.finish_read(progress, out)
    }

    fn position(&self) -> Position {
        let end = self.end.as_ref();
        Position {
            place: end.and_then(|end| end.place.clone()).unwrap_or_else(|| self.window.place()),
            parser: self.parser(),
            format: self.format,
            compression: self.compression,
            tail: end.and_then(|end| end.tail.clone()),
            batches: self.taken.batches,
        }
    }

    fn progress(&self) -> (u64, u64) {
        match self.end.as_ref().and_then(|end| end.place.as_ref()) {
            Some(place) => (place.bytes, place.records),
            None => (self.window.offset(), self.window.records),
        }
    }

    fn is_done(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.is_done)
    }

    fn raw_position(&self) -> u64 {
        self.window.raw_position()
    }

    fn is_handed_out(&self) -> bool {
        self.taken.batches > 0
    }

    fn is_to_be_reopened(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.is_behind)
    }

    fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    fn count_batch(&mut self) {
        self.taken.count(self.progress().1);
    }

    fn explain_damage(&self, error: Error) -> Error {
        match self.is_damaged {
            true => self.taken.explain_damage(error, &self.name),
            false => error,
        }
    }

    fn note(&self) -> Option<String> {
        let of_framer = self.framer.as_ref().and_then(|framer| framer.note());
        let of_hints = self.hints.notes(self.input.noun(), self.format);
        let notes: Vec<String> = of_framer.into_iter().chain(of_hints).collect();
        (!notes.is_empty()).then(|| format!("{}: {}", self.name, notes.join("; ")))
    }

    fn remark(&self) -> Option<String> {
        self.end.as_ref().and_then(|end| end.remark.clone())
    }
}
