//! Fetches pages ahead of the reader.
//!
//! Where the next request is known before a page has arrived (page numbers, offsets), several are in
//! flight at once; otherwise (tokens, links) pages are fetched one after the other, but still ahead of
//! the reader. The pages that wait to be read are limited in number and in bytes.

mod requests;

use std::sync::Arc;

use reqwest::{StatusCode, Url};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use self::requests::Requests;
use super::exchange::{Exchange, FetchError, StatusError};
use super::page::Page;
use super::paging::{EndsAt, LastCounts, LoopGuard, NextPage, PageFacts, PagePosition, Repeat};
use super::request::RequestScope;
use crate::error::{Error, Result};

/// Bytes of pages that may wait to be read. The last one may exceed it.
const MAX_BUFFERED_BYTES: usize = 16 << 20;

/// A page and where it leads.
pub(crate) struct FetchedPage {
    pub(crate) at: PagePosition,
    pub(crate) next: Option<PagePosition>,
    /// The source did not promise the next page; it is requested to make sure.
    pub(crate) is_doubtful: bool,
    pub(crate) page: Page,
    /// How many records the source says there are in all.
    pub(crate) total: Option<u64>,
    /// The member that leads to the next page is absent, not just empty.
    pub(crate) lacks_next: bool,
    pub(crate) retried: u32,
    /// Its share of [`MAX_BUFFERED_BYTES`].
    _permit: OwnedSemaphorePermit,
}

/// Where a sweep is continued.
pub(crate) struct FetchStart {
    pub(crate) at: PagePosition,
    /// See [`FetchedPage::is_doubtful`].
    pub(crate) is_doubtful: bool,
    /// The digest of the page before it.
    pub(crate) before: Option<[u8; 12]>,
    pub(crate) scope: RequestScope,
    /// Pages and records that were read before.
    pub(crate) pages: u64,
    pub(crate) records: u64,
}

/// The pages of a sweep, from some page on. Dropped, it stops fetching.
pub(crate) struct PageFetcher {
    pages: mpsc::Receiver<Result<FetchedPage, FetchError>>,
}

impl PageFetcher {
    pub(crate) fn start(runtime: &Handle, exchange: &Arc<Exchange>, start: FetchStart) -> Self {
        let (sender, pages) = mpsc::channel(exchange.settings.prefetch.max(1));
        let task = SweepTask::new(exchange, &start, sender.clone());
        runtime.spawn(async move {
            tokio::select! {
                () = sender.closed() => {}
                done = task.run(start.at, start.is_doubtful) => if let Err(error) = done {
                    let _ = sender.send(Err(error)).await;
                }
            }
        });
        PageFetcher { pages }
    }

    /// Waits for the next page.
    pub(crate) fn next(&mut self) -> Result<FetchedPage, FetchError> {
        self.pages.blocking_recv().unwrap_or_else(|| {
            let error = Error::failed("fetching has ended before the pages did");
            Err(error.into())
        })
    }
}

struct SweepTask {
    exchange: Arc<Exchange>,
    requests: Requests,
    pages: mpsc::Sender<Result<FetchedPage, FetchError>>,
    /// Permits for [`MAX_BUFFERED_BYTES`].
    memory: Arc<Semaphore>,
    loop_guard: LoopGuard,
    counts: LastCounts,
    /// Records so far, and those of the largest page.
    seen: u64,
    largest: u64,
}

impl SweepTask {
    fn new(
        exchange: &Arc<Exchange>,
        start: &FetchStart,
        pages: mpsc::Sender<Result<FetchedPage, FetchError>>,
    ) -> Self {
        let allows_equal = exchange.settings.allow_equal_pages;
        SweepTask {
            exchange: Arc::clone(exchange),
            requests: Requests::new(exchange, start.scope.clone()),
            pages,
            memory: Arc::new(Semaphore::new(MAX_BUFFERED_BYTES)),
            loop_guard: LoopGuard::new(allows_equal, start.before),
            counts: LastCounts::default(),
            seen: start.records,
            // Of earlier pages only the average is known.
            largest: start.records.div_ceil(start.pages.max(1)),
        }
    }

    async fn run(mut self, at: PagePosition, is_doubtful: bool) -> Result<(), FetchError> {
        let mut next = Some((at, is_doubtful));
        while let Some((at, is_doubtful)) = next {
            self.loop_guard.enter(&at)?;
            let (page, retried) = self.fetch(&at, is_doubtful).await?;
            let mut page = self.check_repeat(page, &at, is_doubtful)?;
            let after = self.follow(&at, &mut page)?;
            self.requests.check_prediction(after.next.as_ref());
            next = after.next.clone().map(|at| (at, after.is_doubtful));
            if !self.hand_over(at, page, after, retried).await? {
                break;
            }
        }
        Ok(())
    }

    /// The page at `at`, and how often it was retried; an empty page if a status says that there is none.
    async fn fetch(
        &mut self,
        at: &PagePosition,
        is_doubtful: bool,
    ) -> Result<(Page, u32), FetchError> {
        match self.requests.fetch(at, &self.memory).await {
            Ok((mut page, retried)) => {
                page.signals.remember(&mut self.counts);
                Ok((page, retried))
            }
            Err(FetchError::Status(error)) if self.is_end(&error, at, is_doubtful) => {
                let url = self.exchange.settings.url.clone();
                Ok((Page::none(error.origin, url), 0))
            }
            Err(error) => Err(error),
        }
    }

    /// Whether an error status for the page at `at` means that the pages before it were all.
    fn is_end(&self, error: &StatusError, at: &PagePosition, is_doubtful: bool) -> bool {
        let paging = &self.exchange.settings.paging;
        match error.status {
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::RANGE_NOT_SATISFIABLE => {
                is_doubtful || (paging.ends_at == EndsAt::NotFound && *at != paging.first())
            }
            // Servers that count their pages may call a page beyond the last one a bad request.
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => is_doubtful,
            _ => false,
        }
    }

    /// A page that repeats an earlier one is the end, by the settings, or an error.
    fn check_repeat(&mut self, page: Page, at: &PagePosition, is_doubtful: bool) -> Result<Page> {
        let repeat = self.loop_guard.look_at(page.records(), page.digest, at, &page.origin)?;
        let ends_at = self.exchange.settings.paging.ends_at;
        let is_end = match repeat {
            Repeat::No => false,
            Repeat::OfLast => is_doubtful || ends_at == EndsAt::RepeatedPage,
            Repeat::OfEarlier => is_doubtful,
        };
        if is_end {
            return Ok(Page::none(page.origin, page.url));
        }
        self.loop_guard.refuse(repeat, at, &page.origin)?;
        Ok(page)
    }

    /// What follows the page at `at`. Fails if it is the last, has no place for records, and none came before.
    fn follow(&mut self, at: &PagePosition, page: &mut Page) -> Result<NextPage> {
        self.seen += page.records();
        self.largest = self.largest.max(page.records());
        let after = self.next_page(at, page)?;
        match page.missing.take() {
            Some(error) if after.next.is_none() && self.seen == 0 => Err(error),
            _ => Ok(after),
        }
    }

    fn next_page(&self, at: &PagePosition, page: &Page) -> Result<NextPage> {
        let Exchange { settings, redactor, hosts, .. } = &*self.exchange;
        let after = settings.paging.after(&PageFacts {
            at,
            records: page.records(),
            seen: self.seen,
            largest: self.largest,
            url: &page.url,
            signals: &page.signals,
            last_record: page.last_record(),
        });
        let mut after = after.map_err(|error| {
            let error = error.context(&page.origin);
            error.reworded(|text| redactor.clean(text))
        })?;
        if let Some(PagePosition::Link(link)) = &mut after.next {
            let url = Url::parse(link)
                .map_err(|cause| Error::failed("the next link is not a URL").caused_by(cause))?;
            let url = redactor.clean_link(&url);
            let what = format!("the next link of {}", page.origin);
            hosts.check(&url, &what, redactor)?;
            *link = url.into();
        }
        Ok(after)
    }

    /// Sends a page to the reader; false if nobody receives any more.
    async fn hand_over(
        &self,
        at: PagePosition,
        page: Page,
        after: NextPage,
        retried: u32,
    ) -> Result<bool> {
        let bytes = u32::try_from(page.size().min(MAX_BUFFERED_BYTES)).unwrap_or(u32::MAX);
        let permit = Arc::clone(&self.memory).acquire_many_owned(bytes).await;
        let permit =
            permit.map_err(|cause| Error::failed("pages are no longer wanted").caused_by(cause))?;
        let page = FetchedPage {
            lacks_next: self.exchange.settings.paging.lacks_next(&page.signals),
            at,
            is_doubtful: after.is_doubtful,
            next: after.next,
            page,
            total: after.total,
            retried,
            _permit: permit,
        };
        Ok(self.pages.send(Ok(page)).await.is_ok())
    }
}
