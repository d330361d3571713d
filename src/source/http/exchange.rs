//! Fetches one page: request, redirects, error statuses, retries.

mod ask;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{StatusCode, Url};

use super::page::{Page, PageReader};
use super::paging::PagePosition;
use super::request::{PageRequest, RequestScope};
use super::settings::{HttpSettings, ResponseFormat};
use crate::error::{Error, Result};
use crate::http::auth::Auth;
use crate::http::transport::{Hosts, Reply, Transport, permanent};
use crate::retry::{Budget, RetryError};
use crate::secret::Redactor;
use crate::source::SourceContext;
use crate::source::records::Format;

pub(crate) struct Exchange {
    pub(crate) settings: HttpSettings,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) hosts: Hosts,
    accept: &'static str,
    headers: HeaderMap,
    transport: Transport,
    auth: Auth,
    reader: PageReader,
    budget: Arc<Budget>,
}

/// Why a page could not be fetched.
pub(crate) enum FetchError {
    /// The server answered with an error status that is not retried.
    Status(Box<StatusError>),
    Other(Error),
}

impl From<Box<StatusError>> for FetchError {
    fn from(error: Box<StatusError>) -> Self {
        FetchError::Status(error)
    }
}

impl From<Error> for FetchError {
    fn from(error: Error) -> Self {
        FetchError::Other(error)
    }
}

/// A final answer with an error status.
#[derive(Debug)]
pub(crate) struct StatusError {
    pub(crate) status: StatusCode,
    pub(crate) error: Error,
    /// The origin that records of the page would have.
    pub(crate) origin: String,
}

impl StatusError {
    /// Whether the page may have existed once.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::GONE)
    }
}

impl Exchange {
    pub(crate) fn new(
        settings: HttpSettings,
        content: ResponseFormat,
        context: &SourceContext,
    ) -> Result<Self> {
        let redactor = Arc::clone(&context.secrets);
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let unusable = |_| {
                Error::usage(format!("the header `{name}` cannot be sent as it is set"))
                    .next("correct `headers`")
            };
            let name: HeaderName = name.parse().map_err(|_| unusable(()))?;
            headers.insert(name, value.parse().map_err(|_| unusable(()))?);
        }
        Ok(Exchange {
            transport: Transport::new(
                &settings.url,
                settings.ca_file.as_deref(),
                settings.limits(),
                context.host.clone(),
            )?,
            hosts: Hosts::new(settings.url.clone(), settings.allow_hosts.clone()),
            auth: Auth::new(settings.auth.clone(), Arc::clone(&redactor), context.host.clone())?,
            accept: match content.format {
                Format::Json => "application/json, */*;q=0.5",
                _ => "*/*",
            },
            reader: PageReader::new(&settings, content, Arc::clone(&redactor)),
            headers,
            redactor,
            budget: Arc::clone(&context.budget),
            settings,
        })
    }

    /// Fetches the page at `at`; says how often it was retried.
    pub(crate) async fn fetch(
        self: Arc<Self>,
        at: &PagePosition,
        scope: &RequestScope,
    ) -> Result<(Page, u32), FetchError> {
        let request = PageRequest::new(&self.settings, at, scope)?;
        // A link may come from the cursor, which database users can write.
        self.hosts.check(&request.url, "the page to go on with", &self.redactor)?;
        let request = Arc::new(request);
        let tries = AtomicU32::new(0);
        let step = || {
            let tries = tries.fetch_add(1, Ordering::Relaxed) + 1;
            Arc::clone(&self).try_once(Arc::clone(&request), tries)
        };
        let shown = request.shown(&self.redactor);
        let page = self.budget.retrying(shown, step).await?;
        let retried = tries.load(Ordering::Relaxed) - 1;
        self.budget.progressed();
        Ok((page?, retried))
    }

    /// The decoded answer for the page at `at`, unparsed.
    pub(crate) async fn answer(&self, at: &PagePosition, scope: &RequestScope) -> Result<Reply> {
        let request = PageRequest::new(&self.settings, at, scope)?;
        let shown = request.shown(&self.redactor);
        let step = async || match self.ask(&request).await {
            Ok(Ok((_, reply))) => self.transport.decode(reply, &shown),
            Ok(Err(status_error)) => Err(permanent(status_error.error)),
            Err(trouble) => Err(trouble),
        };
        let step = async || {
            step().await.map_err(|trouble| self.transport.wait_or_give_up(trouble, &self.redactor))
        };
        self.budget.retrying(&shown, step).await
    }

    async fn try_once(
        self: Arc<Self>,
        request: Arc<PageRequest>,
        tries: u32,
    ) -> Result<Result<Page, Box<StatusError>>, RetryError> {
        let done = match self.ask(&request).await {
            Ok(Ok((url, reply))) => {
                // Decoding and slicing would block the runtime.
                let exchange = Arc::clone(&self);
                let read = move || exchange.read(&request, url, reply, tries);
                match tokio::task::spawn_blocking(read).await {
                    Ok(page) => page.map(Ok),
                    Err(cause) => {
                        let error = Error::failed("a page was given up").caused_by(cause);
                        Err(permanent(error))
                    }
                }
            }
            Ok(Err(status_error)) => Ok(Err(status_error)),
            Err(trouble) => Err(trouble),
        };
        done.map_err(|trouble| self.transport.wait_or_give_up(trouble, &self.redactor))
    }

    fn read(
        &self,
        request: &PageRequest,
        url: Url,
        reply: Reply,
        tries: u32,
    ) -> Result<Page, RetryError> {
        let reply = self.transport.decode(reply, &request.shown(&self.redactor))?;
        self.reader.read(request, url, &reply, tries)
    }
}
