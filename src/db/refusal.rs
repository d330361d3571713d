//! A connection that could not be made, with the target and the next step.

use crate::error::Error;
use crate::retry;
use libpq_conninfo::Settings;
use std::time::Duration;

/// The error of a failed connect.
pub(super) fn describe(error: tokio_postgres::Error, settings: &Settings) -> Error {
    let target = format!("could not connect to {settings}");
    if error.as_db_error().is_some() {
        return Error::from(error).detail(target);
    }
    let next = if error.to_string().contains("TLS") {
        "check sslmode, sslrootcert and the host name: the server's certificate must match them"
    } else if needs_password(&error) {
        "give a password: in the URL, PGPASSWORD or ~/.pgpass (mode 0600)"
    } else if retry::is_retryable(&error) {
        "check that the server runs and accepts connections there (pg_isready)"
    } else {
        "check the connection settings"
    };
    Error::failed(target).next(next).caused_by(error)
}

/// The error of a server that accepts connections and does not answer on them.
pub(super) fn describe_silence(limit: Duration, settings: &Settings) -> Error {
    Error::failed(format!("could not connect to {settings}"))
        .next("check that a Postgres server listens there, or raise connect_timeout")
        .caused_by(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            format!("no answer within {} s", limit.as_secs()),
        ))
}

/// The client library has no code for this.
fn needs_password(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.to_string() == "password missing")
}
