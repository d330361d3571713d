//! One request and its whole answer: TLS, timeouts, pacing, size, and proof that nothing of
//! the body is missing.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use reqwest::{Request, Response, StatusCode, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::encoding::{self, Fault};
use super::limits::{self, Pacer};
use super::settings::Settings;
use super::trouble::Trouble;
use crate::error::{Error, Result};

/// As much of an error's body as is looked at.
const EXCERPT: usize = 64 * 1024;

/// An answer, whole and decoded.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    /// Its length was told or its end was marked: it cannot have been cut.
    pub(super) is_proven: bool,
}

#[derive(Debug)]
pub(super) struct Wire {
    client: reqwest::Client,
    pacer: Pacer,
    max_bytes: usize,
    max_wait: Duration,
}

impl Wire {
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(settings.ca_file.as_deref())?)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(settings.connect_timeout())
            .read_timeout(settings.read_timeout())
            .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")));
        if is_loopback(&settings.url) {
            // No proxy leads there, whatever the environment says of proxies.
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|cause| Error::failed("the HTTP client cannot be set up").caused_by(cause))?;
        Ok(Wire {
            client,
            pacer: Pacer::new(settings.requests_per_second),
            max_bytes: settings.max_page_bytes,
            max_wait: settings.max_wait(),
        })
    }

    /// No request for so long: the server asked for it.
    pub(super) fn hold(&self, pause: Duration) {
        self.pacer.hold(pause.min(self.max_wait));
    }

    /// Sends a request; `url` is how it is called in messages.
    pub(super) async fn send(&self, request: Request, url: &str) -> Result<Reply, Trouble> {
        self.pacer.wait().await;
        let response = self
            .client
            .execute(request)
            .await
            .map_err(|cause| Trouble::of_transport(&format!("{url} gave no answer"), cause))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let is_good = status.is_success();
        if is_good && limits::is_spent(&headers) {
            let pause = limits::asked_pause(&headers, SystemTime::now()).unwrap_or_default();
            self.hold(pause);
        }
        let is_measured =
            headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
        let encoding = content_encoding(&headers);
        let is_encoded = !matches!(encoding.as_str(), "" | "identity");
        let body = match is_good {
            true => self.receive(response, url).await?,
            false => excerpt(response).await,
        };
        let body = match encoding::decode(body, &encoding, self.max_bytes) {
            Ok(body) => body,
            Err(_) if !is_good => Vec::new(),
            Err(fault) => return Err(self.undecodable(fault, url)),
        };
        Ok(Reply {
            status,
            headers,
            body: body.into(),
            is_proven: is_measured || is_encoded || status == StatusCode::NO_CONTENT,
        })
    }

    async fn receive(&self, mut response: Response, url: &str) -> Result<Vec<u8>, Trouble> {
        let told = response
            .content_length()
            .and_then(|len| usize::try_from(len).ok());
        if told.is_some_and(|len| len > self.max_bytes) {
            return Err(self.too_large(url));
        }
        let mut body = Vec::with_capacity(told.unwrap_or(0));
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.max_bytes => {
                    return Err(self.too_large(url));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(cause) => {
                    let what = format!("the answer of {url} broke off after {} bytes", body.len());
                    return Err(Trouble::of_transport(&what, cause));
                }
            }
        }
    }

    fn too_large(&self, url: &str) -> Trouble {
        Trouble::fatal(
            Error::failed(format!(
                "the answer of {url} has more than max_page_bytes = {} bytes",
                self.max_bytes
            ))
            .next("ask for smaller pages, or raise max_page_bytes"),
        )
    }

    fn undecodable(&self, fault: Fault, url: &str) -> Trouble {
        match fault {
            Fault::TooLarge => self.too_large(url),
            Fault::Unknown(name) => Trouble::fatal(
                Error::failed(format!("the answer of {url} is encoded as `{name}`")).next(format!(
                    "let the server send one of {}, as it was asked to",
                    encoding::ACCEPTED
                )),
            ),
            Fault::Broken(cause) => Trouble::passing(
                Error::failed(format!("the answer of {url} cannot be decompressed"))
                    .caused_by(cause),
            ),
        }
    }
}

fn content_encoding(headers: &HeaderMap) -> String {
    let values: Vec<&str> = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    values.join(",").trim().to_ascii_lowercase()
}

/// The beginning of an answer that is an error anyway, as far as it can be had.
async fn excerpt(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < EXCERPT
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    body
}

/// Trust in the system's authorities and in those of `ca_file`. The provider is given
/// explicitly: a library has no business setting the one of the process.
fn tls(ca_file: Option<&Path>) -> Result<ClientConfig> {
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
            roots
                .add(certificate)
                .map_err(|cause| unusable().caused_by(cause))?;
        }
    }
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|cause| Error::failed("TLS cannot be set up").caused_by(cause))
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
