//! Connections that fail: which server, why, and the next step.

use crate::error::Error;
use crate::retry;
use libpq_conninfo::{HandshakeFailed, Settings, SslMode, cause};
use std::io;
use std::time::Duration;

/// The error of a failed connect.
pub(super) fn describe(error: tokio_postgres::Error, settings: &Settings) -> Error {
    let target = format!("could not connect to {settings}");
    if error.as_db_error().is_some() {
        return Error::from(error).detail(target);
    }
    let needs_tls =
        !matches!(settings.tls.mode, SslMode::Disable | SslMode::Allow | SslMode::Prefer);
    let has_password = settings.hosts.iter().all(|host| host.password.is_some());
    let next = if cause::<HandshakeFailed>(&error).is_some() {
        "check sslmode, sslrootcert and the host name: the server's certificate must match them"
    } else if retry::is_retryable(&error) {
        "check that the server runs and accepts connections there (pg_isready)"
    } else if cause::<io::Error>(&error).is_some() {
        "check the connection settings"
    } else {
        // What remains is the client's own refusal: the server does not encrypt, or asks for what it was
        // not given.
        match (has_password, needs_tls) {
            (true, false) => "check the connection settings",
            (true, true) => "check sslmode: the server may not offer TLS",
            (false, false) => "give a password: in the URL, PGPASSWORD or ~/.pgpass (mode 0600)",
            (false, true) => {
                "check sslmode, as the server may not offer TLS, or give a password: in the URL, PGPASSWORD or ~/.pgpass (mode 0600)"
            }
        }
    };
    Error::failed(target).next(next).caused_by(error)
}

/// The error of a server that accepts connections and does not answer on them.
pub(super) fn describe_silence(limit: Duration, settings: &Settings) -> Error {
    Error::failed(format!("could not connect to {settings}"))
        .next("check that a Postgres server listens there, or raise connect_timeout")
        .caused_by(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("no answer within {} s", limit.as_secs()),
        ))
}
