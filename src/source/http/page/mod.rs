//! A complete page: its bytes, the ranges of its records, and what it says about the pages that follow. All of it is
//! found in one walk.

mod hints;
mod json;
mod lines;

use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use reqwest::{StatusCode, Url};

use super::condition::Condition;
use super::paging::{Paging, Signals};
use super::request::PageRequest;
use super::settings::{Content, Settings};
use super::since::Since;
use crate::error::{Error, Kind, Result};
use crate::http::transport::{Reply, asked_pause, fatal, passing, with_excerpt};
use crate::retry::Trouble;
use crate::secret::Redactor;
use crate::source::BatchBuilder;
use crate::source::records::Format;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// How often a page meant for people is asked for again, in the hope of data.
const HTML_TRIES: u32 = 6;

/// The SQLSTATE of a record that is too long, and what is kept of it.
const TOO_LONG: &str = "54000";
const KEPT_OF_LONG: usize = 64 * 1024;

/// What broken JSON is to Postgres.
const NOT_JSON: &str = "22P02";

#[derive(Debug)]
pub(crate) struct Page {
    /// What its records have as their origin.
    pub(crate) origin: String,
    /// From where it came, after redirects.
    pub(crate) url: Url,
    bytes: Bytes,
    records: Vec<Record>,
    /// By index, those that cannot be loaded.
    faults: Vec<(usize, RecordFault)>,
    /// They are members of an object, and each becomes an object of its own.
    are_members: bool,
    /// Tells pages apart by their records.
    pub(crate) digest: [u8; 12],
    pub(crate) signals: Signals,
    /// The mark, if it comes in a header.
    pub(crate) mark: Option<String>,
    /// There was no place for records; says what was there, unless other pages have one.
    pub(crate) missing: Option<Error>,
    /// What the user should know.
    pub(crate) notes: Vec<String>,
}

#[derive(Debug)]
struct Record {
    span: Range<u32>,
    /// How it is identified: by its line, or its index from 1.
    position: u32,
}

#[derive(Debug)]
struct RecordFault {
    sqlstate: &'static str,
    message: String,
}

impl Page {
    /// A page that the source does not have.
    pub(crate) fn none(origin: String, url: Url) -> Self {
        Page {
            origin,
            url,
            bytes: Bytes::new(),
            records: Vec::new(),
            faults: Vec::new(),
            are_members: false,
            digest: [0; 12],
            signals: Signals::default(),
            mark: None,
            missing: None,
            notes: Vec::new(),
        }
    }

    pub(crate) fn records(&self) -> u64 {
        self.records.len() as u64
    }

    /// Bytes that it takes in memory.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + self.records.len() * size_of::<Record>()
    }

    pub(crate) fn last_record(&self) -> Option<&[u8]> {
        Some(self.payload(self.records.last()?))
    }

    fn payload(&self, record: &Record) -> &[u8] {
        &self.bytes[record.span.start as usize..record.span.end as usize]
    }

    /// Adds the record at `index`; false after the last.
    pub(crate) fn push(&self, index: u64, out: &mut BatchBuilder) -> bool {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let Some(record) = self.records.get(index) else {
            return false;
        };
        let (position, payload) = (i64::from(record.position), self.payload(record));
        let fault = self
            .faults
            .binary_search_by_key(&index, |(index, _)| *index);
        match fault {
            Ok(at) => {
                let fault = &self.faults[at].1;
                out.push_unreadable(
                    position,
                    payload.to_vec(),
                    fault.sqlstate,
                    fault.message.clone(),
                );
            }
            Err(_) if self.are_members => out.push(position, &[b"{", payload, b"}"].concat()),
            Err(_) => out.push(position, payload),
        }
        true
    }

    /// Takes what was found in `bytes`.
    fn hold(&mut self, bytes: Bytes, records: Vec<Record>, faults: Vec<(usize, RecordFault)>) {
        (self.bytes, self.records, self.faults) = (bytes, records, faults);
    }
}

/// What is known of all pages of a source.
#[derive(Debug)]
pub(crate) struct Reader {
    content: Content,
    paging: Paging,
    since: Option<Since>,
    retry_when: Vec<Condition>,
    fail_when: Vec<Condition>,
    redactor: Arc<Redactor>,
}

impl Reader {
    pub(crate) fn new(settings: &Settings, content: Content, redactor: Arc<Redactor>) -> Self {
        Reader {
            content,
            paging: settings.paging.clone(),
            since: settings.since.clone(),
            retry_when: settings.retry_when.clone(),
            fail_when: settings.fail_when.clone(),
            redactor,
        }
    }

    /// Reads an answer, the `tries`th to this request.
    pub(crate) fn read(
        &self,
        request: &PageRequest,
        url: Url,
        reply: &Reply,
        tries: u32,
    ) -> Result<Page, Trouble> {
        let answer = Answer {
            reader: self,
            origin: request.shown(&self.redactor),
            reply,
            tries,
            body: match reply.body.strip_prefix(BOM) {
                Some(behind) => reply.body.slice_ref(behind),
                None => reply.body.clone(),
            },
        };
        let mut page = Page::none(answer.origin.clone(), url);
        let locators = self.paging.locators();
        let in_headers = locators.map(|locator| locator?.in_headers(&reply.headers));
        page.signals = Signals::of(in_headers);
        page.mark = self
            .since
            .as_ref()
            .and_then(|since| since.mark_in(&reply.headers));
        if !matches!(
            reply.status,
            StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT
        ) {
            match self.content.format {
                Format::Json => answer.read_json(&mut page)?,
                format => answer.read_lines(&mut page, format)?,
            }
            answer.note_hints(&mut page);
        }
        Ok(page)
    }
}

/// An answer being read.
struct Answer<'a> {
    reader: &'a Reader,
    origin: String,
    reply: &'a Reply,
    body: Bytes,
    tries: u32,
}

impl Answer<'_> {
    /// An error with the beginning of what came.
    fn error(&self, what: String) -> Error {
        with_excerpt(Error::failed(what), &self.body, &self.reader.redactor)
    }

    /// A page meant for people where records should be: some gateway answers, and mostly not for long.
    fn refuse_html(&self) -> Result<(), Trouble> {
        let start = &self.body.trim_ascii_start()[..self.body.trim_ascii_start().len().min(16)];
        let start = start.to_ascii_lowercase();
        let is_html = [&b"<!doctype"[..], b"<html", b"<head", b"<body", b"<?xml"];
        if !is_html.iter().any(|tag| start.starts_with(tag)) {
            return Ok(());
        }
        let error = self
            .error(format!("the answer of {} is HTML", self.origin))
            .next("check that the url is that of the API; if a gateway speaks there, run again");
        Err(match self.tries < HTML_TRIES {
            true => passing(error),
            false => fatal(error.with_kind(Kind::Exhausted)),
        })
    }

    /// What `retry_when` or `fail_when` makes of the JSON at their pointers.
    fn check(&self, values: &[Option<&[u8]>]) -> Result<(), Trouble> {
        let (retry, fail) = (&self.reader.retry_when, &self.reader.fail_when);
        let mut conditions = retry.iter().chain(fail).zip(values);
        let Some((condition, _)) = conditions.find(|(condition, value)| condition.holds(**value))
        else {
            return Ok(());
        };
        let is_passing = retry.iter().any(|other| std::ptr::eq(other, condition));
        let error = self.error(format!(
            "{} answered {} with `{}` in its body ({})",
            self.origin,
            self.reply.status,
            condition.pointer.text(),
            if is_passing {
                "retry_when"
            } else {
                "fail_when"
            }
        ));
        Err(match is_passing {
            true => Trouble::Passing {
                error: Box::new(error),
                asked: asked_pause(&self.reply.headers, SystemTime::now()),
            },
            false => fatal(error.next("see what the source says, and correct the request")),
        })
    }
}
