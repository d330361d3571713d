//! The thread that reads the source ahead of the workers.

use super::job::Job;
use crate::batch::Run;
use crate::error::{Error, Result};
use crate::source::{self, Batch, ObjectState, Snapshot, Source, Start};
use tokio::sync::{Mutex, mpsc, oneshot};

/// A batch, or the error the source ended with, and its place in the run, from 0.
pub(super) struct Numbered {
    pub(super) index: u64,
    pub(super) batch: Result<Batch>,
}

pub(super) struct Reader {
    batches: Mutex<mpsc::Receiver<Numbered>>,
    ending: oneshot::Receiver<Ending>,
}

/// How reading ended.
#[derive(Debug, Default)]
pub(super) struct Ending {
    /// What the source has to say.
    pub(super) remarks: Vec<String>,
    /// The source has nothing more, for this run at least.
    pub(super) reached_end: bool,
    /// The pipeline's own source has nothing left to read.
    pub(super) is_complete: bool,
}

/// Opens the source and starts to read. One batch waits while another is being filled: with
/// those the workers hold, that is all a run ever has in memory.
pub(super) fn start(job: &Job<'_>, run: &Run, known: Vec<ObjectState>) -> Result<Reader> {
    let options = job.options;
    let settings = source::redirected(
        &run.source,
        options.path.as_deref(),
        options.format.as_deref(),
    );
    let start = Start {
        cursor: run.cursor.clone(),
        objects: known,
        retries: options.retries,
    };
    let mut source = (options.open_source)(&settings, start, options.limits(run))?;
    job.progress.start(source.total_bytes());

    let (sender, batches) = mpsc::channel(1);
    let (say_ending, ending) = oneshot::channel();
    let max_batches = options.max_batches.unwrap_or(u64::MAX);
    let is_elsewhere = options.path.is_some();
    std::thread::Builder::new()
        .name("reader".to_owned())
        .spawn(move || {
            let reached_end = read(source.as_mut(), &sender, max_batches, is_elsewhere);
            // Nobody listens any more when the run failed.
            let _ = say_ending.send(Ending {
                remarks: source.remarks(),
                reached_end,
                is_complete: reached_end && !is_elsewhere && source.is_complete(),
            });
        })
        .map_err(|error| Error::failed("the reader thread cannot be started").caused_by(error))?;
    Ok(Reader {
        batches: Mutex::new(batches),
        ending,
    })
}

/// Reads until there is nothing more: true; or no more is wanted.
fn read(
    source: &mut dyn Source,
    sender: &mpsc::Sender<Numbered>,
    max_batches: u64,
    is_elsewhere: bool,
) -> bool {
    for index in 0..max_batches {
        let Some(mut batch) = source.next_batch().transpose() else {
            return true;
        };
        if let Ok(batch) = &mut batch
            && is_elsewhere
        {
            batch.snapshot = Snapshot::Ignore;
        }
        let is_last = batch.is_err();
        // Closed: the run is over.
        if sender.blocking_send(Numbered { index, batch }).is_err() || is_last {
            return false;
        }
    }
    false
}

impl Reader {
    /// The next batch, whichever worker asks first.
    pub(super) async fn next(&self) -> Option<Numbered> {
        self.batches.lock().await.recv().await
    }

    /// How reading ended, when all that was read is committed. A reader stuck in a read
    /// (standard input) is not waited for.
    pub(super) async fn finish(self, is_committed: bool) -> Ending {
        drop(self.batches);
        if is_committed {
            tokio::select! {
                ending = self.ending => ending.unwrap_or_default(),
                () = tokio::time::sleep(std::time::Duration::from_millis(200)) => Ending::default(),
            }
        } else {
            Ending::default()
        }
    }
}
