//! An HTTP client for stores that retries, and keeps refusals whole.

use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};

use super::keys::disguised;
use super::refusal::{Refusal, tag};
use crate::error::Error;
use crate::retry::{Budget, Trouble};

/// A machine without a metadata service does not answer, so it is not asked for long.
const METADATA_RETRIES: u32 = 2;
/// The longest a server may ask us to wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Refusals are short; whatever is longer does not come from a store.
const LONGEST_REFUSAL: usize = 64 * 1024;

/// Makes clients that are patient, as far as the budget of the run goes.
#[derive(Debug, Clone)]
pub(super) struct Connector(pub(super) Arc<Budget>);

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(RetryingService {
            options: options.clone(),
            budget: Arc::clone(&self.0),
            client: OnceLock::new(),
        }))
    }
}

/// Repeats requests that failed in passing, and turns every other failure into a [`Failure`].
#[derive(Debug)]
struct RetryingService {
    options: ClientOptions,
    budget: Arc<Budget>,
    /// Made for the first request: a client for credentials may never see one, and to make
    /// one takes time, for the certificates of the system are read.
    client: OnceLock<HttpClient>,
}

/// A request that failed for good.
#[derive(Debug)]
pub(super) struct Failure {
    /// Who was asked.
    pub(super) host: String,
    pub(super) what: FailureKind,
    /// Seconds to wait before another try, as the server asked.
    wait: Duration,
}

/// How a request failed.
#[derive(Debug)]
pub(super) enum FailureKind {
    /// The server answered, and said no.
    Refused(Refusal),
    /// No answer came, or only a part of one.
    Broken(HttpError),
    /// The answer cannot be relied on.
    Senseless(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            FailureKind::Refused(refusal) => write!(f, "{} answered {refusal}", self.host),
            FailureKind::Broken(error) => write!(f, "{}: {}", self.host, innermost(error)),
            FailureKind::Senseless(what) => write!(f, "{} {what}", self.host),
        }
    }
}

impl StdError for Failure {}

/// The cause at the end of the chain: what the system said.
pub(super) fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

impl Failure {
    /// Finds the failure behind an error of the library.
    pub(super) fn behind<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a Failure> {
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
    pub(super) fn passes(&self) -> bool {
        match &self.what {
            FailureKind::Refused(refusal) => refusal.passes(),
            // A name that does not resolve and a certificate that does not fit are not told
            // apart from a network that is down. What is unknown was not even asked.
            FailureKind::Broken(error) => error.kind() != HttpErrorKind::Unknown,
            FailureKind::Senseless(_) => false,
        }
    }

    /// Whether the error comes not from the store, but from whoever gives credentials for it.
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
                let (passes, asked) = (failure.passes() && !is_enough, failure.wait);
                let error = Box::new(Error::failed(failure.to_string()).caused_by(failure));
                match passes {
                    true => Trouble::Passing {
                        error,
                        asked: Some(asked.min(LONGEST_WAIT)),
                    },
                    false => Trouble::Fatal(error),
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
            // Another request may have made one meanwhile.
            let _ = self.client.set(client);
        }
        self.client.get().ok_or_else(|| {
            HttpError::new(HttpErrorKind::Unknown, std::io::Error::other("no client"))
        })
    }

    async fn attempt(&self, host: &str, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let failed = |what, wait| Failure {
            host: host.to_owned(),
            what,
            wait,
        };
        let broken = |error| failed(FailureKind::Broken(error), Duration::ZERO);
        let is_listing = request.uri().query().is_some_and(|query| {
            query
                .split('&')
                .any(|pair| pair == "list-type=2" || pair == "comp=list")
        });
        let client = self.client().map_err(broken)?;
        let response = client.execute(request).await.map_err(broken)?;
        let (parts, body) = response.into_parts();
        if !parts.status.is_success() {
            let header = |name: &str| Some(parts.headers.get(name)?.to_str().ok()?.to_owned());
            let wait = header("retry-after").and_then(|text| text.trim().parse().ok());
            let region = header("x-amz-bucket-region");
            let mut body = body.bytes().await.unwrap_or_default();
            body.truncate(LONGEST_REFUSAL);
            let refusal = Refusal::new(
                parts.status.as_u16(),
                &String::from_utf8_lossy(&body),
                region,
            );
            let wait = Duration::from_secs(wait.unwrap_or_default());
            return Err(failed(FailureKind::Refused(refusal), wait));
        }
        if !is_listing {
            return Ok(HttpResponse::from_parts(parts, body));
        }
        // A page that comes whole or not at all can be asked for again.
        let page = body
            .bytes()
            .await
            .map_err(|error| broken(HttpError::new(HttpErrorKind::Interrupted, error)))?;
        let text = String::from_utf8_lossy(&page);
        if tag(&text, "IsTruncated") == Some("true")
            && tag(&text, "NextContinuationToken").is_none_or(str::is_empty)
        {
            let what = FailureKind::Senseless("says that a listing goes on, but not where");
            return Err(failed(what, Duration::ZERO));
        }
        // The library takes any other document for an empty page.
        if !["<ListBucketResult", "<EnumerationResults"]
            .iter()
            .any(|root| text.contains(root))
        {
            let what = FailureKind::Senseless("answered with no listing");
            return Err(failed(what, Duration::ZERO));
        }
        Ok(HttpResponse::from_parts(parts, disguised(&text).into()))
    }
}
