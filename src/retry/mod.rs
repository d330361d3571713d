//! Which failures are retried. There is no other such table.

mod budget;

pub use budget::{Budget, RetryError};

use crate::error::Error;
use std::error::Error as StdError;
use std::io::ErrorKind;

/// Transient SQLSTATEs. Two characters stand for the whole class.
///
/// Everything else is fatal: the same statement would fail again. Not in the table on
/// purpose: 53100 (disk full) and 57014 (somebody cancelled it), which need a human.
const RETRYABLE: &[(&str, &str)] = &[
    ("08", "connection exception"),
    ("25006", "read-only: the primary was demoted, the next connect finds the new one"),
    ("25P03", "idle in transaction too long: this process was paused"),
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

/// Transient HTTP statuses, besides the 500s.
const RETRYABLE_STATUS: &[(u16, &str)] =
    &[(408, "request timeout"), (425, "too early"), (429, "too many requests")];

/// Whether this HTTP status is transient.
pub fn is_retryable_status(status: u16) -> bool {
    // A method or version that is not supported.
    let is_no_better_later = matches!(status, 501 | 505);
    (500..600).contains(&status) && !is_no_better_later
        || RETRYABLE_STATUS.iter().any(|(code, _)| *code == status)
}

/// Whether this SQLSTATE is transient.
pub fn is_retryable_sqlstate(sqlstate: &str) -> bool {
    RETRYABLE
        .iter()
        .any(|(code, _)| *code == sqlstate || (code.len() == 2 && sqlstate.starts_with(code)))
}

/// Whether a retry may succeed.
pub fn is_retryable(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => is_retryable_sqlstate(code.code()),
        None => error.is_closed() || has_passing_io_error(error),
    }
}

/// Citus reports a worker that it lost after a statement began with the code of an internal error.
fn has_lost_worker(sqlstate: &str, routine: Option<&str>) -> bool {
    const ROUTINES: &[&str] = &[
        "HandleRemoteTransactionConnectionError",
        "MarkRemoteTransactionFailed",
        "ReportResultError",
    ];
    sqlstate == "XX000" && routine.is_some_and(|routine| ROUTINES.contains(&routine))
}

/// [`is_retryable`] for an error that has been worded already.
pub fn is_retryable_error(error: &Error) -> bool {
    if let Some(sqlstate) = error.sqlstate() {
        return is_retryable_sqlstate(sqlstate) || has_lost_worker(sqlstate, error.routine());
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

/// Whether it is an error of the network.
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

/// Whether an I/O error is transient. A bad certificate arrives as `InvalidData`.
pub(crate) fn passes(error: &std::io::Error) -> bool {
    match error.kind() {
        ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::Unsupported => false,
        // Without a number it is not the system's: this is how the library words "this server only reads",
        // if target_session_attrs asks for one that writes.
        ErrorKind::PermissionDenied => error.raw_os_error().is_none(),
        _ => true,
    }
}

#[cfg(test)]
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
    fn a_worker_that_citus_lost_is_no_other_internal_error() {
        assert!(has_lost_worker("XX000", Some("MarkRemoteTransactionFailed")));
        assert!(!has_lost_worker("XX000", Some("elog_node_display")));
        assert!(!has_lost_worker("42601", Some("MarkRemoteTransactionFailed")));
    }

    #[test]
    fn a_worded_error_is_classified_by_its_sqlstate_or_cause() {
        let lost = std::io::Error::from(ErrorKind::ConnectionReset);
        let bad_certificate = std::io::Error::from(ErrorKind::InvalidData);
        let forbidden = std::io::Error::from_raw_os_error(13);
        assert!(is_retryable_error(&Error::failed("x").with_sqlstate("40001")));
        assert!(!is_retryable_error(&Error::failed("x").with_sqlstate("42601").caused_by(lost)));
        let lost = std::io::Error::from(ErrorKind::ConnectionReset);
        assert!(is_retryable_error(&Error::failed("x").caused_by(lost)));
        assert!(!is_retryable_error(&Error::failed("x").caused_by(bad_certificate)));
        assert!(!is_retryable_error(&Error::failed("x").caused_by(forbidden)));
        assert!(!is_retryable_error(&Error::failed("x")));
    }
}
