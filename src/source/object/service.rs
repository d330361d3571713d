//! An HTTP client for `object_store` that retries by the budget of the run and keeps error responses.

use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService, ReqwestConnector,
};

use super::error_response::{ErrorResponse, tag};
use super::keys::escape_keys;
use crate::error::Error;
use crate::retry::{Budget, RetryError};

/// Without a metadata service nobody answers, so these requests are retried less.
const METADATA_RETRIES: u32 = 2;
/// The longest Retry-After that is obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Error responses of stores are short.
const LONGEST_REFUSAL: usize = 64 * 1024;
/// Pages of listings have at most 5,000 keys of 1 KiB.
const LONGEST_PAGE: usize = 64 * 1024 * 1024;

/// Makes clients that retry by the budget of the run.
#[derive(Debug, Clone)]
pub(super) struct RetryingConnector(pub(super) Arc<Budget>);

impl HttpConnector for RetryingConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(RetryingService {
            options: options.clone(),
            budget: Arc::clone(&self.0),
            client: OnceLock::new(),
        }))
    }
}

/// Retries transient failures; every other failure becomes a [`StoreError`].
#[derive(Debug)]
struct RetryingService {
    options: ClientOptions,
    budget: Arc<Budget>,
    /// Created for the first request, as reading the system's certificates takes time.
    client: OnceLock<HttpClient>,
}

/// A failed request.
#[derive(Debug)]
pub(super) struct StoreError {
    /// The host of the request.
    pub(super) host: String,
    pub(super) what: StoreErrorKind,
    /// Seconds to wait before another try, as the server asked.
    wait: Duration,
}

/// How a request failed.
#[derive(Debug)]
pub(super) enum StoreErrorKind {
    /// An error status.
    Refused(ErrorResponse),
    /// No answer, or only part of one.
    Broken(HttpError),
    /// The response is invalid.
    Invalid(&'static str),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            StoreErrorKind::Refused(refusal) => write!(f, "{} answered {refusal}", self.host),
            StoreErrorKind::Broken(error) => write!(f, "{}: {}", self.host, innermost(error)),
            StoreErrorKind::Invalid(what) => write!(f, "{} {what}", self.host),
        }
    }
}

impl StdError for StoreError {}

/// The innermost cause.
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

impl StoreError {
    /// The error behind one of the library.
    pub(super) fn behind<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a StoreError> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(failure) = error.downcast_ref() {
                return Some(failure);
            }
            next = error.source();
        }
        None
    }

    /// Whether the same request may succeed later.
    pub(super) fn is_transient(&self) -> bool {
        match &self.what {
            StoreErrorKind::Refused(refusal) => refusal.is_transient(),
            // Names that do not resolve and invalid certificates look like a network that is down.
            // Unknown errors come from before the request.
            StoreErrorKind::Broken(error) => error.kind() != HttpErrorKind::Unknown,
            StoreErrorKind::Invalid(_) => false,
        }
    }

    /// Whether the error comes from a provider of credentials instead of the store.
    pub(super) fn is_about_credentials(&self) -> bool {
        gives_credentials(&self.host)
    }
}

fn gives_credentials(host: &str) -> bool {
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    matches!(
        host,
        "169.254.169.254"
            | "169.254.170.2"
            | "169.254.170.23"
            | "[fd00:ec2::23]"
            | "[fd00:ec2::254]"
            | "metadata.google.internal"
            | "metadata"
            | "oauth2.googleapis.com"
            | "login.microsoftonline.com"
    ) || host.starts_with("sts.")
        || host.starts_with("iamcredentials.")
}

#[async_trait]
impl HttpService for RetryingService {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let host = request
            .uri()
            .authority()
            .map(|authority| authority.as_str().to_owned())
            .unwrap_or_default();
        let tries = AtomicU32::new(0);
        let attempt = || async {
            let done = self.attempt(&host, request.clone()).await;
            done.map_err(|failure| {
                let is_enough = gives_credentials(&host)
                    && tries.fetch_add(1, Ordering::Relaxed) >= METADATA_RETRIES;
                let (is_transient, asked) = (failure.is_transient() && !is_enough, failure.wait);
                let error = Box::new(Error::failed(failure.to_string()).caused_by(failure));
                match is_transient {
                    true => {
                        RetryError::Transient { error, retry_after: Some(asked.min(LONGEST_WAIT)) }
                    }
                    false => RetryError::Permanent(error),
                }
            })
        };
        let done = self.budget.retrying("a request", attempt).await;
        done.map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))
    }
}

impl RetryingService {
    fn client(&self) -> Result<&HttpClient, HttpError> {
        if self.client.get().is_none() {
            let client = ReqwestConnector::default()
                .connect(&self.options)
                .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
            // Another request may have set it meanwhile.
            let _ = self.client.set(client);
        }
        self.client.get().ok_or_else(|| {
            HttpError::new(HttpErrorKind::Unknown, std::io::Error::other("no client"))
        })
    }

    async fn attempt(&self, host: &str, request: HttpRequest) -> Result<HttpResponse, StoreError> {
        let failed = |what, wait| StoreError { host: host.to_owned(), what, wait };
        let broken = |error| failed(StoreErrorKind::Broken(error), Duration::ZERO);
        let is_listing = request.uri().query().is_some_and(|query| {
            query.split('&').any(|pair| pair == "list-type=2" || pair == "comp=list")
        });
        let client = self.client().map_err(broken)?;
        let response = client.execute(request).await.map_err(broken)?;
        let (parts, body) = response.into_parts();
        if !parts.status.is_success() {
            let header = |name: &str| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
            let wait = header("retry-after").and_then(|text| text.trim().parse().ok());
            let region = header("x-amz-bucket-region");
            let body = beginning(body, LONGEST_REFUSAL).await.unwrap_or_default();
            let refusal =
                ErrorResponse::new(parts.status.as_u16(), &String::from_utf8_lossy(&body), region);
            let wait = Duration::from_secs(wait.unwrap_or_default());
            return Err(failed(StoreErrorKind::Refused(refusal), wait));
        }
        if !is_listing {
            return Ok(HttpResponse::from_parts(parts, body));
        }
        // Read the whole page here, so that it can be retried.
        let page = beginning(body, LONGEST_PAGE)
            .await
            .map_err(|error| broken(HttpError::new(HttpErrorKind::Interrupted, error)))?;
        if page.len() == LONGEST_PAGE {
            let what = StoreErrorKind::Invalid("answered with a listing of more than 64 MiB");
            return Err(failed(what, Duration::ZERO));
        }
        let text = String::from_utf8_lossy(&page);
        if tag(&text, "IsTruncated") == Some("true")
            && tag(&text, "NextContinuationToken").is_none_or(str::is_empty)
        {
            let what = StoreErrorKind::Invalid("says that a listing goes on, but not where");
            return Err(failed(what, Duration::ZERO));
        }
        // The library takes any other document for an empty page.
        if !["<ListBucketResult", "<EnumerationResults"].iter().any(|root| text.contains(root)) {
            let what = StoreErrorKind::Invalid("answered with no listing");
            return Err(failed(what, Duration::ZERO));
        }
        Ok(HttpResponse::from_parts(parts, escape_keys(&text).into()))
    }
}

/// At most so many bytes of a body.
async fn beginning(body: HttpResponseBody, limit: usize) -> Result<Bytes, HttpError> {
    let mut chunks = body.bytes_stream();
    let mut read = BytesMut::new();
    while read.len() < limit
        && let Some(chunk) = chunks.try_next().await?
    {
        read.extend_from_slice(&chunk);
    }
    read.truncate(limit);
    Ok(read.freeze())
}
