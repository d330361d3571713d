//! Workers: stage side by side, load and commit in order, repeat what passes.

use super::job::{FAREWELL, Job};
use super::reader::{Numbered, Reader};
use crate::batch::{self, Counters, Run};
use crate::error::{Error, Result};
use crate::retry::is_retryable_error;
use crate::source::Batch;
use deadpool_postgres::{Object, Pool, PoolError};
use futures_util::future::try_join_all;
use std::ops::Deref;
use tokio::sync::watch;
use tokio_postgres::Client;
use tracing::Instrument;

/// A connection of the pool.
pub(super) async fn connection(pool: &Pool) -> Result<Object> {
    pool.get().await.map_err(|error| match error {
        PoolError::Backend(error) => error.into(),
        other => Error::failed("no connection to the server").caused_by(other),
    })
}

/// Runs the workers to the end of the source.
pub(super) async fn run_all(job: &Job<'_>, pool: &Pool, run: &Run, reader: &Reader) -> Result<()> {
    let (turn, _) = watch::channel(0);
    let workers = (0..job.options.workers).map(|_| {
        let worker = Worker {
            job,
            pool,
            run,
            reader,
            turn: turn.clone(),
        };
        worker.run()
    });
    tokio::select! {
        // The first failure drops the other workers, and with them their transactions.
        done = try_join_all(workers) => done.map(drop),
        () = job.stop.insisted() => Err(job.stop.error()),
    }
}

struct Worker<'a> {
    job: &'a Job<'a>,
    pool: &'a Pool,
    run: &'a Run,
    reader: &'a Reader,
    /// Index of the batch that may load now.
    turn: watch::Sender<u64>,
}

/// How far an attempt came, which decides what its failure may mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing permanent was asked for.
    Staging,
    /// The commit may have arrived.
    Loading,
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
        let counters = self.load_until_committed(index, batch).await?;
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
        self.job.committed(&counters, batch);
        Ok(())
    }

    async fn load_until_committed(&self, index: u64, batch: &Batch) -> Result<Counters> {
        let mut retried = i64::from(batch.retried);
        loop {
            let mut step = Step::Staging;
            let error = match self.attempt(index, batch, retried, &mut step).await {
                Ok(counters) => return Ok(counters),
                Err(error) => error,
            };
            if !is_retryable_error(&error) {
                return Err(error);
            }
            let what = format!("batch {}", self.seq(index));
            self.job.pause(error, &what).await?;
            retried += 1;
            if step == Step::Loading
                && let Some(counters) =
                    resolve(self.job, self.pool, self.run, self.seq(index)).await?
            {
                tracing::warn!("the answer to a commit was lost, and the commit had arrived");
                return Ok(counters);
            }
        }
    }

    /// One transaction from begin to commit.
    async fn attempt(
        &self,
        index: u64,
        batch: &Batch,
        retried: i64,
        step: &mut Step,
    ) -> Result<Counters> {
        let client = InTransaction::begin(connection(self.pool).await?).await?;
        let done = self.fill(&client, index, batch, retried, step).await;
        match &done {
            // A message of its own, sent only now that the answer was read: a loader that
            // dies before this line has committed nothing.
            Ok(_) => client.end("commit").await?,
            // So that nobody meets this session once we are gone. It may be gone itself.
            Err(_) => drop(tokio::time::timeout(FAREWELL, client.end("rollback")).await),
        }
        done
    }

    /// Everything between begin and commit.
    async fn fill(
        &self,
        client: &Client,
        index: u64,
        batch: &Batch,
        retried: i64,
        step: &mut Step,
    ) -> Result<Counters> {
        batch::stage(client, self.job.pipeline, self.run.run_id, batch).await?;
        self.wait_for_turn(index).await;
        *step = Step::Loading;
        let limit = self.job.options.max_bad_ratio;
        batch::load(client, self.run, self.seq(index), batch, retried, limit).await
    }

    async fn wait_for_turn(&self, index: u64) {
        let mut turn = self.turn.subscribe();
        // The sender lives as long as this worker.
        let _ = turn.wait_for(|turn| *turn >= index).await;
    }
}

/// What became of a batch whose commit may have arrived.
pub(super) async fn resolve(
    job: &Job<'_>,
    pool: &Pool,
    run: &Run,
    seq: i64,
) -> Result<Option<Counters>> {
    loop {
        let answer = async {
            let client = connection(pool).await?;
            match batch::outcome(&client, run, seq).await {
                // The server has not noticed that our connection is gone, and the
                // session holds the state: end it, then ask again.
                Err(error) if error.sqlstate() == Some("55P03") => {
                    batch::evict_loader(&client, job.pipeline, false).await?;
                    Err(error)
                }
                result => result,
            }
        };
        match answer.await {
            Ok(found) => return Ok(found),
            Err(error) if is_retryable_error(&error) => {
                job.pause(error, "asking for the outcome of a batch")
                    .await?;
            }
            Err(error) => return Err(error),
        }
    }
}

/// A connection with a transaction open. Dropped in the middle, by an error or because the
/// run ends, it is cut rather than handed to the next user in an unknown state.
pub(super) struct InTransaction {
    client: Option<Object>,
}

impl InTransaction {
    pub(super) async fn begin(client: Object) -> Result<Self> {
        client
            .batch_execute("begin isolation level read committed")
            .await?;
        Ok(InTransaction {
            client: Some(client),
        })
    }

    /// Ends the transaction by `statement`.
    pub(super) async fn end(mut self, statement: &str) -> Result<()> {
        self.batch_execute(statement).await?;
        // Back to the pool.
        drop(self.client.take());
        Ok(())
    }
}

impl Deref for InTransaction {
    type Target = Client;

    fn deref(&self) -> &Client {
        match &self.client {
            Some(client) => client,
            None => unreachable!("a transaction keeps its connection until it is consumed"),
        }
    }
}

impl Drop for InTransaction {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}
