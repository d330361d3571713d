//! A complete page: its bytes, the ranges of its records, and what it says about the pages that follow,
//! found in one pass.

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
use super::settings::{HttpSettings, ResponseFormat};
use super::since::Since;
use crate::error::{Error, Kind, Result};
use crate::http::transport::{Reply, asked_pause, permanent, transient, with_excerpt};
use crate::retry::RetryError;
use crate::secret::Redactor;
use crate::source::BatchBuilder;
use crate::source::records::Format;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// How often an HTML page is retried: it mostly comes from a gateway, and not for long.
const HTML_TRIES: u32 = 6;

#[derive(Debug)]
pub(crate) struct Page {
    /// The origin of its records.
    pub(crate) origin: String,
    /// Its URL after redirects.
    pub(crate) url: Url,
    bytes: Bytes,
    records: Vec<PageRecord>,
    /// Records that cannot be loaded, by index.
    faults: Vec<(usize, PageRecordFault)>,
    /// Records are members of an object; each becomes an object of one member.
    are_members: bool,
    /// Digest of the records, by which equal pages are recognised.
    pub(crate) digest: [u8; 12],
    pub(crate) signals: Signals,
    /// The mark in a header.
    pub(crate) mark: Option<String>,
    /// The error that there is no member for records, which counts if no page has records.
    pub(crate) missing: Option<Error>,
    /// Where it shows that there are more pages.
    pub(crate) more: Option<String>,
    /// Notes for the user.
    pub(crate) notes: Vec<String>,
}

#[derive(Debug)]
struct PageRecord {
    span: Range<u32>,
    /// Its line, or its index from 1.
    position: u32,
}

#[derive(Debug)]
struct PageRecordFault {
    sqlstate: &'static str,
    message: String,
}

impl Page {
    /// An empty page, for one that the source does not have.
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
            more: None,
            notes: Vec::new(),
        }
    }

    pub(crate) fn records(&self) -> u64 {
        self.records.len() as u64
    }

    /// Bytes in memory.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + self.records.len() * size_of::<PageRecord>()
    }

    pub(crate) fn last_record(&self) -> Option<&[u8]> {
        Some(self.payload(self.records.last()?))
    }

    fn payload(&self, record: &PageRecord) -> &[u8] {
        &self.bytes[record.span.start as usize..record.span.end as usize]
    }

    /// Adds the record at `index`; false after the last.
    pub(crate) fn push(&self, index: u64, out: &mut BatchBuilder) -> bool {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        let Some(record) = self.records.get(index) else {
            return false;
        };
        let (position, payload) = (i64::from(record.position), self.payload(record));
        let fault = self.faults.binary_search_by_key(&index, |(index, _)| *index);
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

    /// Sets the records, which are ranges of `bytes`.
    fn hold(
        &mut self,
        bytes: Bytes,
        records: Vec<PageRecord>,
        faults: Vec<(usize, PageRecordFault)>,
    ) {
        (self.bytes, self.records, self.faults) = (bytes, records, faults);
    }
}

/// Parses the pages of a source.
#[derive(Debug)]
pub(crate) struct PageReader {
    content: ResponseFormat,
    paging: Paging,
    since: Option<Since>,
    retry_when: Vec<Condition>,
    fail_when: Vec<Condition>,
    redactor: Arc<Redactor>,
}

impl PageReader {
    pub(crate) fn new(
        settings: &HttpSettings,
        content: ResponseFormat,
        redactor: Arc<Redactor>,
    ) -> Self {
        PageReader {
            content,
            paging: settings.paging.clone(),
            since: settings.since.clone(),
            retry_when: settings.retry_when.clone(),
            fail_when: settings.fail_when.clone(),
            redactor,
        }
    }

    /// Parses an answer, the `tries`th to this request.
    pub(crate) fn read(
        &self,
        request: &PageRequest,
        url: Url,
        reply: &Reply,
        tries: u32,
    ) -> Result<Page, RetryError> {
        let answer = PageParser {
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
        page.mark = self.since.as_ref().and_then(|since| since.mark_in(&reply.headers));
        if !matches!(reply.status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT) {
            match self.content.format {
                Format::Json => answer.read_json(&mut page)?,
                format => answer.read_lines(&mut page, format)?,
            }
            if answer.has_next_link() {
                page.more = Some("the header Link".to_owned());
            }
        }
        Ok(page)
    }
}

/// An answer being parsed.
struct PageParser<'a> {
    reader: &'a PageReader,
    origin: String,
    reply: &'a Reply,
    body: Bytes,
    tries: u32,
}

impl PageParser<'_> {
    /// An error with an excerpt of the body.
    fn error(&self, what: String) -> Error {
        with_excerpt(Error::failed(what), &self.body, &self.reader.redactor)
    }

    /// Refuses HTML where records should be.
    fn refuse_html(&self) -> Result<(), RetryError> {
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
            true => transient(error),
            false => permanent(error.with_kind(Kind::Exhausted)),
        })
    }

    /// Applies `retry_when` and `fail_when` to the JSON at their pointers.
    fn check(&self, values: &[Option<&[u8]>]) -> Result<(), RetryError> {
        let (retry, fail) = (&self.reader.retry_when, &self.reader.fail_when);
        let mut conditions = retry.iter().chain(fail).zip(values);
        let Some((condition, _)) = conditions.find(|(condition, value)| condition.holds(**value))
        else {
            return Ok(());
        };
        let is_transient = retry.iter().any(|other| std::ptr::eq(other, condition));
        let error = self.error(format!(
            "{} answered {} with `{}` in its body ({})",
            self.origin,
            self.reply.status,
            condition.pointer.text(),
            if is_transient { "retry_when" } else { "fail_when" }
        ));
        Err(match is_transient {
            true => RetryError::Transient {
                error: Box::new(error),
                retry_after: asked_pause(&self.reply.headers, SystemTime::now()),
            },
            false => permanent(error.next("see what the source says, and correct the request")),
        })
    }
}
