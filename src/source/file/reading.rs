//! One file being read: records go into batches until it ends, and then it is decided
//! whether that was its end.

use std::fs::{File, Metadata};
use std::sync::Arc;
use std::time::Duration;

use super::decode::Compression;
use super::frame::{Framer, Step, Stop};
use super::identity::{Identity, Parser, Place, Position, State, TailStart};
use super::settings::{Format, Settings};
use super::start::damaged;
use super::window::Window;
use crate::error::{Error, Result};
use crate::source::{BatchBuilder, ObjectState};

/// The open file and what it was when it was opened. Its size and time are taken before
/// the first byte is read: whatever is written later makes the next run look again.
pub(super) struct Handle {
    pub(super) file: Arc<File>,
    pub(super) meta: Metadata,
    pub(super) identity: Identity,
}

/// A file, or standard input, being read.
pub(super) struct Reading {
    name: String,
    pub(super) handle: Option<Handle>,
    known: Option<State>,
    pub(super) compression: Compression,
    pub(super) format: Option<Format>,
    pub(super) window: Window,
    pub(super) framer: Option<Box<dyn Framer>>,
    pub(super) end: Option<End>,
    counted: u64,
    pub(super) waited: Duration,
    pub(super) has_grown: bool,
}

/// Whether there is more to come from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    BatchIsFull,
    FileHasEnded,
}

/// How a file ended.
#[derive(Default)]
pub(super) struct End {
    pub(super) is_done: bool,
    pub(super) place: Option<Place>,
    pub(super) tail: Option<TailStart>,
    pub(super) is_unchanged: bool,
    pub(super) remark: Option<String>,
}

impl Reading {
    pub(super) fn new(
        name: &str,
        handle: Option<Handle>,
        known: Option<State>,
        compression: Compression,
        window: Window,
    ) -> Self {
        let counted = match compression {
            Compression::None => window.offset(),
            _ => 0,
        };
        Reading {
            name: name.to_owned(),
            handle,
            known,
            compression,
            format: None,
            window,
            framer: None,
            end: None,
            counted,
            waited: Duration::ZERO,
            has_grown: false,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn set_framer(&mut self, format: Format, framer: Box<dyn Framer>) {
        self.format = Some(format);
        self.framer = Some(framer);
    }

    /// The file was read to its end before, and still ends there.
    pub(super) fn nothing_new(&mut self) {
        self.end = Some(End {
            is_done: true,
            is_unchanged: true,
            ..End::default()
        });
    }

    /// Adds records to `out` until it is full or the file ends.
    pub(super) fn read_into(
        &mut self,
        settings: &Settings,
        out: &mut BatchBuilder,
    ) -> Result<Progress> {
        let progress = self.advance(settings, out).map_err(|stop| match stop {
            Stop::Io(cause) => damaged(&self.name, self.compression, &self.window, cause),
            Stop::Senseless(what, next) => {
                Error::failed(format!("file `{}`: {what}", self.name)).next(next)
            }
        });
        let read = self.window.raw_position();
        out.consume(read.saturating_sub(self.counted));
        self.counted = self.counted.max(read);
        progress
    }

    fn advance(&mut self, settings: &Settings, out: &mut BatchBuilder) -> Result<Progress, Stop> {
        while self.end.is_none() {
            let Some(framer) = &mut self.framer else {
                self.at_clean_end(settings, out);
                continue;
            };
            // Ask for the end even with a full batch, to spare a batch that only says so.
            let is_spent = self.window.data().is_empty() && !self.window.fill()?;
            let ends_here = is_spent && !self.window.is_cut() && framer.is_between_records();
            if out.is_full() && !ends_here {
                return Ok(Progress::BatchIsFull);
            }
            match framer.next(&mut self.window, out)? {
                Step::Record => {}
                Step::End => self.at_clean_end(settings, out),
                Step::Tail(tail) => self.at_tail(settings, out, tail)?,
            }
        }
        Ok(Progress::FileHasEnded)
    }

    pub(super) fn parser(&self) -> Parser {
        self.framer
            .as_ref()
            .map(|framer| framer.parser())
            .unwrap_or_default()
    }

    /// What to remember of the file as far as it was read; none if that is known already.
    pub(super) fn changed_state(&self) -> Result<Option<ObjectState>> {
        let Some(handle) = &self.handle else {
            return Ok(None);
        };
        let end = self.end.as_ref();
        let position = match &self.known {
            Some(known) if end.is_some_and(|end| end.is_unchanged) => known.position.clone(),
            _ => Position {
                place: end
                    .and_then(|end| end.place.clone())
                    .unwrap_or_else(|| self.window.place()),
                parser: self.parser(),
                format: self.format,
                compression: self.compression,
                tail: end.and_then(|end| end.tail.clone()),
            },
        };
        let state = State {
            identity: handle.identity.clone(),
            position,
            is_done: end.is_some_and(|end| end.is_done),
        };
        if self.known.as_ref() == Some(&state) {
            return Ok(None);
        }
        state.to_object(&self.name).map(Some)
    }

    /// What the user should know of how the file ended.
    pub(super) fn remark(&self) -> Option<String> {
        self.end.as_ref().and_then(|end| end.remark.clone())
    }

    /// How much of the content has been made into records, and into how many.
    pub(super) fn progress(&self) -> (u64, u64) {
        match self.end.as_ref().and_then(|end| end.place.as_ref()) {
            Some(place) => (place.bytes, place.records),
            None => (self.window.offset(), self.window.records),
        }
    }
}
