//! Retries: one loop for everything that a run repeats, and one budget for all of it.

use super::is_retryable_error;
use crate::error::{Error, Kind, Result};
use crate::stop::Stop;
use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Pauses are random, up to 100 ms, 200 ms, 400 ms and so on, and never longer than this.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Pauses that a server asks for cost no retry until they add up to this without progress: a server that
/// always asks for a pause must not hold a run for ever.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Why a step failed, by whether a retry may succeed.
#[derive(Debug)]
pub enum RetryError {
    /// A retry may succeed, after the pause that the other side asks for.
    Transient {
        /// What failed.
        error: Box<Error>,
        /// `Retry-After` and similar headers.
        retry_after: Option<Duration>,
    },
    /// A retry would fail again.
    Permanent(Box<Error>),
}

/// By the table of what passes, unless it was tried again already, as part of another step.
impl From<Error> for RetryError {
    fn from(error: Error) -> Self {
        let passes = is_retryable_error(&error) && error.kind() != Kind::Exhausted;
        let error = Box::new(error);
        match passes {
            true => RetryError::Transient { error, retry_after: None },
            false => RetryError::Permanent(error),
        }
    }
}

/// The retries of one run, shared by batches, requests and parts of objects. Progress refills the budget, so
/// it limits the retries in a row.
#[derive(Debug)]
pub struct Budget {
    retries: u32,
    stop: Stop,
    spending: Mutex<Spending>,
}

#[derive(Debug, Default)]
struct Spending {
    /// Retries taken since the last progress; the pauses grow with them.
    spent: u32,
    /// Pauses that were asked for since then.
    waited: Duration,
    /// Retries taken in all.
    used: u32,
}

impl Budget {
    /// Retries unless the caller says otherwise.
    pub const DEFAULT: u32 = 20;

    /// This many retries without progress. Pauses end when `stop` is requested.
    pub fn new(retries: u32, stop: Stop) -> Self {
        Budget { retries, stop, spending: Mutex::default() }
    }

    /// Repeats `step` until it succeeds, fails permanently, the budget is spent, or a signal arrives in a
    /// pause. A signal does not interrupt a step: that is up to the caller.
    pub async fn retrying<T, E, F>(
        &self,
        what: impl Display,
        mut step: impl FnMut() -> F,
    ) -> Result<T>
    where
        E: Into<RetryError>,
        F: Future<Output = Result<T, E>>,
    {
        loop {
            let (error, asked) = match step().await.map_err(Into::into) {
                Ok(done) => return Ok(done),
                Err(RetryError::Permanent(error)) => return Err(*error),
                Err(RetryError::Transient { error, retry_after: asked }) => (*error, asked),
            };
            self.pause(&what, error, asked).await?;
        }
    }

    /// Takes a retry and pauses; fails with `error` if none is left.
    pub async fn pause(
        &self,
        what: impl Display,
        error: Error,
        asked: Option<Duration>,
    ) -> Result<()> {
        let Some(pause) = self.take(asked.unwrap_or_default(), fastrand::f64()) else {
            let error =
                error.with_kind(Kind::Exhausted).detail("every retry of this run is used up");
            return Err(match error.next_step() {
                // Whatever is to be done first.
                Some(_) => error,
                None => {
                    error.next("it is safe to run again; raise --retries if this is usual here")
                }
            });
        };
        tracing::warn!(
            pause_ms = pause.as_millis() as u64,
            "{what} is tried again: {}",
            error.in_one_line()
        );
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.stop.requested() => Err(self.stop.error()),
        }
    }

    /// Notes progress: a batch was committed, a page or a part of an object was read.
    pub fn progressed(&self) {
        let mut spending = self.spending();
        spending.spent = 0;
        spending.waited = Duration::ZERO;
    }

    /// Retries taken in all.
    pub fn used(&self) -> u32 {
        self.spending().used
    }

    /// Takes a retry and says how long to wait before it: as long as `asked`, or as `random`
    /// (0 to 1) decides. `None`: the budget is spent.
    fn take(&self, asked: Duration, random: f64) -> Option<Duration> {
        let mut spending = self.spending();
        spending.waited += asked;
        let is_free = !asked.is_zero() && spending.waited <= PATIENCE;
        if !is_free && spending.spent >= self.retries {
            return None;
        }
        let ceiling =
            FIRST_PAUSE.saturating_mul(2u32.saturating_pow(spending.spent)).min(LONGEST_PAUSE);
        spending.spent += u32::from(!is_free);
        spending.used += 1;
        Some(ceiling.mul_f64(random).max(asked))
    }

    /// A panic of another holder does not spoil counters.
    fn spending(&self) -> MutexGuard<'_, Spending> {
        self.spending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Budget::new(Self::DEFAULT, Stop::never())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    const NOT_ASKED: Duration = Duration::ZERO;

    fn budget(retries: u32) -> Budget {
        Budget::new(retries, Stop::never())
    }

    fn lost() -> Error {
        Error::failed("lost").caused_by(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    }

    #[test]
    fn pauses_grow_and_stay_under_the_cap() {
        let budget = budget(40);
        let pauses: Vec<_> = std::iter::from_fn(|| budget.take(NOT_ASKED, 1.0)).collect();
        assert_eq!(pauses.len(), 40);
        assert_eq!(pauses[..3], [100, 200, 400].map(Duration::from_millis));
        assert_eq!(pauses[39], LONGEST_PAUSE);
    }

    #[test]
    fn a_spent_budget_gives_nothing_until_there_is_progress() {
        let budget = budget(2);
        assert!(budget.take(NOT_ASKED, 0.5).is_some());
        assert!(budget.take(NOT_ASKED, 0.5).is_some());
        assert_eq!(budget.take(NOT_ASKED, 0.5), None);
        budget.progressed();
        assert_eq!(budget.take(NOT_ASKED, 1.0), Some(FIRST_PAUSE));
        assert_eq!(budget.used(), 3);
    }

    #[test]
    fn waits_that_were_asked_for_are_kept_and_cost_nothing_for_an_hour() {
        let budget = budget(1);
        let asked = Duration::from_secs(600);
        for _ in 0..6 {
            assert_eq!(budget.take(asked, 0.0), Some(asked));
        }
        assert_eq!(budget.take(asked, 0.0), Some(asked), "the only retry");
        assert_eq!(budget.take(asked, 0.0), None);
        assert_eq!(budget.used(), 7);
    }

    #[tokio::test]
    async fn what_passes_is_tried_again_and_what_does_not_is_not() {
        let budget = Arc::new(budget(2));
        let tries = AtomicU32::new(0);
        // In a task, as sources repeat in tasks of their own.
        let done = tokio::spawn({
            let budget = Arc::clone(&budget);
            async move {
                let step = || async {
                    match tries.fetch_add(1, Ordering::Relaxed) {
                        0 | 1 => Err(lost()),
                        tries => Ok(tries),
                    }
                };
                budget.retrying("it", step).await
            }
        });
        assert_eq!(done.await.unwrap().unwrap(), 2);
        let kind_of = async |error: fn() -> Error| {
            let done = budget.retrying("it", || async { Err::<(), _>(error()) });
            done.await.unwrap_err().kind()
        };
        assert_eq!(kind_of(|| Error::failed("no")).await, Kind::Failed);
        assert_eq!(kind_of(lost).await, Kind::Exhausted);
        let step = || budget.retrying("a part of it", || async { Err::<(), _>(lost()) });
        let told = budget.retrying("it", step).await.unwrap_err().to_string();
        assert_eq!(told.matches("every retry of this run is used up").count(), 1, "{told}");
    }
}
