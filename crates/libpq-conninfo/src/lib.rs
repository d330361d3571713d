#![doc = include_str!("../README.md")]

mod attempt;
mod connector;
mod conninfo;
mod environment;
mod error;
mod hosts;
mod keywords;
mod passfile;
mod service;
mod settings;
mod tls;

pub use attempt::cause;
pub use connector::{Handshake, HandshakeFailed, Tls};
pub use environment::Environment;
pub use error::{Error, Result};
pub use hosts::{HostSpec, Password};
pub use settings::{Keepalives, Settings};
pub use tls::{RootCertificates, SslMode, TlsSettings};

use conninfo::Parameters;

/// The variables that by themselves say "there is a server": the others only refine.
const NAMING_A_SERVER: [&str; 6] =
    ["PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE", "PGPORT", "PGUSER"];

impl Settings {
    /// The settings a connection string asks for; what it leaves open comes from its service,
    /// then from the `PG*` variables, then from libpq's defaults.
    pub fn parse(conninfo: &str, environment: &Environment) -> Result<Settings> {
        Self::complete(Parameters::parse(conninfo)?, environment)
    }

    /// The settings of the environment alone; `None`: it names no server.
    pub fn from_environment(environment: &Environment) -> Result<Option<Settings>> {
        let is_named = NAMING_A_SERVER.iter().any(|name| environment.get(name).is_some());
        is_named.then(|| Self::complete(Parameters::default(), environment)).transpose()
    }

    fn complete(mut written: Parameters, environment: &Environment) -> Result<Settings> {
        let service =
            written.get("service").or_else(|| environment.get("PGSERVICE")).map(str::to_owned);
        if let Some(name) = service {
            let file = written.get("servicefile").map(str::to_owned);
            written.fill_from(&service::read(&name, file.as_deref(), environment)?);
        }
        written.fill_from(&Parameters::from_environment(environment));
        Settings::from_parameters(&written, environment)
    }
}

/// A parameter whose value is not one of those libpq knows.
fn invalid(key: &str, value: &str, allowed: &str) -> Error {
    Error::new(format!("invalid value \"{value}\" for \"{key}\""))
        .next(format!("use one of: {allowed}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
