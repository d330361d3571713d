//! Records from HTTP APIs, page by page.
//!
//! A **sweep** reads all pages from the first to the last; a run goes on with the sweep that
//! was broken off, or begins the next one, and ends with it. The cursor names the page to go
//! on with and how many of its records are behind us, and is committed with the records it
//! stands for. A high-water mark (`since`) moves with the records too, but is used only once
//! the sweep that saw it is complete: a sweep asks for the same from its first page to its
//! last, however often it is broken off.
//!
//! One thread fetches ([`fetch`]), the one that asks for batches slices. A page counts as
//! read only with proof that it came whole.

mod auth;
mod call;
mod condition;
mod cursor;
mod encoding;
mod exchange;
mod fetch;
mod hosts;
mod limits;
mod link;
mod oauth2;
mod paging;
mod place;
mod settings;
mod sheet;
mod since;
mod trouble;
mod wire;

use std::time::{Duration, Instant};

use serde_json::Value;

use self::cursor::{Cursor, Done, Sweep};
use self::exchange::Exchange;
use self::fetch::{Fetcher, Page};
use self::settings::{Range, Settings, Since};
use super::records::Slicer;
use crate::error::{Error, Result};
use crate::source::{Batch, BatchBuilder, Limits, Snapshot, Source, Start};

/// Pages without records cost a batch nothing, so their number needs a limit of its own.
const PAGES_IN_BATCH: u64 = 1000;

/// A source that is slow to answer is not gathered from for longer.
const GATHERING: Duration = Duration::from_secs(30);

/// The source that reads HTTP APIs.
pub struct HttpSource {
    slicing: Value,
    since: Option<Since>,
    range: Option<Range>,
    limits: Limits,
    /// What the database knows, or will when the batches handed out are committed.
    cursor: Option<Cursor>,
    sweep: Sweep,
    fetcher: Option<Fetcher>,
    /// Until the first request is made: starting takes a thread.
    exchange: Option<Exchange>,
    current: Option<Reading>,
    is_over: bool,
    /// An error that waits until the records before it have been handed out.
    failure: Option<Error>,
    is_first_sweep: bool,
    unmarked: u64,
    /// Why the sweep cannot tell what the source no longer has.
    flaw: Option<&'static str>,
    remarks: Vec<String>,
}

/// A page being sliced.
struct Reading {
    page: Page,
    slicer: Slicer,
    taken: u64,
}

impl HttpSource {
    /// A source for the pipeline's `settings`, which goes on from where `start` says.
    pub fn open(settings: &Value, start: &Start, limits: Limits) -> Result<Self> {
        let fingerprint = Settings::fingerprint(settings);
        let settings = Settings::parse(settings)?;
        let cursor = Cursor::parse(start.cursor.as_ref())?;
        let since = settings.since.clone();
        let range = settings.range.clone();
        // A range is read in one sweep.
        let is_over = range.is_some() && matches!(&cursor, Some(Cursor::Done(done)) if done.done);
        let (sweep, remark) = Sweep::after(cursor.as_ref(), &settings, fingerprint);
        let asked = since
            .as_ref()
            .and_then(|since| sweep.since.clone().map(|text| since.found(text)));
        Ok(HttpSource {
            slicing: settings.slicing(),
            since,
            range,
            limits,
            is_first_sweep: cursor.is_none(),
            cursor,
            sweep,
            fetcher: None,
            exchange: Some(Exchange::new(settings, asked, start.retries)?),
            current: None,
            is_over,
            failure: None,
            unmarked: 0,
            flaw: None,
            remarks: remark.into_iter().map(str::to_owned).collect(),
        })
    }

    fn next_page(&mut self) -> Result<Page> {
        if let Some(exchange) = self.exchange.take() {
            self.fetcher = Some(Fetcher::start(
                exchange,
                self.sweep.next.clone(),
                self.sweep.records,
            )?);
        }
        match &mut self.fetcher {
            Some(fetcher) => fetcher.next(),
            None => Err(Error::failed("the pages cannot be fetched any more")),
        }
    }

    /// Begins to slice a page; behind the records that an earlier run has committed.
    fn begin(&mut self, page: Page) -> Result<Reading> {
        let mut reading = Reading {
            slicer: Slicer::new(&self.slicing, page.content.clone())?,
            page,
            taken: 0,
        };
        let skip = std::mem::take(&mut self.sweep.skip);
        if self
            .sweep
            .of_page
            .take()
            .is_some_and(|digest| digest == reading.page.digest)
        {
            reading.slicer.skip(skip)?;
            reading.taken = skip;
        } else if skip > 0 {
            // Records have moved: those behind us may not be the ones that were read.
            tracing::info!(
                "{} has changed since: read again from its first record",
                reading.page.origin
            );
        }
        if self.sweep.pages == 0
            && let (Some(since), Some(mark)) = (&self.since, &reading.page.mark)
        {
            self.sweep.mark = Some(since.newer(self.sweep.mark.take(), mark.clone()));
        }
        Ok(reading)
    }

    /// Slices on in the page at hand. True at its end.
    fn slice(&mut self, reading: &mut Reading, batch: &mut BatchBuilder) -> Result<bool> {
        batch.set_origin(&reading.page.origin);
        // Ask for the end even with a full batch, to spare a batch that only says so.
        while !batch.is_full() || reading.taken == reading.page.records {
            let before = batch.savepoint();
            if !reading.slicer.next(batch)? {
                return Ok(true);
            }
            reading.taken += 1;
            if let Some(since) = self.since.as_ref().filter(|since| since.field.is_some()) {
                let to = self.range.as_ref().and_then(|range| range.to.as_ref());
                match batch
                    .last_payload()
                    .and_then(|payload| since.mark_of(payload))
                {
                    Some(mark) if to.is_some_and(|to| since.is_beyond(&mark, to)) => {
                        batch.roll_back(before);
                    }
                    Some(mark) => self.sweep.mark = Some(since.newer(self.sweep.mark.take(), mark)),
                    None => self.unmarked += 1,
                }
            }
        }
        Ok(false)
    }

    /// Notes that a page is behind us.
    fn turn(&mut self, page: &Page) {
        self.sweep.pages += 1;
        self.sweep.records += page.records;
        self.sweep.skip = 0;
        self.sweep.of_page = None;
        match &page.next {
            Some(next) => self.sweep.next = next.clone(),
            None => {
                self.is_over = true;
                self.remark_on_end(page);
            }
        }
    }

    fn remark_on_end(&mut self, page: &Page) {
        let records = self.sweep.records;
        if let Some(total) = page.total.filter(|total| *total > records) {
            self.flaw = Some("the source counts more records than its pages held");
            self.remarks.push(format!("the source counts {total} records, and its pages held {records}: rows may have moved between pages while they were read"));
        }
        if page.lacks_lead && self.is_first_sweep && self.sweep.pages == 1 && records > 0 {
            self.flaw = Some("the first page does not say where the next one is");
            self.remarks.push("the first page does not say where the next one is, and was taken for the only one: check `next` in the paging".to_owned());
        }
        if self.unmarked > 0 {
            let field = self
                .since
                .as_ref()
                .and_then(|since| since.field.as_ref())
                .map_or("", |field| field.text());
            self.remarks.push(format!(
                "{} records have no usable `{field}`, which `since` goes by",
                self.unmarked
            ));
        }
    }

    /// The cursor as it stands now.
    fn place(&self) -> Cursor {
        let mut sweep = self.sweep.clone();
        if !self.is_over {
            if let Some(reading) = self.current.as_ref().filter(|reading| reading.taken > 0) {
                sweep.next = reading.page.at.clone();
                sweep.skip = reading.taken;
                sweep.of_page = Some(reading.page.digest.clone());
            }
            return Cursor::Sweeping(sweep);
        }
        let began = sweep.began();
        let mark = match &self.since {
            // Nothing follows a range.
            Some(since) if self.range.is_none() => {
                sweep.mark.map(|mark| since.believed(mark, began))
            }
            _ => None,
        };
        Cursor::Done(Done {
            done: true,
            skip_pages: 0,
            mark,
        })
    }

    /// Fills the batch, page by page.
    fn gather(&mut self, batch: &mut BatchBuilder) -> Result<()> {
        let began = Instant::now();
        let pages = self.sweep.pages;
        while !self.is_over {
            let mut reading = match self.current.take() {
                Some(reading) => reading,
                None if batch.is_full() || self.sweep.pages - pages >= PAGES_IN_BATCH => break,
                None if batch.rows() > 0 && began.elapsed() >= GATHERING => break,
                None => {
                    let page = self.next_page()?;
                    batch.count_retries(page.retried);
                    batch.consume(page.content.len() as u64);
                    self.begin(page)?
                }
            };
            match self.slice(&mut reading, batch)? {
                true => self.turn(&reading.page),
                false => {
                    self.current = Some(reading);
                    break;
                }
            }
        }
        Ok(())
    }
}

impl Source for HttpSource {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        if let Some(error) = self.failure.take() {
            // Nothing follows it; least of all an end.
            self.fetcher = None;
            return Err(error);
        }
        let mut batch = BatchBuilder::new(self.limits);
        let pages = self.sweep.pages;
        let snapshot = match self.sweep.is_at_start() && self.current.is_none() {
            true => Snapshot::Begin,
            false => Snapshot::Continue,
        };
        if let Err(error) = self.gather(&mut batch) {
            if batch.rows() == 0 && self.sweep.pages == pages {
                return Err(error);
            }
            self.failure = Some(error);
        }
        let cursor = Some(self.place());
        if batch.rows() == 0 && (self.cursor == cursor || self.sweep.pages == pages) {
            return match self.failure.take() {
                Some(error) => Err(error),
                None => Ok(None),
            };
        }
        self.cursor = cursor;
        Ok(Some(Batch {
            snapshot,
            spoilt_by: self.flaw.map(str::to_owned),
            ..batch.finish(self.cursor.as_ref().map_or(Value::Null, Cursor::to_json))
        }))
    }

    fn is_complete(&self) -> bool {
        self.is_over && self.failure.is_none()
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }
}
