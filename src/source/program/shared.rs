//! One run of a program for several pipelines, each of which reads a stream of it. One pipeline is a case of that.
//!
//! Each pipeline has its run as if it were alone, up to where it opens its source. There it waits for the
//! others (`meeting.rs`): only when all have come, or have ended before, can be said from where the program
//! has to begin (`resume.rs`). Those that do not come soon have a run of it behind the others. A thread runs
//! the program and sends each of them what is its own (`runs.rs`). One that fails leaves, and its records
//! pass by; the next run begins where it needs them.

mod meeting;
mod resume;
mod runs;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use serde_json::Value;

use self::meeting::Meeting;
use self::runs::Runs;
use super::dialogue::Dialogue;
use super::mark::Mark;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::source::children::{Children, EndWithRun};
use crate::source::{Means, Remarks, Source, Start};

/// One of the pipelines that share a program.
pub(crate) struct Member {
    index: usize,
    pipeline: String,
    meeting: Arc<Meeting>,
}

/// What they share, which ends with it.
pub(crate) struct SharedProgram {
    remarks: Remarks,
    _program: EndWithRun,
}

/// A pipeline whose source is to be opened.
struct Guest {
    index: usize,
    pipeline: String,
    settings: Settings,
    max_record_bytes: usize,
    mark: Mark,
    means: Means,
    answer: SyncSender<Result<Dialogue>>,
}

/// Members for these pipelines.
pub(crate) fn share(pipelines: &[&str]) -> Result<(Vec<Member>, SharedProgram)> {
    let (children, remarks) = (Children::default(), Remarks::default());
    let program = SharedProgram {
        remarks: remarks.clone(),
        _program: EndWithRun(children.clone()),
    };
    Ok((meet(pipelines, children, remarks)?, program))
}

/// Opens the source of a pipeline that has the program for itself.
pub(super) fn open(settings: &Value, start: &Start, means: &Means) -> Result<Box<dyn Source>> {
    let members = meet(&[""], means.children.clone(), means.remarks.clone())?;
    members[0].open(settings, start, means)
}

fn meet(pipelines: &[&str], children: Children, remarks: Remarks) -> Result<Vec<Member>> {
    let meeting = Arc::new(Meeting::of(pipelines.len(), children, remarks));
    let runs = Runs::of(Arc::clone(&meeting));
    let served = Served(Arc::clone(&meeting));
    thread::Builder::new()
        .name("program".to_owned())
        .spawn(move || {
            let _served = served;
            runs.serve_all();
        })
        .map_err(|cause| {
            Error::failed("the thread that runs the program cannot be started").caused_by(cause)
        })?;
    let members = pipelines.iter().enumerate();
    let members = members.map(|(index, pipeline)| Member {
        index,
        pipeline: (*pipeline).to_owned(),
        meeting: Arc::clone(&meeting),
    });
    Ok(members.collect())
}

/// Whoever comes when the thread is gone, whatever ended it, is not to wait.
struct Served(Arc<Meeting>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Member {
    /// Opens the source of its pipeline, when it is its turn.
    pub(crate) fn open(
        &self,
        settings: &Value,
        start: &Start,
        means: &Means,
    ) -> Result<Box<dyn Source>> {
        let (settings, records) = Settings::parse(settings)?;
        let (answer, opened) = sync_channel(1);
        self.meeting.come(Guest {
            index: self.index,
            pipeline: self.pipeline.clone(),
            mark: Mark::of(start.cursor.as_ref(), &settings.stream),
            settings,
            max_record_bytes: records.max_record_bytes,
            means: means.clone(),
            answer,
        });
        let dialogue = opened.recv().map_err(|_| {
            Error::failed("the program was given up before it was started")
                .next("this is a fault of sluice: please report what it printed above")
        })??;
        Ok(Box::new(dialogue))
    }

    /// Its run is over.
    pub(crate) fn leave(&self) {
        self.meeting.leave(self.index);
    }
}

impl SharedProgram {
    /// What it had to say.
    pub(crate) fn remarks(&self) -> Vec<String> {
        self.remarks.lines()
    }
}

impl Guest {
    fn answer(&self, answer: Result<Dialogue>) {
        // Its run may be over.
        let _ = self.answer.send(answer);
    }
}

fn refuse(guests: impl IntoIterator<Item = Guest>, error: Error) {
    let mut guests = guests.into_iter().peekable();
    let mut error = Some(error);
    while let Some(guest) = guests.next() {
        let told = match guests.peek() {
            Some(_) => error.as_ref().map(Error::again),
            // With its causes.
            None => error.take(),
        };
        if let Some(error) = told {
            guest.answer(Err(error));
        }
    }
}
