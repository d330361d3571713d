//! The certificate authorities that are trusted.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::error::{Error, Result};

/// Trust in the system's authorities and in those of `ca_file`. The provider is given
/// explicitly: a library has no business setting the one of the process.
pub(super) fn trusting(ca_file: Option<&Path>) -> Result<ClientConfig> {
    static SYSTEM: OnceLock<RootCertStore> = OnceLock::new();
    let system = SYSTEM.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        roots
    });
    let mut roots = system.clone();
    if let Some(path) = ca_file {
        let unusable = || {
            Error::usage(format!("the ca_file `{}` cannot be used", path.display()))
                .next("name a PEM file with certificates")
        };
        let certificates: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(|cause| unusable().caused_by(cause))?;
        if certificates.is_empty() {
            return Err(unusable());
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|cause| unusable().caused_by(cause))?;
        }
    }
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::failed("TLS cannot be set up").caused_by(cause))
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
}
