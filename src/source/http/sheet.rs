//! A page that has come whole: where its records stand, and the values that lead on.

use std::ops::Range;
use std::time::SystemTime;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::{StatusCode, Url};

use super::call::Call;
use super::exchange::with_excerpt;
use super::limits;
use super::place::{Found, Place};
use super::settings::{Format, Settings, digest};
use super::trouble::Trouble;
use super::wire::Reply;
use crate::error::Error;
use crate::source::json::{self, Fault, Pointer};
use crate::source::records::Slicer;
use crate::source::secret::Redactor;

const BOM: &[u8] = b"\xef\xbb\xbf";

#[derive(Debug)]
pub(super) struct Sheet {
    /// What its records have as their origin.
    pub(super) origin: String,
    /// From where it came, after redirects.
    pub(super) url: Url,
    /// The records, as they came: a JSON array, or the body.
    pub(super) content: Bytes,
    pub(super) records: u64,
    /// Tells pages apart by their records.
    pub(super) digest: String,
    /// The values at the paging model's places.
    pub(super) values: Vec<Option<Found>>,
    /// The mark, if it comes in a header.
    pub(super) mark: Option<String>,
}

impl Sheet {
    pub(super) fn read(
        settings: &Settings,
        redactor: &Redactor,
        call: &Call,
        url: Url,
        reply: Reply,
    ) -> Result<Self, Trouble> {
        let page = Reader {
            settings,
            redactor,
            origin: call.shown(redactor),
            reply: &reply,
        };
        let places = settings.paging.places();
        let (content, records, values) = match settings.format {
            _ if reply.status == StatusCode::NO_CONTENT => (
                Bytes::new(),
                0,
                places
                    .iter()
                    .map(|place| in_headers(place, &reply.headers))
                    .collect(),
            ),
            Format::Json => page.json(&places)?,
            _ => (
                page.lines()?,
                page.count_rows()?,
                places
                    .iter()
                    .map(|place| in_headers(place, &reply.headers))
                    .collect(),
            ),
        };
        let since = settings.since.as_ref();
        let mark = since.and_then(|since| {
            let header = reply.headers.get(since.header.as_deref()?)?;
            since.mark_in(header.to_str().ok()?)
        });
        Ok(Sheet {
            origin: page.origin,
            url,
            digest: digest(&content),
            content,
            records,
            values,
            mark,
        })
    }
}

struct Reader<'a> {
    settings: &'a Settings,
    redactor: &'a Redactor,
    origin: String,
    reply: &'a Reply,
}

type Read = (Bytes, u64, Vec<Option<Found>>);

impl Reader<'_> {
    fn json(&self, places: &[Place]) -> Result<Read, Trouble> {
        let body = self.without_bom();
        let conditions = || {
            self.settings
                .retry_when
                .iter()
                .chain(&self.settings.fail_when)
        };
        let mut pointers = vec![&self.settings.records];
        pointers.extend(conditions().map(|condition| &condition.pointer));
        let in_body: Vec<&Pointer> = places.iter().filter_map(in_body).collect();
        pointers.extend(&in_body);
        let mut spans = match body.trim_ascii_start().first() {
            Some(b'{' | b'[') => json::find(&body, &pointers),
            None => Err(Fault::Incomplete),
            Some(_) if b"null" == body.trim_ascii() => Ok(vec![None; pointers.len()]),
            Some(_) => Err(Fault::Malformed(0)),
        }
        .map_err(|fault| self.unfit(fault))?
        .into_iter();
        let records = spans.next().flatten();
        let text = |span: Option<Range<usize>>| span.map(|span| &body[span]);
        let are_met: Vec<bool> = conditions()
            .zip(spans.by_ref())
            .map(|(condition, span)| condition.holds(text(span)))
            .collect();
        self.check(&are_met)?;
        let mut values: Vec<Option<Found>> = spans.map(|span| text(span).map(found)).collect();
        let mut values = values.drain(..);
        let values = places
            .iter()
            .map(|place| match place {
                Place::Body(_) => values.next().flatten(),
                Place::Header(_) => in_headers(place, &self.reply.headers),
            })
            .collect();
        let content = self.array(&body, records)?;
        Ok((content.clone(), json::count_elements(&content), values))
    }

    /// The array of records. Null is what some write for an empty one.
    fn array(&self, body: &Bytes, span: Option<Range<usize>>) -> Result<Bytes, Trouble> {
        let pointer = self.settings.records.text();
        let place = match pointer {
            "" => "the answer".to_owned(),
            pointer => format!("`{pointer}` in the answer"),
        };
        let what = match span.as_ref().map(|span| body[span.start]) {
            Some(b'[') => return Ok(body.slice(span.unwrap_or_default())),
            Some(b'n') => return Ok(Bytes::new()),
            None if body.trim_ascii() == b"null" => return Ok(Bytes::new()),
            None => format!("there is no {place} of {}", self.origin),
            Some(b'{') => format!(
                "{place} of {} is an object, not an array of records",
                self.origin
            ),
            Some(_) => format!("{place} of {} is no array of records", self.origin),
        };
        let error = with_excerpt(Error::failed(what), body, self.redactor);
        Err(Trouble::fatal(error.next("say where the array is: records => '/data'; if this is an error in disguise: fail_when, retry_when")))
    }

    fn check(&self, are_met: &[bool]) -> Result<(), Trouble> {
        let (retry, fail) = (&self.settings.retry_when, &self.settings.fail_when);
        let Some(met) = are_met.iter().position(|is_met| *is_met) else {
            return Ok(());
        };
        let (name, condition) = match retry.get(met) {
            Some(condition) => ("retry_when", condition),
            None => ("fail_when", &fail[met - retry.len()]),
        };
        let what = format!(
            "{} answered {} with `{}` in its body ({name})",
            self.origin,
            self.reply.status,
            condition.pointer.text()
        );
        let error = with_excerpt(Error::failed(what), &self.reply.body, self.redactor);
        Err(match met < retry.len() {
            true => {
                let asked = limits::asked_pause(&self.reply.headers, SystemTime::now());
                Trouble::passing_after(error, asked)
            }
            false => {
                Trouble::fatal(error.next("see what the source says, and correct the request"))
            }
        })
    }

    fn unfit(&self, fault: Fault) -> Trouble {
        match fault {
            Fault::Incomplete => Trouble::passing(Error::failed(format!(
                "the answer of {} ends inside its JSON, after {} bytes",
                self.origin,
                self.reply.body.len()
            ))),
            Fault::Malformed(at) => {
                let what = format!(
                    "the answer of {} is no JSON, as byte {} shows",
                    self.origin,
                    at + 1
                );
                let error = with_excerpt(Error::failed(what), &self.reply.body, self.redactor);
                Trouble::fatal(error.next("check that the url is that of the API, and `format`"))
            }
        }
    }

    /// A body of lines. One that ends with its connection may have been cut anywhere; only
    /// NDJSON shows by its last line that it was not cut inside of a record.
    fn lines(&self) -> Result<Bytes, Trouble> {
        let body = self.without_bom();
        if self.reply.is_proven || (self.settings.format == Format::Ndjson && body.ends_with(b"\n"))
        {
            return Ok(body);
        }
        let what = format!(
            "the answer of {} may be cut: it has neither a length nor an end",
            self.origin
        );
        Err(match self.settings.format {
            Format::Ndjson => Trouble::passing(Error::failed(what)),
            _ => Trouble::fatal(
                Error::failed(what)
                    .next("let the server send Content-Length or chunks, or use JSON"),
            ),
        })
    }

    fn count_rows(&self) -> Result<u64, Trouble> {
        Ok(Slicer::new(&self.settings.slicing(), self.without_bom())?.count()?)
    }

    fn without_bom(&self) -> Bytes {
        let body = &self.reply.body;
        body.slice(if body.starts_with(BOM) { BOM.len() } else { 0 }..)
    }
}

fn in_body(place: &Place) -> Option<&Pointer> {
    match place {
        Place::Body(pointer) => Some(pointer),
        Place::Header(_) => None,
    }
}

fn in_headers(place: &Place, headers: &HeaderMap) -> Option<Found> {
    let Place::Header(name) = place else {
        return None;
    };
    let values: Vec<&str> = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    (!values.is_empty()).then(|| Found::Text(values.join(", ")))
}

fn found(json: &[u8]) -> Found {
    match json::string(json) {
        Some(text) => Found::Text(text),
        None => Found::Json(String::from_utf8_lossy(json).into_owned()),
    }
}
