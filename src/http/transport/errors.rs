//! Classifies failures of requests as transient or permanent.

use std::error::Error as StdError;

use crate::error::Error;
use crate::retry::{self, RetryError};
use crate::secret::Redactor;

/// Lines of a body that an error shows, and how much of each.
const LINES: usize = 5;
const LINE: usize = 200;

/// A failure that a retry would repeat.
pub(crate) fn permanent(error: Error) -> RetryError {
    RetryError::Permanent(Box::new(error))
}

/// A failure that a retry may cure.
pub(crate) fn transient(error: Error) -> RetryError {
    RetryError::Transient { error: Box::new(error), retry_after: None }
}

/// The failure of a request without a complete answer; `what` names it.
pub(super) fn of_transport(what: &str, cause: reqwest::Error) -> RetryError {
    let passes = is_transient(&cause);
    // The library would print the URL, which may contain a credential.
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

/// Libraries wrap one I/O error in another, and `source` skips the wrapped one.
fn innermost(error: &std::io::Error) -> &std::io::Error {
    let wrapped = error.get_ref().and_then(|inner| inner.downcast_ref());
    wrapped.map_or(error, innermost)
}

/// Adds the first lines of a body to an error, without secrets that it may repeat.
pub(crate) fn with_excerpt(error: Error, body: &[u8], redactor: &Redactor) -> Error {
    let text = redactor.clean(&String::from_utf8_lossy(body));
    let lines = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    lines.take(LINES).enumerate().fold(error, |error, (number, line)| {
        let line: String = line.chars().filter(|c| !c.is_control()).take(LINE).collect();
        let label = if number == 0 { "body: " } else { "      " };
        error.detail(format!("{label} {line}"))
    })
}
