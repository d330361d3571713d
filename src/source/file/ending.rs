//! A file has come to an end: was this its end, and was it the same file all the while?

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::{Duration, SystemTime};

use super::decode::Compression;
use super::discover::unreadable;
use super::frame::{Fitness, Stop, Tail};
use super::identity::{Place, TailStart, mtime_ns, read_head};
use super::reading::{End, Reading};
use super::settings::{Format, Partial, Settings};
use crate::error::Result;
use crate::source::BatchBuilder;

const POLL: Duration = Duration::from_millis(50);

enum Settled {
    Whole,
    Grew,
    StillGrowing,
}

impl Reading {
    /// The content ends behind a record: the file is done, unless its compressed stream
    /// lacks its own end.
    pub(super) fn at_clean_end(&mut self, settings: &Settings, out: &mut BatchBuilder) {
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

    pub(super) fn at_tail(
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
        let name = self.name();
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
        let failed = |cause| unreadable(self.name(), cause);
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
        match fs::metadata(self.name()) {
            Ok(there) if (there.dev(), there.ino()) != (now.dev(), now.ino()) => Ok(Some(
                "another file took its name while it was read".to_owned(),
            )),
            // Moved away after it was opened: the handle has led to its end all the same.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(None),
        }
    }
}
