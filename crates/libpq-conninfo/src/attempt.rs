//! The order of attempts: hosts, and for `allow` and `prefer` with and without encryption.

use crate::{HandshakeFailed, HostSpec, Settings, SslMode};
use std::error::Error as StdError;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{SslMode as Wire, SslNegotiation};
use tokio_postgres::error::SqlState;

impl Settings {
    /// Tries the hosts in turn. `open` makes one connection; the server sees
    /// `application_name`.
    pub async fn connect<T, F>(
        &self,
        application_name: &str,
        open: impl Fn(Config) -> F,
    ) -> Result<T, tokio_postgres::Error>
    where
        F: Future<Output = Result<T, tokio_postgres::Error>>,
    {
        let mut hosts: Vec<&HostSpec> = self.hosts.iter().collect();
        if self.shuffle_hosts {
            fastrand::shuffle(&mut hosts);
        }
        let mut hosts = hosts.into_iter().peekable();
        while let Some(host) = hosts.next() {
            match self.connect_host(host, application_name, &open).await {
                Err(error) if hosts.peek().is_some() && try_other_host(&error) => {
                    tracing::debug!("{}:{}: {error}", host.host, host.port);
                }
                result => return result,
            }
        }
        // Settings always have a host; the library words it if they do not.
        open(Config::new()).await
    }

    /// Tries the ways to talk to one host in turn. If none is possible the first error is
    /// the telling one: the second way is only a fallback.
    async fn connect_host<T, F>(
        &self,
        host: &HostSpec,
        application_name: &str,
        open: impl Fn(Config) -> F,
    ) -> Result<T, tokio_postgres::Error>
    where
        F: Future<Output = Result<T, tokio_postgres::Error>>,
    {
        let mut first_error = None;
        for wire in ways(self.tls.mode, host) {
            match open(self.config(host, application_name, *wire)).await {
                Err(error) if try_other_way(&error) => first_error = first_error.or(Some(error)),
                result => return result,
            }
        }
        match first_error {
            Some(error) => Err(error),
            // There is always a way; the library words it if there is not.
            None => open(Config::new()).await,
        }
    }

    /// The longest that [`Settings::connect`] may take: `connect_timeout` for each attempt.
    /// tokio-postgres' own limit ends when the socket is open; a server that accepts and then
    /// says nothing must not hang a client either.
    pub fn connect_limit(&self) -> Option<Duration> {
        let ways = self.hosts.iter().map(|host| ways(self.tls.mode, host).len());
        let attempts = u32::try_from(ways.sum::<usize>()).unwrap_or(u32::MAX);
        Some(self.connect_timeout?.saturating_mul(attempts))
    }

    /// tokio-postgres' settings for one host.
    fn config(&self, host: &HostSpec, application_name: &str, wire: Wire) -> Config {
        let mut config = Config::new();
        config
            .user(&self.user)
            .dbname(&self.dbname)
            .host(&host.host)
            .port(host.port)
            .application_name(application_name)
            .target_session_attrs(self.target_session_attrs)
            .channel_binding(self.channel_binding)
            .ssl_mode(wire);
        if let Some(address) = host.address {
            config.hostaddr(address);
        }
        if let Some(password) = &host.password {
            config.password(password.reveal());
        }
        if let Some(options) = &self.options {
            config.options(options);
        }
        if let Some(timeout) = self.connect_timeout {
            config.connect_timeout(timeout);
        }
        if let Some(timeout) = self.tcp_user_timeout {
            config.tcp_user_timeout(timeout);
        }
        match self.keepalives {
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
        if self.tls.direct {
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        config
    }
}

/// The ways to talk to one host, in order. TLS over a Unix socket does not exist.
fn ways(mode: SslMode, host: &HostSpec) -> &'static [Wire] {
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
fn try_other_way(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        None => cause::<HandshakeFailed>(error).is_some(),
    }
}

/// Whether another host may fare better. A server that answered and said no decides for
/// all of them, so that a wrong password is not tried everywhere.
fn try_other_host(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => *code == SqlState::CANNOT_CONNECT_NOW,
        None => true,
    }
}

/// The cause of type `T` behind an error of the client library.
pub fn cause<T: StdError + 'static>(error: &tokio_postgres::Error) -> Option<&T> {
    std::iter::successors(error.source(), |&error| error.source())
        .find_map(|error| error.downcast_ref())
}
