//! Where the database is: the command line, `DATABASE_URL`, libpq's own conventions, or
//! none of them, which means the embedded server.
//!
//! libpq's rules are followed so that a target that works in `psql` works here: what the
//! connection string says wins over the service file, that over the `PG*` variables, those
//! over the defaults. A parameter that cannot be honoured is an error, never ignored, unless
//! ignoring it is harmless.

mod conninfo;
mod environment;
mod hosts;
mod keywords;
mod passfile;
mod service;
mod settings;
mod tls;

pub use environment::Environment;
pub use hosts::{HostSpec, Password};
pub use settings::{Keepalives, Settings};
pub use tls::{RootCertificates, SslMode, TlsSettings};

use crate::error::{Error, Result};
use conninfo::Parameters;
use std::fmt;

/// The variables that by themselves say "there is a server": the others only refine.
const NAMING_A_SERVER: [&str; 6] = [
    "PGHOST",
    "PGHOSTADDR",
    "PGSERVICE",
    "PGDATABASE",
    "PGPORT",
    "PGUSER",
];

/// The database to work on.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one per process")]
pub enum Target {
    /// A server the user named.
    Server(Settings),
    /// Nobody named a server: the private one under `.sluice/`.
    Embedded,
}

impl Target {
    /// Finds the target: `database_url` (the `--database-url` flag), else `DATABASE_URL`,
    /// else libpq's environment, else the embedded server.
    pub fn resolve(database_url: Option<&str>) -> Result<Target> {
        Self::resolve_in(database_url, &Environment::of_process())
    }

    /// [`Target::resolve`] in a given environment.
    pub fn resolve_in(database_url: Option<&str>, environment: &Environment) -> Result<Target> {
        let flag = database_url.filter(|url| !url.trim().is_empty());
        let (text, origin) = match (flag, environment.get("DATABASE_URL")) {
            (Some(flag), _) => (Some(flag), "--database-url"),
            (None, Some(url)) => (Some(url), "DATABASE_URL"),
            (None, None) => (None, "the environment"),
        };
        let written = match text {
            Some(text) => Parameters::parse(text)
                .map_err(|error| error.detail(format!("this was read from {origin}")))?,
            None if NAMING_A_SERVER
                .iter()
                .any(|name| environment.get(name).is_some()) =>
            {
                Parameters::default()
            }
            None => return Ok(Target::Embedded),
        };
        let complete = complete(written, environment)?;
        Ok(Target::Server(Settings::from_parameters(
            &complete,
            environment,
        )?))
    }
}

/// Fills what the connection string left open: first from the service, then from `PG*`.
fn complete(mut written: Parameters, environment: &Environment) -> Result<Parameters> {
    let service = written
        .get("service")
        .or_else(|| environment.get("PGSERVICE"))
        .map(str::to_owned);
    if let Some(name) = service {
        let file = written.get("servicefile").map(str::to_owned);
        written.fill_from(&service::read(&name, file.as_deref(), environment)?);
    }
    written.fill_from(&Parameters::from_environment(environment));
    Ok(written)
}

/// How messages name the target: `user@host:port/database`, without secrets.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Server(settings) => settings.fmt(f),
            Target::Embedded => f.write_str("the embedded server"),
        }
    }
}

/// A parameter whose value is not one of those libpq knows.
fn invalid(key: &str, value: &str, allowed: &str) -> Error {
    Error::usage(format!("invalid value \"{value}\" for \"{key}\""))
        .next(format!("use one of: {allowed}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
