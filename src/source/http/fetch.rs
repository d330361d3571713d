//! Fetches pages ahead of the reader.
//!
//! Where the next request can be told before a page has come (page numbers, offsets), it is
//! sent before; where it cannot (tokens, links), pages are fetched one after the other, and
//! still ahead of the reader. What waits to be read is bounded by count and bytes.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::exchange::Exchange;
use super::paging::{After, At, Facts};
use super::sheet::Sheet;
use crate::error::{Error, Result};

/// Bytes of pages that may wait to be read. The last one may exceed it.
const WAITING: usize = 16 << 20;

/// So many pages in a row without a record are taken for a loop that no token shows.
const EMPTY_PAGES: u64 = 10_000;

/// A page, ready to be sliced.
pub(super) struct Page {
    pub(super) at: At,
    pub(super) next: Option<At>,
    pub(super) origin: String,
    pub(super) content: Bytes,
    pub(super) records: u64,
    pub(super) digest: String,
    pub(super) mark: Option<String>,
    /// How many records the source says there are in all.
    pub(super) total: Option<u64>,
    /// The place that leads on was not in the page at all, not even empty.
    pub(super) lacks_lead: bool,
    pub(super) retried: u32,
    /// Its share of [`WAITING`].
    _share: OwnedSemaphorePermit,
}

/// The pages of a sweep, from some page on. Dropped, it stops.
pub(super) struct Fetcher {
    pages: mpsc::Receiver<Result<Page>>,
}

impl Fetcher {
    /// Starts at `at`, with `seen` records of the sweep behind it.
    pub(super) fn start(exchange: Exchange, at: At, seen: u64, runtime: &Handle) -> Self {
        let (sender, pages) = mpsc::channel(exchange.settings.prefetch.max(1));
        let fetching = Fetching {
            exchange: Arc::new(exchange),
            sender,
            waiting: Arc::new(Semaphore::new(WAITING)),
        };
        runtime.spawn(async move {
            tokio::select! {
                () = fetching.sender.closed() => {}
                done = fetching.sweep(at, seen) => if let Err(error) = done {
                    // What servers say may repeat what they were sent.
                    let redactor = &fetching.exchange.redactor;
                    let error = error.reworded(|text| redactor.clean(text));
                    let _ = fetching.sender.send(Err(error)).await;
                }
            }
        });
        Fetcher { pages }
    }

    /// The next page; waits for it.
    pub(super) fn next(&mut self) -> Result<Page> {
        self.pages.blocking_recv().unwrap_or_else(|| {
            Err(Error::failed(
                "the task that fetches pages has ended before the pages did",
            ))
        })
    }
}

/// A request that is on its way; dropped, it is given up.
struct Flight {
    at: At,
    task: JoinHandle<Result<(Sheet, u32)>>,
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Fetching {
    exchange: Arc<Exchange>,
    sender: mpsc::Sender<Result<Page>>,
    waiting: Arc<Semaphore>,
}

impl Fetching {
    async fn sweep(&self, start: At, mut seen: u64) -> Result<()> {
        let mut guard = Guard::default();
        let mut flights: VecDeque<Flight> = VecDeque::new();
        let mut next = Some(start);
        while let Some(at) = next {
            guard.enter(&at)?;
            self.take_off(&mut flights, &at);
            let Some(mut flight) = flights.pop_front() else {
                break;
            };
            let (sheet, retried) = (&mut flight.task)
                .await
                .map_err(|cause| Error::failed("a request was given up").caused_by(cause))??;
            guard.look_at(&at, &sheet)?;
            seen += sheet.records;
            let after = self.after(&at, &sheet, seen)?;
            next = after.next.clone();
            // What was sent ahead was a guess.
            if flights
                .front()
                .is_some_and(|flight| Some(&flight.at) != next.as_ref())
            {
                flights.clear();
            }
            let share = sheet
                .content
                .len()
                .min(WAITING)
                .try_into()
                .unwrap_or(u32::MAX);
            let share = Arc::clone(&self.waiting).acquire_many_owned(share).await;
            let share = share
                .map_err(|cause| Error::failed("pages are no longer wanted").caused_by(cause))?;
            let page = self.page(at, sheet, after, retried, share);
            if self.sender.send(Ok(page)).await.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Sees to it that `at` is being fetched, and those after it that can be told by now.
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
            let task = tokio::spawn(async move { exchange.fetch(&target).await });
            flights.push_back(Flight { at, task });
        }
    }

    fn after(&self, at: &At, sheet: &Sheet, seen: u64) -> Result<After> {
        let exchange = &self.exchange;
        let facts = Facts {
            records: sheet.records,
            seen,
            url: &sheet.url,
            values: &sheet.values,
        };
        let mut after = exchange
            .settings
            .paging
            .after(at, &facts)
            .map_err(|error| error.context(&sheet.origin))?;
        if let Some(At::Link(link)) = &mut after.next {
            let url = reqwest::Url::parse(link)
                .map_err(|cause| Error::failed("the next link is no URL").caused_by(cause))?;
            let url = exchange.redactor.clean_link(&url);
            exchange.settings.check_host(
                &url,
                &format!("the next link of {}", sheet.origin),
                &exchange.redactor,
            )?;
            *link = url.into();
        }
        Ok(after)
    }

    fn page(
        &self,
        at: At,
        sheet: Sheet,
        after: After,
        retried: u32,
        share: OwnedSemaphorePermit,
    ) -> Page {
        let has_lead = self.exchange.settings.paging.leads_on().is_none()
            || sheet.values.first().is_none_or(Option::is_some);
        Page {
            at,
            next: after.next,
            origin: sheet.origin,
            content: sheet.content,
            records: sheet.records,
            digest: sheet.digest,
            mark: sheet.mark,
            total: after.total,
            lacks_lead: !has_lead,
            retried,
            _share: share,
        }
    }
}

/// Notices pages that go round in a circle.
#[derive(Default)]
struct Guard {
    entered: HashSet<u64>,
    seen: HashSet<String>,
    empty: u64,
}

impl Guard {
    fn enter(&mut self, at: &At) -> Result<()> {
        match self.entered.insert(at.fingerprint()) {
            true => Ok(()),
            false => Err(circle(format!("{at} came a second time"))),
        }
    }

    fn look_at(&mut self, at: &At, sheet: &Sheet) -> Result<()> {
        if sheet.records == 0 {
            self.empty += 1;
            return match self.empty > EMPTY_PAGES {
                true => Err(circle(format!(
                    "{EMPTY_PAGES} pages in a row hold no record"
                ))),
                false => Ok(()),
            };
        }
        self.empty = 0;
        match self.seen.insert(sheet.digest.clone()) {
            true => Ok(()),
            false => Err(circle(format!(
                "{at} holds the same records as an earlier page: {}",
                sheet.origin
            ))),
        }
    }
}

fn circle(what: String) -> Error {
    Error::failed(format!("the pages go round in a circle: {what}")).next(
        "check the paging of the source: does the server know the parameter, does `next` lead on?",
    )
}
