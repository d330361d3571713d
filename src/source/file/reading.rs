//! One file being read: records go into batches until it ends, and then it is decided
//! whether that was its end.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use super::decode::Compression;
use super::frame::{Fitness, Framer, Step, Stop, Tail};
use super::identity::{Identity, Parser, Place, Position, State, TailStart, mtime_ns, read_head};
use super::settings::{Format, Partial, Settings};
use super::start::damaged;
use super::window::Window;
use crate::error::{Error, Result};
use crate::source::{BatchBuilder, ObjectState};

const POLL: Duration = Duration::from_millis(50);

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
    handle: Option<Handle>,
    known: Option<State>,
    pub(super) compression: Compression,
    format: Option<Format>,
    pub(super) window: Window,
    framer: Option<Box<dyn Framer>>,
    end: Option<End>,
    counted: u64,
    waited: Duration,
    has_grown: bool,
}

/// Whether there is more to come from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    BatchIsFull,
    FileHasEnded,
}

/// How a file ended.
#[derive(Default)]
struct End {
    is_done: bool,
    place: Option<Place>,
    tail: Option<TailStart>,
    is_unchanged: bool,
    remark: Option<String>,
}

enum Settled {
    Whole,
    Grew,
    StillGrowing,
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

    /// The content ends behind a record: the file is done, unless its compressed stream
    /// lacks its own end.
    fn at_clean_end(&mut self, settings: &Settings, out: &mut BatchBuilder) {
        if !self.window.is_cut() {
            self.end = Some(End {
                is_done: true,
                ..End::default()
            });
            return;
        }
        let tail = Tail::new(
            &self.window,
            Fitness::Broken,
            "22P02",
            "the compressed stream ends before its end marker".to_owned(),
        );
        self.give_up_tail(settings, out, tail);
    }

    fn at_tail(
        &mut self,
        settings: &Settings,
        out: &mut BatchBuilder,
        tail: Tail,
    ) -> Result<(), Stop> {
        let fitness = match tail.fitness {
            _ if self.window.is_cut() => Fitness::Broken,
            Fitness::Doubtful => match self.settle(settings)? {
                Settled::Whole => Fitness::Whole,
                Settled::Grew => {
                    self.window.look_again();
                    return Ok(());
                }
                Settled::StillGrowing => {
                    self.wait_for_more(tail);
                    return Ok(());
                }
            },
            other => other,
        };
        if fitness == Fitness::Broken {
            self.give_up_tail(settings, out, tail);
            return Ok(());
        }
        let tail_start = self.tail_start(&tail);
        if let Some(framer) = &mut self.framer {
            framer.load_tail(&mut self.window, out)?;
        }
        self.end = Some(End {
            is_done: true,
            tail: Some(tail_start),
            ..End::default()
        });
        Ok(())
    }

    /// Leaves the tail for a later run, or sets it aside if no later run may bring the rest.
    fn give_up_tail(&mut self, settings: &Settings, out: &mut BatchBuilder, tail: Tail) {
        if settings.partial == Partial::Wait && self.handle.is_some() {
            self.wait_for_more(tail);
            return;
        }
        let tail_start = self.tail_start(&tail);
        let remark = format!(
            "{}; the rest is in quarantine",
            self.describe_end(&tail.start)
        );
        let goes_on = match &mut self.framer {
            Some(framer) => framer.break_tail(&mut self.window, out, &tail),
            None => {
                out.push_unreadable(1, Vec::new(), tail.sqlstate, tail.message);
                false
            }
        };
        if !goes_on {
            self.end = Some(End {
                is_done: true,
                tail: Some(tail_start),
                remark: Some(remark),
                ..End::default()
            });
        }
    }

    fn wait_for_more(&mut self, tail: Tail) {
        let remark = format!(
            "{}: loaded up to there, continues when the file has grown",
            self.describe_end(&tail.start)
        );
        self.end = Some(End {
            place: Some(tail.start),
            remark: Some(remark),
            ..End::default()
        });
    }

    fn describe_end(&self, at: &Place) -> String {
        let name = &self.name;
        let number = match self.format {
            Some(Format::Json) => format!("record {}", at.records + 1),
            _ => format!("line {}", at.line),
        };
        if self.window.is_cut() {
            format!(
                "{name} is cut short, its {} stream has no end, after byte {} of its content ({number})",
                self.compression.name(),
                at.bytes
            )
        } else {
            format!(
                "{name} ends inside a record at byte {} ({number})",
                at.bytes
            )
        }
    }

    fn tail_start(&self, tail: &Tail) -> TailStart {
        TailStart {
            start: tail.start.bytes,
            records: tail.start.records,
            line: tail.start.line,
            parser: self.parser(),
        }
    }

    fn parser(&self) -> Parser {
        self.framer
            .as_ref()
            .map(|framer| framer.parser())
            .unwrap_or_default()
    }

    /// A last row without a line end may be cut inside its last field. Waits for the file to
    /// be left alone for long enough, `settle_seconds` in all.
    fn settle(&mut self, settings: &Settings) -> io::Result<Settled> {
        let Some(handle) = &self.handle else {
            return Ok(Settled::Whole);
        };
        // The end marker of a compressed stream is proof enough.
        if self.compression != Compression::None {
            return Ok(Settled::Whole);
        }
        loop {
            let meta = handle.file.metadata()?;
            if meta.len() > self.window.raw_position() {
                self.has_grown = true;
                return Ok(Settled::Grew);
            }
            let age = SystemTime::now().duration_since(meta.modified()?);
            if age.is_ok_and(|age| age >= settings.settle()) {
                return Ok(Settled::Whole);
            }
            if self.waited >= settings.settle() {
                return Ok(match self.has_grown {
                    true => Settled::StillGrowing,
                    false => Settled::Whole,
                });
            }
            thread::sleep(POLL);
            self.waited += POLL;
        }
    }

    /// How the file stood in the way of a sound reading: replaced, cut or rewritten meanwhile.
    pub(super) fn disturbance(&self) -> Result<Option<String>> {
        let Some(handle) = &self.handle else {
            return Ok(None);
        };
        let failed = |cause| super::discover::unreadable(&self.name, cause);
        let now = handle.file.metadata().map_err(failed)?;
        if now.len() < self.window.raw_position() {
            return Ok(Some(format!(
                "it shrank to {} bytes while it was read",
                now.len()
            )));
        }
        if now.len() != handle.meta.len() || mtime_ns(&now) != mtime_ns(&handle.meta) {
            let head = read_head(&handle.file, now.len()).map_err(failed)?;
            if !handle.identity.has_head(&head) {
                return Ok(Some(
                    "its beginning was written anew while it was read".to_owned(),
                ));
            }
        }
        match fs::metadata(&self.name) {
            Ok(there) if (there.dev(), there.ino()) != (now.dev(), now.ino()) => Ok(Some(
                "another file took its name while it was read".to_owned(),
            )),
            // Moved away after it was opened: the handle has led to its end all the same.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(None),
        }
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
        (self.window.offset(), self.window.records)
    }
}
