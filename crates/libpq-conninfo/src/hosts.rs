//! The addresses of a server, and the password for each.

use crate::conninfo::Parameters;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::passfile::{self, Wanted};
use std::fmt;
use std::net::IpAddr;
use std::path::Path;

const DEFAULT_PORT: u16 = 5432;

/// A password; it cannot be printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// One address of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSpec {
    /// A name, an IP address, or the folder of a Unix socket (starts with `/` or `@`).
    pub host: String,
    /// The address to connect to instead of looking `host` up.
    pub address: Option<IpAddr>,
    /// The TCP port, or the number in the socket's name.
    pub port: u16,
    /// The password for this host: written in the settings, or from the password file.
    pub password: Option<Password>,
}

impl HostSpec {
    /// Whether the connection goes through a Unix socket.
    pub fn is_socket(&self) -> bool {
        self.address.is_none() && self.host.starts_with(['/', '@'])
    }
}

/// Host, hostaddr and port are lists that go together; one port serves all hosts.
pub(crate) fn hosts(parameters: &Parameters) -> Result<Vec<HostSpec>> {
    let list = |keyword| -> Vec<&str> {
        parameters.get(keyword).map(|value| value.split(',').collect()).unwrap_or_default()
    };
    let (names, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    if !names.is_empty() && !addresses.is_empty() && names.len() != addresses.len() {
        return Err(Error::new(format!(
            "could not match {} host names to {} hostaddr values",
            names.len(),
            addresses.len()
        ))
        .next("give one hostaddr for each host"));
    }
    let count = names.len().max(addresses.len()).max(1);
    if ports.len() > 1 && ports.len() != count {
        return Err(Error::new(format!(
            "could not match {} port numbers to {count} hosts",
            ports.len()
        ))
        .next("give one port for all hosts, or one for each"));
    }
    (0..count)
        .map(|index| {
            let address = match addresses.get(index) {
                None | Some(&"") => None,
                Some(text) => Some(text.parse::<IpAddr>().map_err(|_| {
                    Error::new(format!("\"{text}\" in \"hostaddr\" is not an IP address"))
                        .next("write names in \"host\"")
                })?),
            };
            let host = match (names.get(index), address) {
                (Some(name), _) if !name.is_empty() => (*name).to_owned(),
                (_, Some(address)) => address.to_string(),
                _ => default_host(),
            };
            let port = match ports.get(index).or(ports.first()) {
                None | Some(&"") => DEFAULT_PORT,
                Some(text) => parse_port(text)?,
            };
            Ok(HostSpec { host, address, port, password: None })
        })
        .collect()
}

/// A port that is no number is not quoted: it may be a password with a `/` in it.
fn parse_port(text: &str) -> Result<u16> {
    let text = text.trim();
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err(Error::new(format!("port \"{text}\" is out of range"))
                .next("use a port from 1 to 65535"))
        }
        _ => Err(Error::new("the port is not a number").next(
            "write host:port; percent-encode \"/\", \"@\" and \":\" in the user name and the password of a URL",
        )),
    }
}

/// The folder where a local server's socket usually is, else `localhost`.
fn default_host() -> String {
    ["/var/run/postgresql", "/tmp"]
        .into_iter()
        .find(|folder| Path::new(folder).join(format!(".s.PGSQL.{DEFAULT_PORT}")).exists())
        .or_else(|| Some("/var/run/postgresql").filter(|folder| Path::new(folder).is_dir()))
        .unwrap_or("localhost")
        .to_owned()
}

/// The password for one host. The password file calls every local socket "localhost".
pub(crate) fn password(
    parameters: &Parameters,
    environment: &Environment,
    host: &HostSpec,
    dbname: &str,
    user: &str,
) -> Option<Password> {
    if let Some(password) = parameters.get("password") {
        return Some(Password(password.to_owned()));
    }
    let wanted = Wanted {
        host: if host.is_socket() { "localhost" } else { &host.host },
        port: host.port,
        dbname,
        user,
    };
    passfile::lookup(parameters.get("passfile"), environment, &wanted).map(Password)
}
