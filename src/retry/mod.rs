//! What is worth another try, and when. This table is the only one.

mod budget;

pub use budget::{Budget, Trouble};

use crate::error::Error;
use std::error::Error as StdError;
use std::io::ErrorKind;
use std::time::Duration;

/// SQLSTATEs that pass: each with why. Two characters stand for the whole class.
///
/// Everything else is fatal: the same statement would fail again. Not in the table on
/// purpose: 53100 (disk full) and 57014 (somebody cancelled it), which need a human.
const RETRYABLE: &[(&str, &str)] = &[
    ("08", "connection exception"),
    (
        "25006",
        "read-only: the primary was demoted, the next connect finds the new one",
    ),
    (
        "25P03",
        "idle in transaction too long: this process was paused",
    ),
    ("40001", "serialization failure"),
    ("40P01", "deadlock"),
    ("53000", "insufficient resources"),
    ("53200", "out of memory"),
    ("53300", "too many connections"),
    ("55P03", "lock not available"),
    ("57P01", "an administrator ended the connection"),
    ("57P02", "the server crashed"),
    ("57P03", "the server is starting up or shutting down"),
    ("57P05", "idle session timeout ended the connection"),
];

/// HTTP statuses that pass, besides all of the 500s.
const RETRYABLE_STATUS: &[(u16, &str)] = &[
    (408, "request timeout"),
    (425, "too early"),
    (429, "too many requests"),
];

/// Whether the condition behind this HTTP status passes by itself.
pub fn is_retryable_status(status: u16) -> bool {
    (500..600).contains(&status) || RETRYABLE_STATUS.iter().any(|(code, _)| *code == status)
}

/// Whether the condition behind this SQLSTATE passes by itself.
pub fn is_retryable_sqlstate(sqlstate: &str) -> bool {
    RETRYABLE
        .iter()
        .any(|(code, _)| *code == sqlstate || (code.len() == 2 && sqlstate.starts_with(code)))
}

/// Whether the same work may succeed on another try.
pub fn is_retryable(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => is_retryable_sqlstate(code.code()),
        None => error.is_closed() || has_passing_io_error(error),
    }
}

/// [`is_retryable`] for an error that has been worded already.
pub fn is_retryable_error(error: &Error) -> bool {
    if let Some(sqlstate) = error.sqlstate() {
        return is_retryable_sqlstate(sqlstate);
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<tokio_postgres::Error>() {
            return is_retryable(error);
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return passes(error);
        }
        cause = error.source();
    }
    false
}

/// Whether the network is behind it.
fn has_passing_io_error(error: &tokio_postgres::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return passes(error);
        }
        cause = error.source();
    }
    false
}

/// Whether an input/output error passes. A bad certificate comes as `InvalidData`.
pub(crate) fn passes(error: &std::io::Error) -> bool {
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Unsupported => false,
        // Without a number it is not the system's: the library words "this server only
        // reads" so, when target_session_attrs asks for one that writes.
        ErrorKind::PermissionDenied => error.raw_os_error().is_none(),
        _ => true,
    }
}

/// Pauses between tries: exponential with full jitter, capped, and a budget of retries for
/// the whole run, so that a service that is down is not asked for ever.
#[derive(Debug)]
pub struct Backoff {
    base: Duration,
    cap: Duration,
    budget: u32,
    used: u32,
    in_a_row: u32,
    random: fastrand::Rng,
}

impl Backoff {
    /// Retries per run unless the caller says otherwise.
    pub const DEFAULT_BUDGET: u32 = 20;

    /// Pauses up to 100 ms, 200 ms, … 30 s; `budget` retries in all.
    pub fn new(budget: u32) -> Self {
        Self::with_seed(budget, fastrand::u64(..))
    }

    /// As [`Backoff::new`], with the pauses decided by `seed`.
    pub fn with_seed(budget: u32, seed: u64) -> Self {
        Backoff {
            base: Duration::from_millis(100),
            cap: Duration::from_secs(30),
            budget,
            used: 0,
            in_a_row: 0,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// Takes one retry from the budget and says how long to wait before it; `None`: the
    /// budget is spent.
    pub fn next_pause(&mut self) -> Option<Duration> {
        if self.used >= self.budget {
            return None;
        }
        self.used += 1;
        let ceiling = self
            .base
            .saturating_mul(2u32.saturating_pow(self.in_a_row))
            .min(self.cap);
        self.in_a_row = self.in_a_row.saturating_add(1);
        Some(ceiling.mul_f64(self.random.f64()))
    }

    /// [`Backoff::next_pause`], but not shorter than the other side asked (`Retry-After`).
    pub fn next_pause_at_least(&mut self, asked: Duration) -> Option<Duration> {
        self.next_pause().map(|pause| pause.max(asked))
    }

    /// Something succeeded: the next pause is short again. The budget stays spent.
    pub fn succeeded(&mut self) {
        self.in_a_row = 0;
    }

    /// Retries taken so far.
    pub fn used(&self) -> u32 {
        self.used
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Self::DEFAULT_BUDGET)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn passing_conditions_are_retried() {
        for code in [
            "40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57P05", "08000", "08003",
            "08006", "53000", "53200", "53300", "25006", "25P03",
        ] {
            assert!(is_retryable_sqlstate(code), "{code}");
        }
    }

    #[test]
    fn everything_else_is_fatal() {
        for code in [
            "42601", "42P01", "28P01", "28000", "53100", "XX000", "XX001", "57014", "57P04",
            "23505", "22P02", "25P02", "0A000", "P0001", "SL001", "3D000", "", "0",
        ] {
            assert!(!is_retryable_sqlstate(code), "{code}");
        }
    }

    #[test]
    fn a_worded_error_is_classified_by_its_sqlstate_or_cause() {
        let lost = std::io::Error::from(ErrorKind::ConnectionReset);
        let bad_certificate = std::io::Error::from(ErrorKind::InvalidData);
        let forbidden = std::io::Error::from_raw_os_error(13);
        assert!(is_retryable_error(
            &Error::failed("x").with_sqlstate("40001")
        ));
        assert!(!is_retryable_error(
            &Error::failed("x").with_sqlstate("42601").caused_by(lost)
        ));
        let lost = std::io::Error::from(ErrorKind::ConnectionReset);
        assert!(is_retryable_error(&Error::failed("x").caused_by(lost)));
        assert!(!is_retryable_error(
            &Error::failed("x").caused_by(bad_certificate)
        ));
        assert!(!is_retryable_error(
            &Error::failed("x").caused_by(forbidden)
        ));
        assert!(!is_retryable_error(&Error::failed("x")));
    }

    #[test]
    fn pauses_grow_stay_under_the_cap_and_depend_on_the_seed_alone() {
        let pauses = |seed| {
            let mut backoff = Backoff::with_seed(40, seed);
            std::iter::from_fn(|| backoff.next_pause()).collect::<Vec<_>>()
        };
        let seven = pauses(7);
        assert_eq!(seven, pauses(7));
        assert_ne!(seven, pauses(8));
        for (index, pause) in seven.iter().enumerate() {
            let ceiling = Duration::from_millis(100) * 2u32.pow(index.min(12) as u32);
            assert!(
                *pause <= ceiling.min(Duration::from_secs(30)),
                "{index}: {pause:?}"
            );
        }
        assert!(seven.iter().max().unwrap() > &Duration::from_secs(10));
    }

    #[test]
    fn the_budget_is_for_the_whole_run() {
        let mut backoff = Backoff::with_seed(3, 1);
        assert!(backoff.next_pause().is_some());
        backoff.succeeded();
        assert!(backoff.next_pause().unwrap() <= Duration::from_millis(100));
        assert!(backoff.next_pause().is_some());
        assert_eq!(backoff.next_pause(), None);
        assert_eq!(backoff.used(), 3);
        assert_eq!(Backoff::with_seed(0, 1).next_pause(), None);
    }

    #[test]
    fn a_pause_is_never_shorter_than_asked() {
        let mut backoff = Backoff::with_seed(1, 1);
        let asked = Duration::from_secs(90);
        assert_eq!(backoff.next_pause_at_least(asked), Some(asked));
        assert_eq!(backoff.next_pause_at_least(asked), None);
    }
}
