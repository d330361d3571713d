//! Fetches pages ahead of the reader.
//!
//! If the next request is known before a page has come (page numbers, offsets), it is sent before; if not
//! (tokens, links), pages are fetched one after the other, but still ahead of the reader. What waits to be
//! read is bounded by count and bytes.

use std::collections::VecDeque;
use std::sync::Arc;

use reqwest::{StatusCode, Url};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::exchange::{Exchange, Fetched, Refusal};
use super::page::Page;
use super::paging::{After, At, Counts, EndsAt, Facts, LoopGuard, Repeat};
use super::request::Asked;
use crate::error::{Error, Result};

/// Bytes of pages that may wait to be read. The last one may exceed it.
const WAITING: usize = 16 << 20;

/// A page and where it leads.
pub(crate) struct FetchedPage {
    pub(crate) at: At,
    pub(crate) next: Option<At>,
    /// That there is a next one is not said, but to be seen.
    pub(crate) is_doubtful: bool,
    pub(crate) page: Page,
    /// How many records the source says there are in all.
    pub(crate) total: Option<u64>,
    /// The place that leads on was not in the page at all, not even empty.
    pub(crate) lacks_lead: bool,
    pub(crate) retried: u32,
    /// Its share of [`WAITING`].
    _share: OwnedSemaphorePermit,
}

/// Why no more pages come.
pub(crate) enum Failure {
    Refused(Box<Refusal>),
    Other(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Other(error)
    }
}

/// From where to fetch.
pub(crate) struct Begin {
    pub(crate) at: At,
    /// Whether it is doubtful that there is such a page.
    pub(crate) is_doubtful: bool,
    /// The digest of the page before it.
    pub(crate) before: Option<[u8; 12]>,
    pub(crate) asked: Asked,
    /// Pages and records behind.
    pub(crate) pages: u64,
    pub(crate) records: u64,
}

/// The pages of a sweep, from some page on. Dropped, it stops.
pub(crate) struct Fetcher {
    pages: mpsc::Receiver<std::result::Result<FetchedPage, Failure>>,
}

impl Fetcher {
    pub(crate) fn start(runtime: &Handle, exchange: &Arc<Exchange>, from: Begin) -> Self {
        let (sender, pages) = mpsc::channel(exchange.settings.prefetch.max(1));
        let fetching = Fetching {
            exchange: Arc::clone(exchange),
            asked: from.asked.clone(),
            sender: sender.clone(),
            waiting: Arc::new(Semaphore::new(WAITING)),
        };
        runtime.spawn(async move {
            tokio::select! {
                () = sender.closed() => {}
                done = fetching.sweep(from) => if let Err(failure) = done {
                    let _ = sender.send(Err(failure)).await;
                }
            }
        });
        Fetcher { pages }
    }

    /// The next page; waits for it.
    pub(crate) fn next(&mut self) -> std::result::Result<FetchedPage, Failure> {
        self.pages.blocking_recv().unwrap_or_else(|| {
            let error = Error::failed("fetching has ended before the pages did");
            Err(error.into())
        })
    }
}

/// A request in flight; dropped, it is given up.
struct Flight {
    at: At,
    task: JoinHandle<Result<Fetched>>,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Fetching {
    exchange: Arc<Exchange>,
    asked: Asked,
    sender: mpsc::Sender<std::result::Result<FetchedPage, Failure>>,
    waiting: Arc<Semaphore>,
}

impl Fetching {
    async fn sweep(&self, from: Begin) -> std::result::Result<(), Failure> {
        let settings = &self.exchange.settings;
        let mut loop_guard = LoopGuard::new(settings.allow_equal_pages, from.before);
        let mut flights: VecDeque<Flight> = VecDeque::new();
        let mut seen = from.records;
        // Of the pages before only the average is known.
        let mut largest = from.records.div_ceil(from.pages.max(1));
        let mut counts = Counts::default();
        let mut missing: Option<Error> = None;
        let mut next = Some((from.at, from.is_doubtful));
        while let Some((at, is_doubtful)) = next {
            loop_guard.enter(&at)?;
            self.take_off(&mut flights, &at);
            let Some(mut flight) = flights.pop_front() else {
                break;
            };
            let fetched = (&mut flight.task)
                .await
                .map_err(|cause| Error::failed("a request was given up").caused_by(cause))??;
            let (mut page, retried) = match fetched {
                Ok((mut page, retried)) => {
                    page.signals.remember(&mut counts);
                    (page, retried)
                }
                Err(refusal) if self.is_end(&refusal, &at, is_doubtful) => {
                    (Page::none(refusal.origin, settings.url.clone()), 0)
                }
                Err(refusal) => return Err(Failure::Refused(refusal)),
            };
            let repeat = loop_guard.look_at(page.records(), page.digest, &at, &page.origin)?;
            if self.is_repeated_end(repeat, is_doubtful) {
                page = Page::none(page.origin, page.url);
            } else {
                loop_guard.refuse(repeat, &at, &page.origin)?;
            }
            seen += page.records();
            largest = largest.max(page.records());
            match page.missing.take() {
                Some(error) if seen == 0 => missing = missing.or(Some(error)),
                _ => {}
            }
            let after = self.after(&at, &page, seen, largest)?;
            if let (None, 0, Some(error)) = (&after.next, seen, missing.take()) {
                return Err(error.into());
            }
            // What was sent ahead was a guess.
            if flights
                .front()
                .is_some_and(|flight| Some(&flight.at) != after.next.as_ref())
            {
                flights.clear();
            }
            next = after.next.clone().map(|at| (at, after.is_doubtful));
            if self.send(at, page, after, retried).await?.is_none() {
                break;
            }
        }
        Ok(())
    }

    /// Whether a page that the source does not have is the end of the others.
    fn is_end(&self, refusal: &Refusal, at: &At, is_doubtful: bool) -> bool {
        let paging = &self.exchange.settings.paging;
        match refusal.status {
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::RANGE_NOT_SATISFIABLE => {
                is_doubtful || (paging.ends_at == EndsAt::NotFound && *at != paging.first())
            }
            // It was said that there is no such page, and asked for it all the same.
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => is_doubtful,
            _ => false,
        }
    }

    fn is_repeated_end(&self, repeat: Repeat, is_doubtful: bool) -> bool {
        let ends_at = self.exchange.settings.paging.ends_at;
        match repeat {
            Repeat::No => false,
            Repeat::OfLast => is_doubtful || ends_at == EndsAt::RepeatedPage,
            Repeat::OfEarlier => is_doubtful,
        }
    }

    /// Makes sure that `at` is being fetched, and those after it that are known by now.
    fn take_off(&self, flights: &mut VecDeque<Flight>, at: &At) {
        while flights.is_empty()
            || (flights.len() < self.exchange.settings.prefetch
                && self.waiting.available_permits() > 0)
        {
            let at = match flights.back() {
                None => Some(at.clone()),
                Some(last) => self.exchange.settings.paging.ahead(&last.at),
            };
            let Some(at) = at else { return };
            let (exchange, target) = (Arc::clone(&self.exchange), at.clone());
            let asked = self.asked.clone();
            let task = tokio::spawn(async move { exchange.fetch(&target, &asked).await });
            flights.push_back(Flight { at, task });
        }
    }

    fn after(&self, at: &At, page: &Page, seen: u64, largest: u64) -> Result<After> {
        let exchange = &self.exchange;
        let after = exchange.settings.paging.after(&Facts {
            at,
            records: page.records(),
            seen,
            largest,
            url: &page.url,
            signals: &page.signals,
            last_record: page.last_record(),
        });
        let mut after = after.map_err(|error| {
            let error = error.context(&page.origin);
            error.reworded(|text| exchange.redactor.clean(text))
        })?;
        if let Some(At::Link(link)) = &mut after.next {
            let url = Url::parse(link)
                .map_err(|cause| Error::failed("the next link is not a URL").caused_by(cause))?;
            let url = exchange.redactor.clean_link(&url);
            let what = format!("the next link of {}", page.origin);
            exchange.hosts.check(&url, &what, &exchange.redactor)?;
            *link = url.into();
        }
        Ok(after)
    }

    /// Hands a page over; none: pages are no longer wanted.
    async fn send(&self, at: At, page: Page, after: After, retried: u32) -> Result<Option<()>> {
        let share = page.size().min(WAITING);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        let share = Arc::clone(&self.waiting).acquire_many_owned(share).await;
        let share =
            share.map_err(|cause| Error::failed("pages are no longer wanted").caused_by(cause))?;
        let page = FetchedPage {
            lacks_lead: self.exchange.settings.paging.lacks_lead(&page.signals),
            at,
            is_doubtful: after.is_doubtful,
            next: after.next,
            page,
            total: after.total,
            retried,
            _share: share,
        };
        Ok(self.sender.send(Ok(page)).await.ok())
    }
}
