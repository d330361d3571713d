//! What all parts of one run share: what to run, how, and how far it is.

use super::{Options, Stop};
use crate::batch::Counters;
use crate::error::{Error, Kind, Result};
use crate::report::{Progress, Report};
use crate::retry::{Backoff, Budget, is_retryable_error};
use crate::source::Batch;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a run allows itself for last words to a server that may have fallen silent.
pub(super) const FAREWELL: Duration = Duration::from_secs(1);

pub(super) struct Job<'a> {
    pub(super) pipeline: &'a str,
    pub(super) options: &'a Options,
    pub(super) stop: &'a Stop,
    pub(super) progress: &'a Progress,
    /// The retries of the whole run, the source's included.
    pub(super) budget: Arc<Budget>,
    backoff: Mutex<Backoff>,
    totals: Mutex<Totals>,
}

#[derive(Default)]
struct Totals {
    counters: Counters,
    batches: u64,
    /// Retries of the source, which has a budget of its own.
    retried: i64,
}

impl<'a> Job<'a> {
    pub(super) fn new(
        pipeline: &'a str,
        options: &'a Options,
        stop: &'a Stop,
        progress: &'a Progress,
    ) -> Self {
        Job {
            pipeline,
            options,
            stop,
            progress,
            budget: Arc::new(Budget::new(options.retries, stop.clone())),
            backoff: Mutex::new(Backoff::new(options.retries)),
            totals: Mutex::default(),
        }
    }

    /// Counts a committed batch.
    pub(super) fn committed(&self, counters: &Counters, batch: &Batch) {
        let mut totals = lock(&self.totals);
        totals.counters.add(counters);
        totals.batches += 1;
        totals.retried += i64::from(batch.retried);
        lock(&self.backoff).succeeded();
        self.budget.progressed();
        self.progress.advance(batch.bytes, counters.extracted);
    }

    /// Counts what the end of a complete read did.
    pub(super) fn snapshot_committed(&self, counters: &Counters) {
        let mut totals = lock(&self.totals);
        totals.counters.add(counters);
        totals.batches += 1;
        lock(&self.backoff).succeeded();
        self.budget.progressed();
    }

    /// How many batches the run has committed.
    pub(super) fn batches(&self) -> u64 {
        lock(&self.totals).batches
    }

    /// Writes what was counted into the report.
    pub(super) fn tell(&self, report: &mut Report) {
        let totals = lock(&self.totals);
        report.counters = totals.counters;
        report.counters.retried =
            i64::from(lock(&self.backoff).used() + self.budget.used()) + totals.retried;
        report.batches = totals.batches;
    }

    /// Waits before another try, or gives up: the budget is spent, or a signal came.
    pub(super) async fn pause(&self, error: Error, what: &str) -> Result<()> {
        let Some(pause) = lock(&self.backoff).next_pause() else {
            return Err(error
                .with_kind(Kind::Exhausted)
                .detail("every retry of this run is used up")
                .next("it is safe to run again; raise --retries if this is usual here"));
        };
        tracing::warn!(
            pause_ms = pause.as_millis() as u64,
            "{what} is tried again: {}",
            error.message()
        );
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.stop.requested() => Err(self.stop.error()),
        }
    }

    /// Tries `what` until it succeeds, fails for good, the budget is spent, or a signal
    /// comes: no batch is in hand yet.
    pub(super) async fn retrying<T, F>(
        &self,
        what: &str,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        loop {
            let done = tokio::select! {
                done = attempt() => done,
                () = self.stop.requested() => return Err(self.stop.error()),
            };
            match done {
                Err(error) if is_retryable_error(&error) => self.pause(error, what).await?,
                done => return done,
            }
        }
    }

    /// Does what a run does at its end, but briefly once a second signal came: the server
    /// may have fallen silent.
    pub(super) async fn farewell(&self, last_words: impl Future<Output = ()>) {
        let is_enough = async {
            self.stop.insisted().await;
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::select! {
            () = last_words => {}
            () = is_enough => tracing::warn!("the server does not answer; the end of the run was not recorded"),
        }
    }
}

/// A panic of another holder does not spoil counters.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
