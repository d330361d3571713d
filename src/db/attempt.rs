//! The order of attempts: hosts, and for `allow` and `prefer` with and without encryption.

use crate::config::{HostSpec, Settings, SslMode};
use crate::error::Error;
use crate::retry;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode as Wire, SslNegotiation};
use tokio_postgres::error::SqlState;

/// The client library's settings for one host.
pub(super) fn config(
    settings: &Settings,
    host: &HostSpec,
    application_name: &str,
    wire: Wire,
) -> Config {
    let mut config = Config::new();
    config
        .user(&settings.user)
        .dbname(&settings.dbname)
        .host(&host.host)
        .port(host.port)
        .application_name(&match &settings.application_name {
            // Ours comes first: takeovers know a loader's sessions by it.
            Some(users) => format!("{application_name} ({users})"),
            None => application_name.to_owned(),
        })
        .target_session_attrs(settings.target_session_attrs)
        .channel_binding(settings.channel_binding)
        .ssl_mode(wire);
    if let Some(address) = host.address {
        config.hostaddr(address);
    }
    if let Some(password) = &host.password {
        config.password(password.reveal());
    }
    if let Some(options) = &settings.options {
        config.options(options);
    }
    if let Some(timeout) = settings.connect_timeout {
        config.connect_timeout(timeout);
    }
    if let Some(timeout) = settings.tcp_user_timeout {
        config.tcp_user_timeout(timeout);
    }
    match settings.keepalives {
        None => {
            config.keepalives(false);
        }
        Some(keepalives) => {
            config
                .keepalives(true)
                .keepalives_idle(keepalives.idle)
                .keepalives_interval(keepalives.interval)
                .keepalives_retries(keepalives.count);
        }
    }
    if settings.tls.direct {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    config
}

/// The ways to talk to one host, in order. TLS over a Unix socket does not exist.
pub(super) fn ways(mode: SslMode, host: &HostSpec) -> &'static [Wire] {
    if host.is_socket() {
        return &[Wire::Disable];
    }
    match mode {
        SslMode::Disable => &[Wire::Disable],
        SslMode::Allow => &[Wire::Disable, Wire::Require],
        SslMode::Prefer => &[Wire::Prefer, Wire::Disable],
        SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => &[Wire::Require],
    }
}

/// Whether the other way may fare better: the handshake failed, or `pg_hba.conf` has no
/// entry for this kind of connection.
pub(super) fn try_other_way(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        None => error.to_string().contains("TLS"),
    }
}

/// Whether another host may fare better. A server that answered and said no decides for
/// all of them, so that a wrong password is not tried everywhere.
pub(super) fn try_other_host(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => *code == SqlState::CANNOT_CONNECT_NOW,
        None => true,
    }
}

/// The error of a failed connect, with the target and the next step.
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
