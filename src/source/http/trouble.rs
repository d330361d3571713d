//! What can go wrong with a request, by what to do about it.

use std::error::Error as StdError;
use std::time::Duration;

use crate::error::Error;
use crate::retry;

#[derive(Debug)]
pub(super) enum Trouble {
    /// Worth another try, after as long as the server asked for.
    Passing {
        error: Box<Error>,
        asked: Option<Duration>,
    },
    /// Would fail again.
    Fatal(Box<Error>),
}

impl Trouble {
    pub(super) fn passing(error: Error) -> Self {
        Self::passing_after(error, None)
    }

    pub(super) fn passing_after(error: Error, asked: Option<Duration>) -> Self {
        Trouble::Passing {
            error: Box::new(error),
            asked,
        }
    }

    pub(super) fn fatal(error: Error) -> Self {
        Trouble::Fatal(Box::new(error))
    }

    /// A request that got no whole answer. `what` says which.
    pub(super) fn of_transport(what: &str, cause: reqwest::Error) -> Self {
        let passes = is_passing(&cause);
        // The URL may hold a credential, and is told anyway.
        let cause = cause.without_url();
        match passes {
            true => Trouble::passing(Error::failed(what).caused_by(cause)),
            false => Trouble::fatal(
                Error::failed(what)
                    .caused_by(cause)
                    .next("check the host, its certificate (ca_file => … for an authority of your own) and any proxy"),
            ),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::fatal(error)
    }
}

fn is_passing(error: &reqwest::Error) -> bool {
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
