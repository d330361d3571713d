//! Reads pages into batches.

mod end;

use std::sync::Arc;

use serde_json::Value;

use super::exchange::{Exchange, FetchError};
use super::fetch::{FetchStart, FetchedPage, PageFetcher};
use super::request::RequestScope;
use super::settings::HttpSettings;
use super::since::{MarkRange, Since};
use super::sweep::{HttpCursor, HttpDone, HttpSweep};
use crate::error::Result;
use crate::source::{BatchBuilder, Progress, Proof, Source, SourceContext, Start};

/// The source that reads HTTP APIs.
pub struct HttpSource {
    context: SourceContext,
    exchange: Arc<Exchange>,
    fetcher: Option<PageFetcher>,
    sweep: HttpSweep,
    /// The rows of `for_each`, in their order.
    rows: Vec<String>,
    current: Option<CurrentPage>,
    is_over: bool,
    /// The sweep is resumed, and no page of it has arrived yet.
    is_resumed: bool,
    is_first_sweep: bool,
    /// Pages in this run.
    pages: u64,
    /// Records of the sweep before the current span.
    records_before: u64,
    unmarked: u64,
    has_noted: bool,
    has_told_of_links: bool,
    has_told_of_more: bool,
}

/// A page being read.
struct CurrentPage {
    fetched: FetchedPage,
    taken: u64,
}

impl HttpSource {
    /// A source for the pipeline's `settings`, resumed at `start`.
    pub fn open(settings: &Value, start: &Start, context: &SourceContext) -> Result<Self> {
        let fingerprint = HttpSettings::fingerprint(settings);
        let (settings, content) = HttpSettings::parse(settings)?;
        let cursor = HttpCursor::parse(start.cursor.as_ref())?;
        // A backfill is a single sweep.
        let is_over = settings.range.is_some()
            && matches!(&cursor, Some(HttpCursor::Done(done)) if done.done);
        let (mut sweep, mut remark) = HttpSweep::after(cursor.as_ref(), &settings, fingerprint);
        if settings.has_rows() {
            if sweep.row.as_ref().is_some_and(|row| !start.rows.contains(row)) {
                let fingerprint = sweep.settings.clone();
                sweep = sweep.anew(&settings, fingerprint);
                remark = Some(
                    "the row of for_each where the sweep was to go on is gone: begun anew with the first",
                );
            }
            sweep.row = sweep.row.or_else(|| start.rows.first().cloned());
        }
        let is_over = is_over || (settings.has_rows() && sweep.row.is_none());
        if let Some(remark) = remark {
            context.remarks.add(remark);
        }
        Ok(HttpSource {
            context: context.clone(),
            exchange: Arc::new(Exchange::new(settings, content, context)?),
            fetcher: None,
            is_resumed: !sweep.is_at_start(),
            sweep,
            rows: start.rows.clone(),
            current: None,
            is_over,
            is_first_sweep: cursor.is_none(),
            pages: 0,
            records_before: 0,
            unmarked: 0,
            has_noted: false,
            has_told_of_links: false,
            has_told_of_more: false,
        })
    }

    fn settings(&self) -> &HttpSettings {
        &self.exchange.settings
    }

    fn since(&self) -> Option<&Since> {
        self.settings().since.as_ref()
    }

    fn range(&self) -> Option<&MarkRange> {
        self.settings().range.as_ref()
    }

    fn next_page(&mut self) -> Result<FetchedPage> {
        let fetcher = self.fetcher.get_or_insert_with(|| {
            let begin = FetchStart {
                at: self.sweep.next.clone(),
                is_doubtful: self.sweep.is_doubtful,
                before: self
                    .sweep
                    .before
                    .as_ref()
                    .and_then(|digest| hex::decode(digest).ok()?.try_into().ok()),
                scope: RequestScope {
                    span: self.sweep.span(),
                    row: self.sweep.row.clone(),
                    began: self.sweep.began(),
                },
                pages: self.sweep.pages,
                records: self.sweep.records - self.records_before,
            };
            PageFetcher::start(&self.context.runtime, &self.exchange, begin)
        });
        match fetcher.next() {
            Ok(page) => {
                self.is_resumed = false;
                Ok(page)
            }
            Err(FetchError::Other(error)) => Err(error),
            Err(FetchError::Status(error)) if self.is_resumed && error.is_gone() => {
                let status = error.status;
                self.context.remarks.add(format!(
                    "the source has forgotten {}, where the sweep was to go on ({status}): begun anew from its first page",
                    self.sweep.next
                ));
                self.is_resumed = false;
                self.fetcher = None;
                self.sweep = self.begun_anew();
                self.next_page()
            }
            Err(FetchError::Status(error)) => Err(error.error),
        }
    }

    /// Begins a page after the records that an earlier run has committed.
    fn begin(&mut self, fetched: FetchedPage) -> CurrentPage {
        let skip = std::mem::take(&mut self.sweep.skip);
        let of_page = self.sweep.of_page.take();
        let is_the_same = of_page.is_some_and(|digest| digest == hex::encode(fetched.page.digest));
        if skip > 0 && !is_the_same {
            // Records have moved: those at its start may be others than were read.
            tracing::info!(
                "{} has changed since: read again from its first record",
                fetched.page.origin
            );
        }
        let mark = fetched.page.mark.clone().filter(|_| self.sweep.pages == 0);
        if let Some(mark) = mark {
            self.note_mark(mark);
        }
        if !self.has_noted {
            self.has_noted = !fetched.page.notes.is_empty();
            fetched.page.notes.iter().for_each(|note| self.context.remarks.add(note));
        }
        CurrentPage { taken: if is_the_same { skip } else { 0 }, fetched }
    }

    fn note_mark(&mut self, mark: String) {
        let known = self.sweep.mark.take();
        self.sweep.mark = match self.since() {
            Some(since) => Some(since.newer(known, mark)),
            None => known,
        };
    }

    /// Adds records of the current page; true at its end.
    fn take(&mut self, reading: &mut CurrentPage, out: &mut BatchBuilder) -> bool {
        let page = &reading.fetched.page;
        out.set_origin(&page.origin);
        // Look for the end even with a full batch, to avoid an empty batch that only reports it.
        while !out.is_full() || reading.taken == page.records() {
            let before = out.savepoint();
            if !page.push(reading.taken, out) {
                return true;
            }
            reading.taken += 1;
            let Some(since) = self.since().filter(|since| since.field.is_some()) else {
                continue;
            };
            let to = self.range().and_then(|range| range.to.as_ref());
            match out.last_payload().and_then(|payload| since.mark_of(payload)) {
                Some(mark) if to.is_some_and(|to| since.is_beyond(&mark, to)) => {
                    out.roll_back(before);
                }
                Some(mark) => self.note_mark(mark),
                None => self.unmarked += 1,
            }
        }
        false
    }

    /// The current sweep from its start, where its pages cannot be resumed.
    fn begun_anew(&self) -> HttpSweep {
        let fingerprint = self.sweep.settings.clone();
        let mut sweep = self.sweep.anew(self.settings(), fingerprint);
        sweep.row = self.rows.first().cloned();
        sweep
    }

    /// The current cursor.
    fn place(&self) -> HttpCursor {
        let mut sweep = self.sweep.clone();
        if !self.is_over {
            if let Some(reading) = self.current.as_ref().filter(|reading| reading.taken > 0) {
                sweep.next = reading.fetched.at.clone();
                sweep.skip = reading.taken;
                sweep.of_page = Some(hex::encode(reading.fetched.page.digest));
            }
            if sweep.next.credential().is_some() {
                sweep = self.begun_anew();
            }
            return HttpCursor::Sweeping(Box::new(sweep));
        }
        let began = sweep.began();
        let mark = match self.since() {
            // Nothing follows a backfill.
            Some(since) if self.range().is_none() => {
                sweep.mark.map(|mark| since.believed(mark, began))
            }
            _ => None,
        };
        HttpCursor::Done(HttpDone { done: true, skip_pages: 0, mark })
    }
}

impl Source for HttpSource {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        let mut reading = match self.current.take() {
            _ if self.is_over => return Ok(Progress::End(Proof::Complete)),
            Some(reading) => reading,
            None if out.is_full() => return Ok(Progress::Full),
            None => {
                let fetched = self.next_page()?;
                out.count_retries(fetched.retried);
                out.consume(fetched.page.size() as u64);
                self.begin(fetched)
            }
        };
        match self.take(&mut reading, out) {
            true => Ok(self.turn(&reading.fetched)),
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
