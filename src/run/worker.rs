//! Workers: stage batches side by side, load and commit them in order, retry what fails in passing.

use super::job::Job;
use super::reader::{BatchReader, Numbered};
use super::transaction::{commit_after, outcome};
use crate::batch::{self, Books, Opening, Payloads, Run};
use crate::error::Result;
use crate::source::Batch;
use deadpool_postgres::Object;
use futures_util::future::try_join_all;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;
use tracing::Instrument;

/// Runs the workers to the end of the source.
pub(super) async fn run_all(job: &Job<'_>, run: &Run, reader: &BatchReader) -> Result<()> {
    let (turn, _) = watch::channel(0);
    let workers = (0..job.options.workers).map(|_| {
        let worker = Worker { job, run, reader, turn: turn.clone(), kept: Mutex::default() };
        worker.run()
    });
    // The first failure drops the other workers, and with them their transactions.
    let all = job.stop.unless_forced(try_join_all(workers));
    all.await.map(drop)
}

struct Worker<'a> {
    job: &'a Job<'a>,
    run: &'a Run,
    reader: &'a BatchReader,
    /// Index of the batch that may load now.
    turn: watch::Sender<u64>,
    /// Its connection between two batches, made when it is first wanted.
    kept: Mutex<Option<Object>>,
}

impl Worker<'_> {
    async fn run(self) -> Result<()> {
        loop {
            let next = tokio::select! {
                biased;
                () = self.job.stop.requested() => return Ok(()),
                next = self.reader.next() => next,
            };
            let Some(Numbered { index, batch }) = next else {
                return Ok(());
            };
            let done = match batch {
                Ok(batch) => {
                    let seq = self.seq(index);
                    let span = tracing::info_span!("batch", seq, rows = batch.rows);
                    self.load_batch(index, &batch).instrument(span).await
                }
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                // The batches before this one are not to blame: they are committed first.
                self.wait_for_turn(index).await;
                return Err(error);
            }
            self.turn.send_replace(index + 1);
        }
    }

    /// The number in the ledger of the run's batch `index`.
    fn seq(&self, index: u64) -> i64 {
        self.run.batch_seq + 1 + i64::try_from(index).unwrap_or(i64::MAX)
    }

    async fn load_batch(&self, index: u64, batch: &Batch) -> Result<()> {
        let books = self.load_until_committed(index, batch).await?;
        let counters = books.counters;
        tracing::info!(
            inserted = counters.inserted,
            updated = counters.updated,
            deleted = counters.deleted,
            unchanged = counters.unchanged,
            stale = counters.stale,
            superseded = counters.superseded,
            filtered = counters.filtered,
            quarantined = counters.quarantined,
            "batch committed"
        );
        self.job.committed(&books, batch);
        Ok(())
    }

    async fn load_until_committed(&self, index: u64, batch: &Batch) -> Result<Books> {
        let seq = self.seq(index);
        let tries = AtomicI64::new(0);
        // Whether the last attempt got far enough for its commit to have arrived.
        let is_loading = AtomicBool::new(false);
        let attempt = async || -> Result<Books> {
            if is_loading.swap(false, Ordering::Relaxed)
                && let Some(books) = outcome(self.job, self.run, seq).await?
            {
                return Ok(books);
            }
            let retried = i64::from(batch.retried) + tries.fetch_add(1, Ordering::Relaxed);
            let transaction = async |payloads| {
                commit_after(self.job, self.client().await?, async |client| {
                    let begin = batch::begin(client);
                    let opening =
                        Opening::Load { pipeline: self.job.pipeline, run_id: self.run.run_id };
                    batch::stage(client, begin, opening, batch, payloads).await?;
                    self.wait_for_turn(index).await;
                    is_loading.store(true, Ordering::Relaxed);
                    let options = self.job.options;
                    let (limit, repair) = (options.max_bad_ratio, options.repair);
                    batch::load(client, self.run, seq, batch, retried, limit, repair).await
                })
                .await
            };
            let (loaded, client) = match transaction(Payloads::Wanted).await {
                // Found bad in the merge, where it is too late to ask for payloads. Certainly rolled back.
                Err(error) if error.sqlstate() == Some("SL009") => {
                    is_loading.store(false, Ordering::Relaxed);
                    transaction(Payloads::All).await?
                }
                done => done?,
            };
            *self.kept() = Some(client);
            if let Some(note) = loaded.note {
                self.job.remarks.add(note);
            }
            Ok(loaded.books)
        };
        let what = format!("batch {seq}");
        self.job.budget.retrying(what, attempt).await
    }

    /// The connection of the batch before, if it is there still.
    async fn client(&self) -> Result<Object> {
        // A lost one is given back here: the pool has one place for each worker, and the worker would wait
        // for its own.
        let kept = self.kept().take().filter(|client| !client.is_closed());
        match kept {
            Some(client) => Ok(client),
            None => self.job.stop.unless_requested(self.job.connection()).await,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Option<Object>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn wait_for_turn(&self, index: u64) {
        let mut turn = self.turn.subscribe();
        // The sender lives as long as this worker.
        let _ = turn.wait_for(|turn| *turn >= index).await;
    }
}
