//! Records from HTTP APIs, page by page.
//!
//! A **sweep** reads all pages from the first to the last; a run goes on with the sweep that
//! was broken off, or begins the next one, and ends with it. The cursor names the page to go
//! on with and how many of its records are behind us, and is committed with the records it
//! stands for. A high-water mark (`since`) moves with the records too, but is used only once
//! the sweep that saw it is complete: a sweep asks for the same from its first page to its
//! last, however often it is broken off.
//!
//! Tasks fetch ([`fetch`]), the thread that asks for batches slices. A page counts as
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

use serde_json::Value;

use self::cursor::{Cursor, Done, Sweep};
use self::exchange::Exchange;
use self::fetch::{Fetcher, Page};
use self::settings::{Range, Settings, Since};
use super::records::Slicer;
use crate::error::{Error, Result};
use crate::source::{BatchBuilder, Means, Progress, Proof, Reason, Source, Start};

/// The source that reads HTTP APIs.
pub struct HttpSource {
    slicing: Value,
    since: Option<Since>,
    range: Option<Range>,
    sweep: Sweep,
    fetcher: Option<Fetcher>,
    /// Until the first request is made.
    exchange: Option<Exchange>,
    current: Option<Reading>,
    is_over: bool,
    is_first_sweep: bool,
    unmarked: u64,
    means: Means,
}

/// A page being sliced.
struct Reading {
    page: Page,
    slicer: Slicer,
    taken: u64,
}

impl HttpSource {
    /// A source for the pipeline's `settings`, which goes on from where `start` says.
    pub fn open(settings: &Value, start: &Start, means: &Means) -> Result<Self> {
        let fingerprint = Settings::fingerprint(settings);
        let settings = Settings::parse(settings)?;
        let cursor = Cursor::parse(start.cursor.as_ref())?;
        let since = settings.since.clone();
        let range = settings.range.clone();
        // A range is read in one sweep.
        let is_over = range.is_some() && matches!(&cursor, Some(Cursor::Done(done)) if done.done);
        let (sweep, remark) = Sweep::after(cursor.as_ref(), &settings, fingerprint);
        if let Some(remark) = remark {
            means.remarks.add(remark);
        }
        let asked = since
            .as_ref()
            .and_then(|since| sweep.since.clone().map(|text| since.found(text)));
        Ok(HttpSource {
            slicing: settings.slicing(),
            since,
            range,
            is_first_sweep: cursor.is_none(),
            sweep,
            fetcher: None,
            exchange: Some(Exchange::new(settings, asked, means)?),
            current: None,
            is_over,
            unmarked: 0,
            means: means.clone(),
        })
    }

    fn next_page(&mut self) -> Result<Page> {
        if let Some(exchange) = self.exchange.take() {
            self.fetcher = Some(Fetcher::start(
                exchange,
                self.sweep.next.clone(),
                self.sweep.records,
                &self.means.runtime,
            ));
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
    fn turn(&mut self, page: &Page) -> Progress {
        self.sweep.pages += 1;
        self.sweep.records += page.records;
        self.sweep.skip = 0;
        self.sweep.of_page = None;
        if let Some(next) = &page.next {
            self.sweep.next = next.clone();
            return Progress::UnitEnded(Proof::Complete);
        }
        self.is_over = true;
        self.remark_on_marks();
        Progress::End(self.proof(page))
    }

    /// Whether the sweep that ends with `page` has brought all.
    fn proof(&self, page: &Page) -> Proof {
        let records = self.sweep.records;
        if page.lacks_lead && self.is_first_sweep && self.sweep.pages == 1 && records > 0 {
            self.means.remarks.add("the first page does not say where the next one is, and was taken for the only one: check `next` in the paging");
            let why = "the first page does not say where the next one is".to_owned();
            return Proof::Partial(Reason::Inconclusive(why));
        }
        let Some(total) = page.total.filter(|total| *total > records) else {
            return Proof::Complete;
        };
        self.means.remarks.add(format!("the source counts {total} records, and its pages held {records}: rows may have moved between pages while they were read"));
        let why = "the source counts more records than its pages held".to_owned();
        Proof::Partial(Reason::Inconclusive(why))
    }

    fn remark_on_marks(&self) {
        if self.unmarked == 0 {
            return;
        }
        let since = self.since.as_ref();
        let field = since
            .and_then(|since| since.field.as_ref())
            .map_or("", |field| field.text());
        self.means.remarks.add(format!(
            "{} records have no usable `{field}`, which `since` goes by",
            self.unmarked
        ));
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
}

impl Source for HttpSource {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        let mut reading = match self.current.take() {
            Some(reading) => reading,
            None if self.is_over => return Ok(Progress::End(Proof::Complete)),
            None if out.is_full() => return Ok(Progress::Full),
            None => {
                let page = self.next_page()?;
                out.count_retries(page.retried);
                out.consume(page.content.len() as u64);
                self.begin(page)?
            }
        };
        match self.slice(&mut reading, out)? {
            true => Ok(self.turn(&reading.page)),
            false => {
                self.current = Some(reading);
                Ok(Progress::Full)
            }
        }
    }

    fn cursor(&self) -> Option<Value> {
        Some(self.place().to_json())
    }

    fn is_at_start(&self) -> bool {
        self.sweep.is_at_start() && self.current.is_none()
    }
}
