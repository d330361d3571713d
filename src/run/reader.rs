//! The thread that reads the source ahead of the workers.

use super::job::Job;
use super::known::KnownInDatabase;
use crate::batch::Run;
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::source::{self, Batch, Driver, EndWithRun, Remarks, SourceContext, Start, Waiting};
use std::sync::Arc;
use tokio::sync::{Mutex, mpsc, oneshot};

/// A batch, or the error the source ended with, and its place in the run, from 0.
pub(super) struct Numbered {
    pub(super) index: u64,
    pub(super) batch: Result<Batch>,
}

pub(super) struct BatchReader {
    batches: Mutex<mpsc::Receiver<Numbered>>,
    ending: oneshot::Receiver<Ending>,
    remarks: Remarks,
    _programs: EndWithRun,
}

/// How reading ended.
#[derive(Debug)]
pub(super) struct Ending {
    /// The source has nothing more, for this run at least.
    pub(super) reached_end: bool,
    /// The pipeline's own source has nothing left to read.
    pub(super) is_complete: bool,
    /// What it offers and could not be read to its end.
    pub(super) waiting: Vec<Waiting>,
}

/// Starts opening and reading the source. One batch waits while another is being filled: with those the
/// workers hold, that is all a run ever has in memory. Nothing here waits for the source: a pipe may be
/// silent for as long as it likes, and signals are still heard.
pub(super) fn start(job: &Job<'_>, run: &Run, rows: Vec<String>) -> Result<BatchReader> {
    let options = job.options;
    let settings =
        source::redirected(&run.source, options.path.as_deref(), options.format.as_deref());
    let start = Start {
        cursor: run.cursor.clone(),
        known: Arc::new(KnownInDatabase::new(job.connector, job.pipeline, &job.budget)),
        rows,
    };
    // A path on the command line comes from whoever runs this host.
    let host = match options.path {
        Some(_) if settings["kind"] != "http" && settings["kind"] != "program" => HostRules::open(),
        _ => options.host.clone(),
    };
    let context = SourceContext::of_run(Arc::clone(&job.budget), host);
    let remarks = context.remarks.clone();
    let programs = EndWithRun(context.children.clone());
    let open_source = Arc::clone(&options.open_source);
    let (cursor, limits) = (run.cursor.clone(), options.limits(run));
    let columns = run.input_columns.clone();
    let is_elsewhere = options.path.is_some() || options.repair;
    let batch_time = options.batch_time;
    let max_batches = options.max_batches.unwrap_or(u64::MAX);
    let progress = job.progress.clone();
    let (sender, batches) = mpsc::channel(1);
    let (say_ending, ending) = oneshot::channel();
    let work = move || {
        let source = match open_source(&settings, start, &context) {
            Ok(source) => source,
            Err(error) => {
                let batch = Err(error);
                // Closed: the run is over.
                let _ = sender.blocking_send(Numbered { index: 0, batch });
                return;
            }
        };
        let mut driver = Driver::new(source, &context, cursor, limits)
            .with_columns(columns)
            .gathering(batch_time)
            .elsewhere(is_elsewhere);
        progress.start(driver.total_bytes());
        let is_enough = read(&mut driver, &sender, max_batches);
        if is_enough && !driver.is_over() {
            driver.leave_the_rest();
        }
        // If the run failed, nobody listens any more.
        let _ = say_ending.send(Ending {
            reached_end: driver.is_over(),
            is_complete: driver.is_complete(),
            waiting: driver.waiting(),
        });
    };
    std::thread::Builder::new()
        .name("reader".to_owned())
        .spawn(work)
        .map_err(|error| Error::failed("the reader thread cannot be started").caused_by(error))?;
    Ok(BatchReader { batches: Mutex::new(batches), ending, remarks, _programs: programs })
}

/// Reads until there is nothing more (false) or no more batches are wanted (true).
fn read(driver: &mut Driver, sender: &mpsc::Sender<Numbered>, max_batches: u64) -> bool {
    for index in 0..max_batches {
        let Some(batch) = driver.next_batch().transpose() else {
            return false;
        };
        let is_last = batch.is_err();
        // Closed: the run is over.
        if sender.blocking_send(Numbered { index, batch }).is_err() || is_last {
            return false;
        }
    }
    true
}

impl BatchReader {
    /// The next batch, whichever worker asks first.
    pub(super) async fn next(&self) -> Option<Numbered> {
        self.batches.lock().await.recv().await
    }

    /// What the source has to say so far.
    pub(super) fn remarks(&self) -> Remarks {
        self.remarks.clone()
    }

    /// How reading ended; to be asked when there is no batch any more.
    pub(super) async fn ending(self) -> Result<Ending> {
        self.ending.await.map_err(|cause| {
            Error::failed("reading broke down before the end of the source")
                .caused_by(cause)
                .next("this is a fault of sluice: please report what it printed above")
        })
    }
}
