//! Failures of requests, by what to do about them.

use std::error::Error as StdError;

use crate::error::Error;
use crate::retry::{self, RetryError};
use crate::secret::Redactor;

/// Lines of a body that an error shows, and how much of each.
const LINES: usize = 5;
const LINE: usize = 200;

/// Would fail again.
pub(crate) fn permanent(error: Error) -> RetryError {
    RetryError::Permanent(Box::new(error))
}

/// Worth another try.
pub(crate) fn transient(error: Error) -> RetryError {
    RetryError::Transient {
        error: Box::new(error),
        retry_after: None,
    }
}

/// A request that got no whole answer. `what` says which.
pub(super) fn of_transport(what: &str, cause: reqwest::Error) -> RetryError {
    let passes = is_transient(&cause);
    // The URL may contain a credential, and the library would tell it.
    let error = Error::failed(what).caused_by(cause.without_url());
    match passes {
        true => transient(error),
        false => permanent(error.next("check the host, its certificate (ca_file => … for an authority of your own) and any proxy")),
    }
}

fn is_transient(error: &reqwest::Error) -> bool {
    if error.is_builder() {
        return false;
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            return false;
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return retry::passes(innermost(error));
        }
        cause = error.source();
    }
    error.is_timeout()
        || error.is_connect()
        || error.is_request()
        || error.is_body()
        || error.is_decode()
}

/// Libraries wrap one input/output error in another, and `source` passes over what is wrapped.
fn innermost(error: &std::io::Error) -> &std::io::Error {
    let wrapped = error.get_ref().and_then(|inner| inner.downcast_ref());
    wrapped.map_or(error, innermost)
}

/// Shows the first lines of what a server said, without the secrets it may repeat.
pub(crate) fn with_excerpt(error: Error, body: &[u8], redactor: &Redactor) -> Error {
    let text = redactor.clean(&String::from_utf8_lossy(body));
    let lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.trim().is_empty());
    lines
        .take(LINES)
        .enumerate()
        .fold(error, |error, (number, line)| {
            let line: String = line
                .chars()
                .filter(|c| !c.is_control())
                .take(LINE)
                .collect();
            let label = if number == 0 { "body: " } else { "      " };
            error.detail(format!("{label} {line}"))
        })
}
