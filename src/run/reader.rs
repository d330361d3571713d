//! The thread that reads the source ahead of the workers.

use super::job::Job;
use crate::batch::Run;
use crate::error::{Error, Result};
use crate::source::{self, Batch, ObjectState, Source, Start};
use tokio::sync::{Mutex, mpsc, oneshot};

/// A batch, or the error the source ended with, and its place in the run, from 0.
pub(super) struct Numbered {
    pub(super) index: u64,
    pub(super) batch: Result<Batch>,
}

pub(super) struct Reader {
    batches: Mutex<mpsc::Receiver<Numbered>>,
    remarks: oneshot::Receiver<Vec<String>>,
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
    let (say_remarks, remarks) = oneshot::channel();
    let max_batches = options.max_batches.unwrap_or(u64::MAX);
    std::thread::Builder::new()
        .name("reader".to_owned())
        .spawn(move || {
            read(source.as_mut(), &sender, max_batches);
            // Nobody listens any more when the run failed.
            let _ = say_remarks.send(source.remarks());
        })
        .map_err(|error| Error::failed("the reader thread cannot be started").caused_by(error))?;
    Ok(Reader {
        batches: Mutex::new(batches),
        remarks,
    })
}

fn read(source: &mut dyn Source, sender: &mpsc::Sender<Numbered>, max_batches: u64) {
    for index in 0..max_batches {
        let Some(batch) = source.next_batch().transpose() else {
            return;
        };
        let is_last = batch.is_err();
        // Closed: the run is over.
        if sender.blocking_send(Numbered { index, batch }).is_err() || is_last {
            return;
        }
    }
}

impl Reader {
    /// The next batch, whichever worker asks first.
    pub(super) async fn next(&self) -> Option<Numbered> {
        self.batches.lock().await.recv().await
    }

    /// What the source has to say at the end. A reader stuck in a read (standard input) is
    /// not waited for.
    pub(super) async fn finish(self, is_complete: bool) -> Vec<String> {
        drop(self.batches);
        if is_complete {
            tokio::select! {
                remarks = self.remarks => remarks.unwrap_or_default(),
                () = tokio::time::sleep(std::time::Duration::from_millis(200)) => Vec::new(),
            }
        } else {
            Vec::new()
        }
    }
}
