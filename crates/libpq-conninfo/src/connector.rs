//! rustls set up by libpq's `sslmode`.

use crate::error::{Error, Result};
use crate::{RootCertificates, Settings, SslMode, TlsSettings};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use std::error::Error as StdError;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::{fmt, io};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

impl Settings {
    /// The TLS connector for these settings; `None`: none of its connections may use TLS.
    /// Reads the certificates, connects to nothing.
    pub fn tls_connector(&self) -> Result<Option<Tls>> {
        let is_needed =
            self.tls.mode != SslMode::Disable && self.hosts.iter().any(|host| !host.is_socket());
        is_needed.then(|| connector(&self.tls)).transpose()
    }
}

/// The provider is given explicitly: a library has no business setting the one of the process.
fn connector(settings: &TlsSettings) -> Result<Tls> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions: &[&rustls::SupportedProtocolVersion] =
        if settings.only_tls13 { &[&rustls::version::TLS13] } else { rustls::ALL_VERSIONS };
    let failed = |error: rustls::Error| Error::new("TLS cannot be set up").caused_by(error);
    let verifier = Arc::new(ByMode::new(settings, &provider)?);
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .map_err(failed)?
        // "Dangerous" is rustls' word for not using its own policy.
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &settings.identity {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => builder
            .with_client_auth_cert(certificates(cert)?, private_key(key)?)
            .map_err(|error| {
                Error::new(format!(
                    "the certificate \"{}\" and the key \"{}\" cannot be used together",
                    cert.display(),
                    key.display()
                ))
                .caused_by(error)
            })?,
    };
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    config.enable_sni = settings.server_name;
    Ok(Tls(MakeRustlsConnect::new(config)))
}

/// rustls, with failures that say themselves that it was the handshake that failed.
#[derive(Clone)]
pub struct Tls(MakeRustlsConnect);

/// A connection was made but could not be encrypted. It is the cause of the client library's error.
#[derive(Debug)]
pub struct HandshakeFailed(io::Error);

impl fmt::Display for HandshakeFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for HandshakeFailed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

impl<S> MakeTlsConnect<S> for Tls
where
    MakeRustlsConnect: MakeTlsConnect<S>,
    Handshake<Shaking<S>>: TlsConnect<S>,
{
    type Stream = <Handshake<Shaking<S>> as TlsConnect<S>>::Stream;
    type TlsConnect = Handshake<Shaking<S>>;
    type Error = <MakeRustlsConnect as MakeTlsConnect<S>>::Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<Self::TlsConnect, Self::Error> {
        self.0.make_tls_connect(host).map(Handshake)
    }
}

type Shaking<S> = <MakeRustlsConnect as MakeTlsConnect<S>>::TlsConnect;

/// A handshake that is about to begin.
#[derive(Debug)]
pub struct Handshake<T>(T);

impl<S, T> TlsConnect<S> for Handshake<T>
where
    T: TlsConnect<S, Error = io::Error>,
    T::Future: Send + 'static,
{
    type Stream = T::Stream;
    type Error = HandshakeFailed;
    type Future = Pin<Box<dyn Future<Output = Result<T::Stream, HandshakeFailed>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        let shaken = self.0.connect(stream);
        Box::pin(async { shaken.await.map_err(HandshakeFailed) })
    }
}

/// Checks of the server's certificate, as strict as the mode asks.
#[derive(Debug)]
struct ByMode {
    mode: SslMode,
    provider: Arc<CryptoProvider>,
    /// In the verifying modes: the check of the chain, and the roots themselves.
    trust: Option<(Arc<WebPkiServerVerifier>, Vec<CertificateDer<'static>>)>,
}

impl ByMode {
    fn new(settings: &TlsSettings, provider: &Arc<CryptoProvider>) -> Result<Self> {
        let trust = match (settings.mode, &settings.roots) {
            (SslMode::VerifyCa | SslMode::VerifyFull, Some(roots)) => {
                let certificates = root_certificates(roots)?;
                let mut store = RootCertStore::empty();
                store.add_parsable_certificates(certificates.iter().cloned());
                let verifier = WebPkiServerVerifier::builder_with_provider(
                    Arc::new(store),
                    Arc::clone(provider),
                )
                .build()
                .map_err(|error| {
                    Error::new("the root certificates cannot be used").caused_by(error)
                })?;
                Some((verifier, certificates))
            }
            (SslMode::VerifyCa | SslMode::VerifyFull, None) => {
                return Err(Error::new("no root certificates to verify the server with")
                    .next("set sslrootcert to a file or to \"system\""));
            }
            _ => None,
        };
        Ok(ByMode { mode: settings.mode, provider: Arc::clone(provider), trust })
    }
}

impl ServerCertVerifier for ByMode {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some((chain, roots)) = &self.trust else {
            return Ok(ServerCertVerified::assertion());
        };
        let error = match chain.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        ) {
            Ok(verified) => return Ok(verified),
            Err(error) => error,
        };
        match &error {
            // webpki looks at the name last, so the chain was good.
            rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            ) if self.mode == SslMode::VerifyCa => Ok(ServerCertVerified::assertion()),
            // A self-signed server certificate that is its own root: OpenSSL, and so libpq,
            // takes it; webpki refuses any authority's certificate at the end of a chain,
            // after it has looked at the dates.
            rustls::Error::InvalidCertificate(CertificateError::Other(other))
                if other.0.downcast_ref() == Some(&webpki::Error::CaUsedAsEndEntity)
                    && roots.iter().any(|root| root == end_entity) =>
            {
                if self.mode == SslMode::VerifyFull {
                    verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                }
                Ok(ServerCertVerified::assertion())
            }
            _ => Err(error),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn root_certificates(roots: &RootCertificates) -> Result<Vec<CertificateDer<'static>>> {
    match roots {
        RootCertificates::File(file) => certificates(file),
        RootCertificates::System => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                let mut error = Error::new("the system has no root certificates")
                    .next("install the package ca-certificates, or set sslrootcert to a file");
                for cause in found.errors {
                    error = error.detail(cause.to_string());
                }
                return Err(error);
            }
            Ok(found.certs)
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let unreadable = |error| {
        Error::new(format!("certificate file \"{}\" cannot be read", file.display()))
            .next("it must be a PEM file (-----BEGIN CERTIFICATE-----)")
            .caused_by(error)
    };
    let found = CertificateDer::pem_file_iter(file)
        .map_err(unreadable)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    if found.is_empty() {
        return Err(Error::new(format!("there is no certificate in \"{}\"", file.display()))
            .next("it must be a PEM file (-----BEGIN CERTIFICATE-----)"));
    }
    Ok(found)
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>> {
    if let Ok(metadata) = std::fs::metadata(file) {
        // libpq's rule: private to its user, or root's and readable by a group.
        let forbidden = if metadata.uid() == 0 { 0o027 } else { 0o077 };
        if metadata.mode() & forbidden != 0 {
            return Err(Error::new(format!(
                "private key file \"{}\" has group or world access",
                file.display()
            ))
            .next("run chmod 0600 on it"));
        }
    }
    PrivateKeyDer::from_pem_file(file).map_err(|error| {
        Error::new(format!("private key file \"{}\" cannot be read", file.display()))
            .next("it must be a PEM file without a passphrase")
            .caused_by(error)
    })
}
