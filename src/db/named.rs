//! Databases that a pipeline names: connection strings that are kept on the host.

use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::secret::{Redactor, Secret, SecretLocation};
use libpq_conninfo::{Environment, RootCertificates, Settings};

/// Parameters of a connection string that would lead to other files of the loader.
const OF_THE_LOADER: [&str; 3] = ["passfile", "service", "servicefile"];

/// Where the string kept in `location` leads, if this host allows it; `what` is connected that way.
pub(super) fn named(
    location: &SecretLocation,
    what: &str,
    host: &HostRules,
    secrets: &Redactor,
) -> Result<Settings> {
    let settings = parse(location.read(host)?.expose(), what)
        .map_err(|error| error.context(&format!("the connection of the {what} ({location})")))?;
    ask(&settings, host)?;
    let passwords = settings.hosts.iter().filter_map(|to| to.password.as_ref());
    for password in passwords {
        secrets.add(&Secret::new(password.reveal().to_owned()));
    }
    Ok(settings)
}

/// The server that a connection string leads to; nothing of the loader's own environment is
/// added to it.
fn parse(text: &str, what: &str) -> Result<Settings> {
    let is_named = |name: &str| {
        text.match_indices(name).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let is_word = before.is_none_or(|c| c.is_whitespace() || c == '?' || c == '&');
            is_word && text[at + name.len()..].trim_start().starts_with('=')
        })
    };
    if let Some(name) = OF_THE_LOADER.iter().find(|name| is_named(name)) {
        return Err(Error::usage(format!("\"{name}\" cannot be used for a {what}"))
            .next("write host, user and password into the connection string"));
    }
    let user = Environment::of_process();
    let environment = Environment::of(user.os_user().unwrap_or_default(), "/nonexistent", []);
    Ok(Settings::parse(text, &environment)?)
}

/// Whether this host gives what the connection leads to.
fn ask(server: &Settings, host: &HostRules) -> Result<()> {
    for to in &server.hosts {
        match to.is_socket() {
            true => host.file(to.host.as_ref())?,
            false if to.host.contains(':') => host.host(&format!("[{}]:{}", to.host, to.port))?,
            false => host.host(&format!("{}:{}", to.host, to.port))?,
        }
        if let Some(address) = to.address {
            host.host(&std::net::SocketAddr::new(address, to.port).to_string())?;
        }
    }
    let roots = match &server.tls.roots {
        Some(RootCertificates::File(file)) => Some(file),
        _ => None,
    };
    let identity = server.tls.identity.iter().flat_map(|(certificate, key)| [certificate, key]);
    roots.into_iter().chain(identity).try_for_each(|file| host.file(file))
}
