//! The TLS part of the settings, by libpq's rules for `sslmode` and `sslrootcert`.

use crate::conninfo::Parameters;
use crate::environment::Environment;
use crate::error::{Error, Result};
use crate::invalid;
use std::path::PathBuf;

/// How much protection of the connection is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslMode {
    /// Never encrypt.
    Disable,
    /// Encrypt only if the server refuses an unencrypted connection.
    Allow,
    /// Encrypt if the server can.
    Prefer,
    /// Encrypt or fail; the server's certificate is not looked at.
    Require,
    /// Encrypt, and the certificate must come from a trusted authority.
    VerifyCa,
    /// As [`SslMode::VerifyCa`], and the certificate must be for the host's name.
    VerifyFull,
}

/// The authorities a server's certificate may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootCertificates {
    /// A PEM file.
    File(PathBuf),
    /// Those of the operating system (`sslrootcert=system`).
    System,
}

/// Everything about TLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// The mode, after libpq's adjustments: `require` with root certificates is `verify-ca`.
    pub mode: SslMode,
    /// What certificates are checked against, in the verifying modes.
    pub roots: Option<RootCertificates>,
    /// Our certificate and its key, both PEM files.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Whether to send the host's name in the clear (SNI).
    pub server_name: bool,
    /// Refuse TLS 1.2.
    pub only_tls13: bool,
    /// Start with TLS instead of asking for it (`sslnegotiation=direct`).
    pub direct: bool,
}

impl TlsSettings {
    /// No TLS at all.
    pub(crate) fn off() -> Self {
        TlsSettings {
            mode: SslMode::Disable,
            roots: None,
            identity: None,
            server_name: true,
            only_tls13: false,
            direct: false,
        }
    }

    pub(crate) fn from_parameters(
        parameters: &Parameters,
        environment: &Environment,
    ) -> Result<Self> {
        let written_mode = parameters.get("sslmode").map(parse_mode).transpose()?;
        let (mode, roots) = decide(written_mode, parameters.get("sslrootcert"), environment)?;
        let direct = match parameters.get("sslnegotiation") {
            None | Some("postgres") => false,
            Some("direct") => true,
            Some(other) => return Err(invalid("sslnegotiation", other, "postgres, direct")),
        };
        if direct && matches!(mode, SslMode::Disable | SslMode::Allow | SslMode::Prefer) {
            return Err(Error::new("\"sslnegotiation=direct\" needs a stronger \"sslmode\"")
                .next("set sslmode=require, verify-ca or verify-full"));
        }
        let only_tls13 = match parameters.get("ssl_min_protocol_version") {
            None | Some("TLSv1" | "TLSv1.1" | "TLSv1.2") => false,
            Some("TLSv1.3") => true,
            Some(other) => {
                return Err(invalid("ssl_min_protocol_version", other, "TLSv1.2, TLSv1.3"));
            }
        };
        Ok(TlsSettings {
            mode,
            roots,
            identity: identity(parameters, environment)?,
            server_name: parameters.get("sslsni") != Some("0"),
            only_tls13,
            direct,
        })
    }
}

fn parse_mode(text: &str) -> Result<SslMode> {
    Ok(match text {
        "disable" => SslMode::Disable,
        "allow" => SslMode::Allow,
        "prefer" => SslMode::Prefer,
        "require" => SslMode::Require,
        "verify-ca" => SslMode::VerifyCa,
        "verify-full" => SslMode::VerifyFull,
        other => {
            return Err(invalid(
                "sslmode",
                other,
                "disable, allow, prefer, require, verify-ca, verify-full",
            ));
        }
    })
}

/// The mode in force and the roots it needs.
fn decide(
    mode: Option<SslMode>,
    sslrootcert: Option<&str>,
    environment: &Environment,
) -> Result<(SslMode, Option<RootCertificates>)> {
    if sslrootcert == Some("system") {
        // Anybody can get a certificate of a public authority, so only the name proves anything.
        return match mode {
            None | Some(SslMode::VerifyFull) => {
                Ok((SslMode::VerifyFull, Some(RootCertificates::System)))
            }
            Some(_) => {
                Err(Error::new("\"sslrootcert=system\" works only with \"sslmode=verify-full\"")
                    .next("set sslmode=verify-full, or leave sslmode out"))
            }
        };
    }
    let mode = mode.unwrap_or(SslMode::Prefer);
    let file = match sslrootcert {
        Some(file) => Some(PathBuf::from(file)),
        None => environment.in_home(".postgresql/root.crt"),
    };
    let existing = file.as_ref().filter(|file| file.exists()).cloned();
    match mode {
        SslMode::VerifyCa | SslMode::VerifyFull => match existing {
            Some(file) => Ok((mode, Some(RootCertificates::File(file)))),
            None => Err(Error::new(format!(
                "root certificate file \"{}\" does not exist",
                file.unwrap_or_default().display()
            ))
            .next(
                "provide the file, use the system's roots with sslrootcert=system, or change \
                 sslmode to disable the check of the server's certificate",
            )),
        },
        SslMode::Require => Ok(match existing {
            Some(file) => (SslMode::VerifyCa, Some(RootCertificates::File(file))),
            None => (SslMode::Require, None),
        }),
        SslMode::Disable | SslMode::Allow | SslMode::Prefer => Ok((mode, None)),
    }
}

/// The client's certificate and key: as written, or the default pair if it is there.
fn identity(
    parameters: &Parameters,
    environment: &Environment,
) -> Result<Option<(PathBuf, PathBuf)>> {
    let default_cert = environment.in_home(".postgresql/postgresql.crt");
    let default_key = environment.in_home(".postgresql/postgresql.key");
    let cert = match parameters.get("sslcert") {
        Some(cert) => Some(PathBuf::from(cert)),
        None => default_cert.filter(|cert| cert.exists()),
    };
    let Some(cert) = cert else { return Ok(None) };
    match parameters.get("sslkey").map(PathBuf::from).or(default_key) {
        Some(key) => Ok(Some((cert, key))),
        None => Err(Error::new(format!("certificate \"{}\" has no private key", cert.display()))
            .next("set sslkey to the file of the key")),
    }
}
