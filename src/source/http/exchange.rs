//! Gets one page: the request, redirects, refusals, retries.

mod ask;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::header::{HeaderMap, HeaderName};
use reqwest::{StatusCode, Url};

use super::page::{Page, Reader};
use super::paging::At;
use super::request::{Asked, PageRequest};
use super::settings::{Content, Settings};
use crate::error::{Error, Result};
use crate::http::auth::Auth;
use crate::http::transport::{Hosts, Reply, Transport, fatal};
use crate::retry::{Budget, Trouble};
use crate::secret::Redactor;
use crate::source::SourceContext;
use crate::source::records::Format;

pub(crate) struct Exchange {
    pub(crate) settings: Settings,
    pub(crate) redactor: Arc<Redactor>,
    pub(crate) hosts: Hosts,
    accept: &'static str,
    headers: HeaderMap,
    transport: Transport,
    auth: Auth,
    reader: Reader,
    budget: Arc<Budget>,
}

/// A final answer that is not a page.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) error: Error,
    /// What a page from there would have as its origin.
    pub(crate) origin: String,
}

impl Refusal {
    /// The source may once have known this page.
    pub(crate) fn is_forgotten(&self) -> bool {
        matches!(
            self.status,
            StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::GONE
        )
    }
}

/// The page, and how often it had to be asked for again; or that there is none.
pub(crate) type Fetched = std::result::Result<(Page, u32), Box<Refusal>>;

impl Exchange {
    pub(crate) fn new(
        settings: Settings,
        content: Content,
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
            auth: Auth::new(
                settings.auth.clone(),
                Arc::clone(&redactor),
                context.host.clone(),
            )?,
            accept: match content.format {
                Format::Json => "application/json, */*;q=0.5",
                _ => "*/*",
            },
            reader: Reader::new(&settings, content, Arc::clone(&redactor)),
            headers,
            redactor,
            budget: Arc::clone(&context.budget),
            settings,
        })
    }

    /// Fetches the page at `at`.
    pub(crate) async fn fetch(self: Arc<Self>, at: &At, asked: &Asked) -> Result<Fetched> {
        let request = PageRequest::new(&self.settings, at, asked)?;
        // A link may come from the cursor, which others can write.
        self.hosts
            .check(&request.url, "the page to go on with", &self.redactor)?;
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
        Ok(page.map(|page| (page, retried)))
    }

    /// The answer to the request for the page at `at`, decoded but not read.
    pub(crate) async fn answer(&self, at: &At, asked: &Asked) -> Result<Reply> {
        let request = PageRequest::new(&self.settings, at, asked)?;
        let shown = request.shown(&self.redactor);
        let step = async || match self.ask(&request).await {
            Ok(Ok((_, reply))) => self.transport.decode(reply, &shown),
            Ok(Err(refusal)) => Err(fatal(refusal.error)),
            Err(trouble) => Err(trouble),
        };
        let step = async || {
            step()
                .await
                .map_err(|trouble| self.transport.wait_or_give_up(trouble, &self.redactor))
        };
        self.budget.retrying(&shown, step).await
    }

    async fn try_once(
        self: Arc<Self>,
        request: Arc<PageRequest>,
        tries: u32,
    ) -> Result<std::result::Result<Page, Box<Refusal>>, Trouble> {
        let done = match self.ask(&request).await {
            Ok(Ok((url, reply))) => {
                // Decoding and slicing take time in which other answers arrive.
                let exchange = Arc::clone(&self);
                let read = move || exchange.read(&request, url, reply, tries);
                match tokio::task::spawn_blocking(read).await {
                    Ok(page) => page.map(Ok),
                    Err(cause) => {
                        let error = Error::failed("a page was given up").caused_by(cause);
                        Err(fatal(error))
                    }
                }
            }
            Ok(Err(refusal)) => Ok(Err(refusal)),
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
    ) -> Result<Page, Trouble> {
        let reply = self
            .transport
            .decode(reply, &request.shown(&self.redactor))?;
        self.reader.read(request, url, &reply, tries)
    }
}
