//! One run of a program for several pipelines, each of which reads a stream of it. One pipeline alone is a case of that.
//!
//! Each pipeline has its run as if it were alone, up to where it opens its source. There it waits for the others
//! (`group.rs`): only when all have arrived, or have ended before, is it known from which state the program must
//! start (`resume.rs`). Those that are held up have a run of the program after the others. A thread runs the program
//! (`runs.rs`) and sends each pipeline what is its own. One that fails leaves, and its records pass by; the next run
//! begins where it needs them.
//!
//! From the program to a pipeline: its output (`output.rs`), lines (`messages.rs`), what they mean in its protocol
//! (`message_parser.rs`), for which pipeline (`router.rs`), through a queue (`queue.rs`) to the source of that (`stream.rs`).

mod group;
mod resume;
mod runs;

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use serde_json::Value;

use self::group::PipelineGroup;
use self::runs::Runs;
use super::cursor::ProgramCursor;
use super::settings::ProgramSettings;
use super::stream::ProgramStream;
use crate::error::{Error, Result};
use crate::source::children::{Children, EndWithRun};
use crate::source::{Remarks, Source, SourceContext, Start};

/// One of the pipelines that share a program.
pub(crate) struct ProgramMember {
    index: usize,
    pipeline: String,
    group: Arc<PipelineGroup>,
}

/// What they share, which ends with it.
pub(crate) struct SharedProgram {
    remarks: Remarks,
    _program: EndWithRun,
}

/// A pipeline whose source is to be opened.
struct OpenRequest {
    index: usize,
    pipeline: String,
    settings: ProgramSettings,
    max_record_bytes: usize,
    mark: ProgramCursor,
    context: SourceContext,
    answer: SyncSender<Result<ProgramStream>>,
}

/// Members for these pipelines.
pub(crate) fn share(pipelines: &[&str]) -> Result<(Vec<ProgramMember>, SharedProgram)> {
    let (children, remarks) = (Children::default(), Remarks::default());
    let program =
        SharedProgram { remarks: remarks.clone(), _program: EndWithRun(children.clone()) };
    Ok((meet(pipelines, children, remarks)?, program))
}

/// Opens the source of a pipeline that has the program for itself.
pub(super) fn open(
    settings: &Value,
    start: &Start,
    context: &SourceContext,
) -> Result<Box<dyn Source>> {
    let members = meet(&[""], context.children.clone(), context.remarks.clone())?;
    members[0].open(settings, start, context)
}

fn meet(pipelines: &[&str], children: Children, remarks: Remarks) -> Result<Vec<ProgramMember>> {
    let group = Arc::new(PipelineGroup::of(pipelines.len(), children, remarks));
    let runs = Runs::of(Arc::clone(&group));
    let served = EndOnDrop(Arc::clone(&group));
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
    let members = members.map(|(index, pipeline)| ProgramMember {
        index,
        pipeline: (*pipeline).to_owned(),
        group: Arc::clone(&group),
    });
    Ok(members.collect())
}

/// Whichever pipeline arrives when the thread is gone, whatever ended it, is not to wait.
struct EndOnDrop(Arc<PipelineGroup>);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl ProgramMember {
    /// Opens the source of its pipeline, when it is its turn.
    pub(crate) fn open(
        &self,
        settings: &Value,
        start: &Start,
        context: &SourceContext,
    ) -> Result<Box<dyn Source>> {
        let (settings, records) = ProgramSettings::parse(settings)?;
        let (answer, opened) = sync_channel(1);
        self.group.arrive(OpenRequest {
            index: self.index,
            pipeline: self.pipeline.clone(),
            mark: ProgramCursor::of(start.cursor.as_ref(), &settings.stream),
            settings,
            max_record_bytes: records.max_record_bytes,
            context: context.clone(),
            answer,
        });
        let stream = opened.recv().map_err(|_| {
            Error::failed("the program was given up before it was started")
                .next("this is a fault of sluice: please report what it printed above")
        })??;
        Ok(Box::new(stream))
    }

    /// Its run is over.
    pub(crate) fn leave(&self) {
        self.group.leave(self.index);
    }
}

impl SharedProgram {
    /// What it had to say.
    pub(crate) fn remarks(&self) -> Vec<String> {
        self.remarks.lines()
    }
}

impl OpenRequest {
    fn answer(&self, answer: Result<ProgramStream>) {
        // Its run may be over.
        let _ = self.answer.send(answer);
    }
}

fn refuse(arrivals: impl IntoIterator<Item = OpenRequest>, error: Error) {
    let mut arrivals = arrivals.into_iter().peekable();
    let mut error = Some(error);
    while let Some(arrival) = arrivals.next() {
        let told = match arrivals.peek() {
            Some(_) => error.as_ref().map(Error::again),
            // With its causes.
            None => error.take(),
        };
        if let Some(error) = told {
            arrival.answer(Err(error));
        }
    }
}
