//! Sends one request and receives its complete answer: TLS, timeouts, rate, size, and proof of completeness.

mod encoding;
mod errors;
mod hosts;
mod limits;
mod tls;

use std::net::IpAddr;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, TRANSFER_ENCODING};
use reqwest::{Request, Response, StatusCode, Url};

use crate::error::{Error, Kind, Result};
use crate::host::HostRules;
use crate::retry::RetryError;
use crate::secret::Redactor;

pub(crate) use encoding::ACCEPTED as ACCEPTED_ENCODINGS;
pub(crate) use errors::{permanent, transient, with_excerpt};
pub(crate) use hosts::Hosts;
use limits::Pacer;
pub(crate) use limits::{asked_pause, asks_for_pause, is_spent};

/// Bytes of the body of an error that are read.
const EXCERPT: usize = 64 * 1024;

/// A body of fewer bytes than this within the read timeout has failed.
const TRICKLE: usize = 512;

/// Timeouts and limits.
#[derive(Debug, Clone)]
pub(crate) struct TransportLimits {
    pub(crate) connect_timeout: Duration,
    /// The longest time without [`TRICKLE`] bytes.
    pub(crate) read_timeout: Duration,
    /// From the request to the last byte of its answer.
    pub(crate) request_timeout: Duration,
    /// The longest pause that the server may ask for.
    pub(crate) max_wait: Duration,
    /// The most bytes of an answer, decoded.
    pub(crate) max_bytes: usize,
    /// The setting that raises it, if there is one.
    pub(crate) max_bytes_setting: Option<&'static str>,
    pub(crate) requests_per_second: Option<f64>,
}

/// A complete answer. The body of a successful one is still encoded.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Its length was declared or its end marked, so it is not truncated.
    pub(crate) is_proven: bool,
}

#[derive(Debug)]
pub(crate) struct Transport {
    client: reqwest::Client,
    pacer: Pacer,
    limits: TransportLimits,
    host: HostRules,
}

impl Transport {
    /// A transport for requests to `home`, and to where it redirects.
    pub(crate) fn new(
        home: &Url,
        ca_file: Option<&Path>,
        limits: TransportLimits,
        host: HostRules,
    ) -> Result<Self> {
        host.host(&authority(home))?;
        if let Some(ca_file) = ca_file {
            host.file(ca_file)?;
        }
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::trusting(ca_file)?)
            // Completeness of a body is proven for HTTP/1 only.
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(limits.connect_timeout)
            .read_timeout(limits.read_timeout)
            .timeout(limits.request_timeout)
            .user_agent(concat!("sluice/", env!("CARGO_PKG_VERSION")));
        if is_loopback(home) {
            // A proxy cannot reach it.
            builder = builder.no_proxy();
        }
        let client = builder
            .build()
            .map_err(|cause| Error::failed("the HTTP client cannot be set up").caused_by(cause))?;
        Ok(Transport { client, pacer: Pacer::new(limits.requests_per_second), limits, host })
    }

    /// Applies a pause that the server asks for to all requests; one over `max_wait` is permanent. Removes
    /// secrets, as servers may repeat what they were sent.
    pub(crate) fn wait_or_give_up(&self, trouble: RetryError, redactor: &Redactor) -> RetryError {
        let (error, asked) = match trouble {
            RetryError::Permanent(error) => {
                return permanent(error.reworded(|text| redactor.clean(text)));
            }
            RetryError::Transient { error, retry_after: asked } => (error, asked),
        };
        let error = error.reworded(|text| redactor.clean(text));
        let max_wait = self.limits.max_wait;
        match asked {
            Some(asked) if asked > max_wait => permanent(
                error
                    .with_kind(Kind::Exhausted)
                    .detail(format!(
                        "the server asks to be left alone for {} s, more than max_wait = {} s",
                        asked.as_secs(),
                        max_wait.as_secs()
                    ))
                    .next("run again after that, or raise max_wait"),
            ),
            asked => {
                self.pacer.hold(asked.unwrap_or_default());
                RetryError::Transient { error: Box::new(error), retry_after: asked }
            }
        }
    }

    /// Sends a request, named `url` in messages.
    pub(crate) async fn send(&self, request: Request, url: &str) -> Result<Reply, RetryError> {
        self.host.host(&authority(request.url())).map_err(permanent)?;
        self.pacer.wait().await;
        let response = self
            .client
            .execute(request)
            .await
            .map_err(|cause| errors::of_transport(&format!("{url} gave no answer"), cause))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if status.is_success() && limits::is_spent(&headers) {
            self.wait_for_quota(&headers, url);
        }
        let is_empty = matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT);
        let is_measured =
            headers.contains_key(CONTENT_LENGTH) || headers.contains_key(TRANSFER_ENCODING);
        let is_encoded = !matches!(content_encoding(&headers).as_str(), "" | "identity");
        let body = match status.is_success() {
            _ if is_empty => Bytes::new(),
            true => self.receive(response, url).await?.into(),
            false => {
                let body = excerpt(response).await;
                encoding::beginning(body, &content_encoding(&headers), EXCERPT).into()
            }
        };
        Ok(Reply { status, headers, body, is_proven: is_measured || is_encoded || is_empty })
    }

    /// Pauses when the quota is used up, as the next request would be refused.
    fn wait_for_quota(&self, headers: &HeaderMap, url: &str) {
        let asked = limits::asked_pause(headers, SystemTime::now()).unwrap_or_default();
        let pause = asked.min(self.limits.max_wait);
        if !pause.is_zero() {
            tracing::info!(
                pause_ms = pause.as_millis() as u64,
                "the quota of {url} is spent: the next request waits until it is filled again"
            );
            self.pacer.hold(pause);
        }
    }

    async fn receive(&self, mut response: Response, url: &str) -> Result<Vec<u8>, RetryError> {
        let told = response.content_length().and_then(|len| usize::try_from(len).ok());
        if told.is_some_and(|len| len > self.limits.max_bytes) {
            return Err(self.too_large(url));
        }
        let mut body = Vec::with_capacity(told.unwrap_or(0));
        let (mut since, mut had) = (Instant::now(), 0);
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > self.limits.max_bytes => {
                    return Err(self.too_large(url));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(body),
                Err(cause) => {
                    let what = format!("the answer of {url} broke off after {} bytes", body.len());
                    return Err(errors::of_transport(&what, cause));
                }
            }
            if body.len() - had >= TRICKLE {
                (since, had) = (Instant::now(), body.len());
            } else if since.elapsed() > self.limits.read_timeout {
                return Err(transient(Error::failed(format!(
                    "the answer of {url} drips: {} bytes in the last {} s",
                    body.len() - had,
                    since.elapsed().as_secs()
                ))));
            }
        }
    }

    /// Decodes the body of a successful answer.
    pub(crate) fn decode(&self, reply: Reply, url: &str) -> Result<Reply, RetryError> {
        let encoding = content_encoding(&reply.headers);
        if reply.body.is_empty() && reply.status != StatusCode::OK {
            return Ok(reply);
        }
        match encoding::decode(reply.body.into(), &encoding, self.limits.max_bytes) {
            Ok(body) => Ok(Reply { body: body.into(), ..reply }),
            Err(encoding::DecodeError::TooLarge) => Err(self.too_large(url)),
            Err(encoding::DecodeError::Unknown(name)) => Err(permanent(
                Error::failed(format!("the answer of {url} is encoded as `{name}`")).next(format!(
                    "let the server send one of {}, as it was asked to",
                    encoding::ACCEPTED
                )),
            )),
            Err(encoding::DecodeError::Broken(cause)) => Err(transient(
                Error::failed(format!("the answer of {url} cannot be decompressed"))
                    .caused_by(cause),
            )),
        }
    }

    fn too_large(&self, url: &str) -> RetryError {
        let (limit, next) = match self.limits.max_bytes_setting {
            Some(setting) => {
                (format!("{setting} = "), format!("ask for smaller pages, or raise {setting}"))
            }
            None => (String::new(), "let the server answer with less".to_owned()),
        };
        let most = self.limits.max_bytes;
        permanent(
            Error::failed(format!("the answer of {url} has more than {limit}{most} bytes"))
                .next(next),
        )
    }
}

fn content_encoding(headers: &HeaderMap) -> String {
    let values: Vec<&str> =
        headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok()).collect();
    values.join(",").trim().to_ascii_lowercase()
}

/// The start of the body of an error, as far as it can be read.
async fn excerpt(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < EXCERPT
        && let Ok(Some(chunk)) = response.chunk().await
    {
        body.extend_from_slice(&chunk);
    }
    body
}

/// Host and port, as `SLUICE_ALLOW_HOSTS` names them.
pub(crate) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port_or_known_default() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
