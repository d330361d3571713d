//! The state of a run that all its parts share: settings, budget, counters, connections.

use super::{Options, Stop};
use crate::batch::{self, Books};
use crate::db::Connector;
use crate::error::Result;
use crate::report::{ProgressDisplay, Report};
use crate::retry::Budget;
use crate::source::{Batch, Remarks};
use deadpool_postgres::{Object, Pool};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_postgres::Client;

/// How long a run that is to stop at once waits for a server that may have fallen silent.
pub(super) const CLEAN_UP_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) struct Job<'a> {
    pub(super) pipeline: &'a str,
    pub(super) options: &'a Options,
    pub(super) stop: &'a Stop,
    pub(super) progress: &'a ProgressDisplay,
    pub(super) connector: &'a Connector,
    /// The retries of the whole run, the source's included.
    pub(super) budget: Arc<Budget>,
    /// What the batches have to say.
    pub(super) remarks: Remarks,
    pool: Pool,
    totals: Mutex<Totals>,
}

#[derive(Default)]
struct Totals {
    books: Books,
    batches: u64,
}

impl<'a> Job<'a> {
    pub(super) fn new(
        connector: &'a Connector,
        pipeline: &'a str,
        options: &'a Options,
        stop: &'a Stop,
        progress: &'a ProgressDisplay,
    ) -> Result<Self> {
        Ok(Job {
            pipeline,
            options,
            stop,
            progress,
            connector,
            budget: Arc::new(Budget::new(options.retries, stop.clone())),
            remarks: Remarks::default(),
            pool: connector.pool(options.workers)?,
            totals: Mutex::default(),
        })
    }

    /// Does `work` as a job of its own, over one connection.
    pub(super) async fn alone<T>(
        connector: &Connector,
        pipeline: &str,
        retries: u32,
        stop: &Stop,
        work: impl AsyncFnOnce(&Job<'_>) -> Result<T>,
    ) -> Result<T> {
        let options = Options { retries, workers: 1, ..Options::default() };
        let progress = ProgressDisplay::hidden();
        work(&Job::new(connector, pipeline, &options, stop, &progress)?).await
    }

    /// Counts a committed batch.
    pub(super) fn committed(&self, books: &Books, batch: &Batch) {
        let mut totals = self.totals();
        totals.books.add(books);
        totals.batches += 1;
        self.budget.progressed();
        self.progress.advance(batch.bytes, books.counters.extracted);
    }

    /// Counts what the end of a complete read did.
    pub(super) fn snapshot_committed(&self, books: &Books) {
        let mut totals = self.totals();
        totals.books.add(books);
        totals.batches += 1;
        self.budget.progressed();
    }

    /// How many batches the run has committed.
    pub(super) fn batches(&self) -> u64 {
        self.totals().batches
    }

    /// Writes what was counted into the report.
    pub(super) fn tell(&self, report: &mut Report) {
        let totals = self.totals();
        report.counters = totals.books.counters;
        report.targets = totals.books.targets.clone();
        report.counters.retried = i64::from(self.budget.used());
        report.batches = totals.batches;
    }

    /// A panic of another holder does not spoil counters.
    fn totals(&self) -> MutexGuard<'_, Totals> {
        self.totals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection, until it is dropped.
    pub(super) async fn connection(&self) -> Result<Object> {
        Ok(self.pool.get().await?)
    }

    /// Runs `question` on a connection of the pool, once.
    pub(super) async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&Client) -> Result<T>,
    ) -> Result<T> {
        let client = self.connection().await?;
        self.connector.while_alive(question(&client)).await?
    }

    /// The same, with retries. After a lock timeout the sessions of a loader that was cut off, and whose server has
    /// not noticed, are ended first.
    pub(super) async fn ask_until_answered<T>(
        &self,
        what: &str,
        question: impl AsyncFn(&Client) -> Result<T>,
    ) -> Result<T> {
        let evict = async |client: &Client| batch::evict_loader(client, self.pipeline, false).await;
        self.ask_evicting(what, question, evict).await
    }

    /// The same with another way to end the sessions that hold the lock.
    pub(super) async fn ask_evicting<T>(
        &self,
        what: &str,
        question: impl AsyncFn(&Client) -> Result<T>,
        evict: impl AsyncFn(&Client) -> Result<i32>,
    ) -> Result<T> {
        let ask = || {
            self.ask(async |client| match question(client).await {
                Err(error) if error.sqlstate() == Some("55P03") => {
                    evict(client).await?;
                    Err(error)
                }
                answer => answer,
            })
        };
        self.budget.retrying(what, ask).await
    }

    /// Waits for what a run does at its end; only briefly after a second signal, as the server may have fallen
    /// silent.
    pub(super) async fn clean_up(&self, clean_up: impl Future<Output = ()>) {
        let is_enough = async {
            self.stop.forced().await;
            tokio::time::sleep(CLEAN_UP_TIMEOUT).await;
        };
        tokio::select! {
            () = clean_up => {}
            () = is_enough => tracing::warn!("the server does not answer; the end of the run was not recorded"),
        }
    }
}
