//! The settings of a server, complete and checked.

use crate::conninfo::Parameters;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::hosts::{HostSpec, hosts, password};
use crate::invalid;
use crate::tls::TlsSettings;
use std::fmt;
use std::path::Path;
use std::time::Duration;
use tokio_postgres::config::{ChannelBinding, TargetSessionAttrs};

/// How to reach a server and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The addresses, in the order to try them.
    pub hosts: Vec<HostSpec>,
    /// The role.
    pub user: String,
    /// The database.
    pub dbname: String,
    /// The name the user gave this client, if any.
    pub application_name: Option<String>,
    /// Command line options for the server.
    pub options: Option<String>,
    /// Limit for each attempt to connect.
    pub connect_timeout: Option<Duration>,
    /// TCP keepalives; `None`: switched off.
    pub keepalives: Option<Keepalives>,
    /// How long sent data may stay unacknowledged.
    pub tcp_user_timeout: Option<Duration>,
    /// What kind of server is acceptable.
    pub target_session_attrs: TargetSessionAttrs,
    /// Whether SCRAM must be bound to the TLS channel.
    pub channel_binding: ChannelBinding,
    /// Try the hosts in random order.
    pub shuffle_hosts: bool,
    /// Encryption.
    pub tls: TlsSettings,
}

/// When to probe a silent connection, and when to give it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalives {
    /// Silence before the first probe.
    pub idle: Duration,
    /// Time between probes.
    pub interval: Duration,
    /// Unanswered probes before the connection is given up.
    pub count: u32,
}

/// A dead peer is noticed after a minute. The kernel's defaults take two hours.
const KEEPALIVES: Keepalives =
    Keepalives { idle: Duration::from_secs(30), interval: Duration::from_secs(10), count: 3 };

/// Longer than a server may stall: the kernel also counts the time in which the server's
/// receive window is closed because its disk or a lock holds a COPY up.
const TCP_USER_TIMEOUT: Duration = Duration::from_secs(300);

/// libpq waits for ever, which in a cron job is an alarm nobody hears.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

impl Settings {
    /// A server on this machine behind a Unix socket in `folder`.
    pub fn of_socket(folder: &Path, port: u16, user: &str, dbname: &str) -> Self {
        Settings {
            hosts: vec![HostSpec {
                host: folder.display().to_string(),
                address: None,
                port,
                password: None,
            }],
            user: user.to_owned(),
            dbname: dbname.to_owned(),
            application_name: None,
            options: None,
            connect_timeout: Some(CONNECT_TIMEOUT),
            keepalives: Some(KEEPALIVES),
            tcp_user_timeout: Some(TCP_USER_TIMEOUT),
            target_session_attrs: TargetSessionAttrs::Any,
            channel_binding: ChannelBinding::Prefer,
            shuffle_hosts: false,
            tls: TlsSettings::off(),
        }
    }

    pub(crate) fn from_parameters(
        parameters: &Parameters,
        environment: &Environment,
    ) -> Result<Self> {
        parameters.check()?;
        let user = parameters
            .get("user")
            .or(environment.os_user())
            .ok_or_else(|| Error::new("no user name").next("set PGUSER or user=…"))?
            .to_owned();
        let dbname = parameters.get("dbname").unwrap_or(&user).to_owned();
        let mut hosts = hosts(parameters)?;
        for host in &mut hosts {
            host.password = password(parameters, environment, host, &dbname, &user);
        }
        let application_name =
            parameters.get("application_name").or(parameters.get("fallback_application_name"));
        Ok(Settings {
            hosts,
            user,
            dbname,
            application_name: application_name.map(str::to_owned),
            options: parameters.get("options").map(str::to_owned),
            connect_timeout: match seconds(parameters, "connect_timeout")? {
                None => Some(CONNECT_TIMEOUT),
                Some(0) => None,
                // libpq's floor: a timeout of one second fails for no reason.
                Some(n) => Some(Duration::from_secs(n.max(2))),
            },
            keepalives: keepalives(parameters)?,
            tcp_user_timeout: match seconds(parameters, "tcp_user_timeout")? {
                None => Some(TCP_USER_TIMEOUT),
                Some(0) => None,
                // The only one of these in milliseconds.
                Some(n) => Some(Duration::from_millis(n)),
            },
            target_session_attrs: match parameters.get("target_session_attrs") {
                None | Some("any") => TargetSessionAttrs::Any,
                Some("read-write" | "primary") => TargetSessionAttrs::ReadWrite,
                Some("read-only") => TargetSessionAttrs::ReadOnly,
                Some(other) => {
                    let allowed = "any, read-write, primary, read-only";
                    return Err(invalid("target_session_attrs", other, allowed));
                }
            },
            channel_binding: match parameters.get("channel_binding") {
                None | Some("prefer") => ChannelBinding::Prefer,
                Some("disable") => ChannelBinding::Disable,
                Some("require") => ChannelBinding::Require,
                Some(other) => {
                    return Err(invalid("channel_binding", other, "disable, prefer, require"));
                }
            },
            shuffle_hosts: match parameters.get("load_balance_hosts") {
                None | Some("disable") => false,
                Some("random") => true,
                Some(other) => return Err(invalid("load_balance_hosts", other, "disable, random")),
            },
            tls: TlsSettings::from_parameters(parameters, environment)?,
        })
    }
}

/// How messages name the server: `user@host:port/database`, without secrets.
impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@", self.user)?;
        for (index, host) in self.hosts.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if host.host.contains(':') {
                write!(f, "{comma}[{}]:{}", host.host, host.port)?;
            } else {
                write!(f, "{comma}{}:{}", host.host, host.port)?;
            }
        }
        write!(f, "/{}", self.dbname)
    }
}

fn keepalives(parameters: &Parameters) -> Result<Option<Keepalives>> {
    if seconds(parameters, "keepalives")? == Some(0) {
        return Ok(None);
    }
    let positive = |keyword| Ok::<_, Error>(seconds(parameters, keyword)?.filter(|n| *n > 0));
    Ok(Some(Keepalives {
        idle: positive("keepalives_idle")?.map_or(KEEPALIVES.idle, Duration::from_secs),
        interval: positive("keepalives_interval")?.map_or(KEEPALIVES.interval, Duration::from_secs),
        count: positive("keepalives_count")?
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(KEEPALIVES.count),
    }))
}

/// A whole number; libpq takes a negative one for zero.
fn seconds(parameters: &Parameters, keyword: &str) -> Result<Option<u64>> {
    let Some(text) = parameters.get(keyword) else {
        return Ok(None);
    };
    match text.trim().parse::<i32>() {
        Ok(number) => Ok(Some(u64::try_from(number).unwrap_or(0))),
        Err(_) => Err(invalid(keyword, text, "a whole number")),
    }
}
