//! `since`: the high-water mark in the records, and how it is sent.

use std::cmp::Ordering;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use super::paging::Put;
use super::value::{Found, SendIn};
use crate::source::json::{self, Pointer};
use crate::source::mark::{Decimal, Kind};

/// Where a sweep begins that wants only what is new.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Since {
    param: String,
    #[serde(default)]
    pub(crate) field: Option<Pointer>,
    #[serde(default)]
    header: Option<String>,
    #[serde(default)]
    start: Option<String>,
    #[serde(default)]
    lag: u64,
    #[serde(default)]
    kind: Kind,
    #[serde(default)]
    send_in: SendIn,
    /// The parameter that takes the end of a range or a window.
    #[serde(default)]
    until_param: Option<String>,
    /// How a mark is written in a request; else as the source wrote it.
    #[serde(default)]
    format: Option<Format>,
    /// What the parameter takes, with `{since}` and `{until}` in it.
    #[serde(default)]
    template: Option<String>,
    /// How many seconds one round of pages is to cover.
    #[serde(default)]
    step: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
enum Format {
    Unix,
    UnixMs,
    Date,
    Utc,
    /// As strftime has it.
    Pattern(String),
}

impl TryFrom<String> for Format {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(match text.as_str() {
            "unix" => Format::Unix,
            "unix_ms" => Format::UnixMs,
            "date" => Format::Date,
            "utc" => Format::Utc,
            pattern => match in_utc(pattern, Timestamp::UNIX_EPOCH) {
                Ok(_) => Format::Pattern(text),
                Err(cause) => return Err(format!("`{text}` is not a time format: {cause}")),
            },
        })
    }
}

fn in_utc(pattern: &str, moment: Timestamp) -> Result<String, jiff::Error> {
    jiff::fmt::strtime::format(pattern, &moment.to_zoned_datetime(TimeZone::UTC))
}

impl Format {
    /// A moment, rounded down.
    fn write(&self, moment: Timestamp) -> Found {
        let nanoseconds = moment.as_nanosecond();
        let utc = |pattern: &str| in_utc(pattern, moment).unwrap_or_else(|_| moment.to_string());
        match self {
            Format::Unix => Found::Json(nanoseconds.div_euclid(1_000_000_000).to_string()),
            Format::UnixMs => Found::Json(nanoseconds.div_euclid(1_000_000).to_string()),
            Format::Date => Found::Text(utc("%Y-%m-%d")),
            Format::Utc => Found::Text(utc("%Y-%m-%dT%H:%M:%SZ")),
            Format::Pattern(pattern) => Found::Text(utc(pattern)),
        }
    }
}

/// The marks between which a backfill reads, in a single sweep; both belong to it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Range {
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

/// What the requests of a round of pages ask for, if not for everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Span {
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
}

impl Since {
    /// The mark in a record, if it has a usable one.
    pub(crate) fn mark_of(&self, payload: &[u8]) -> Option<String> {
        let field = self.field.as_ref()?;
        let span = json::find(payload, &[field]).ok()?.pop()??;
        self.kind.read(Found::of_json(&payload[span]).text())
    }

    /// The mark in a header.
    pub(crate) fn mark_in(&self, headers: &HeaderMap) -> Option<String> {
        let header = headers.get(self.header.as_deref()?)?;
        self.kind.read(header.to_str().ok()?)
    }

    /// The newer of two marks.
    pub(crate) fn newer(&self, known: Option<String>, seen: String) -> String {
        match known {
            Some(known) if self.kind.order(&known, &seen) != Ordering::Less => known,
            _ => seen,
        }
    }

    /// Whether a mark lies behind `to`, the end of a range.
    pub(crate) fn is_beyond(&self, mark: &str, to: &str) -> bool {
        self.kind.order(mark, to) == Ordering::Greater
    }

    /// The mark that a sweep leaves which began at `began`.
    pub(crate) fn believed(&self, mark: String, began: SystemTime) -> String {
        self.kind.not_after(mark, began)
    }

    /// What a sweep asks for after one that left this mark.
    pub(crate) fn span(&self, mark: Option<&str>, range: Option<&Range>) -> Span {
        let from = range.and_then(|range| range.from.clone());
        let to = range.and_then(|range| range.to.clone());
        let since = from.or_else(|| match mark {
            Some(mark) => Some(self.kind.minus(mark, self.lag)),
            None => self.start.clone(),
        });
        self.cut(Span { since, until: to })
    }

    /// The window that follows, if this one did not reach up to `now`, or to the range's end.
    pub(crate) fn next_span(
        &self,
        span: &Span,
        range: Option<&Range>,
        now: SystemTime,
    ) -> Option<Span> {
        self.step?;
        let until = span.until.clone()?;
        let to = range.and_then(|range| range.to.clone());
        let is_last = match &to {
            Some(to) => self.kind.order(&until, to) != Ordering::Less,
            None => self.kind.moment(&until)? >= Timestamp::try_from(now).ok()?,
        };
        let since = Some(until);
        (!is_last).then(|| self.cut(Span { since, until: to }))
    }

    /// Not more than one window of it.
    fn cut(&self, span: Span) -> Span {
        let (Some(window), Some(since)) = (self.step, &span.since) else {
            return span;
        };
        let end = self.kind.plus(since, window);
        match span.until {
            Some(until) if self.is_beyond(&end, &until) => Span {
                until: Some(until),
                ..span
            },
            _ => Span {
                until: Some(end),
                ..span
            },
        }
    }

    /// Writes the span into the request.
    pub(crate) fn put(&self, span: &Span, began: SystemTime, put: Put<'_>) {
        let since = span.since.as_deref().map(|mark| self.sent(mark));
        let until = span.until.as_deref().map(|mark| self.sent(mark));
        match (&self.template, since) {
            (None, Some(since)) => put(self.send_in, &self.param, since),
            (Some(template), Some(since)) => {
                let now = || match &self.format {
                    Some(format) => format.write(Timestamp::try_from(began).unwrap_or_default()),
                    None => Found::Text(self.kind.at(began)),
                };
                let until = until.clone().unwrap_or_else(now);
                let text = template.replace("{since}", since.text());
                let text = Found::Text(text.replace("{until}", until.text()));
                put(self.send_in, &self.param, text);
            }
            (_, None) => {}
        }
        if let (Some(param), Some(until)) = (&self.until_param, until) {
            put(self.send_in, param, until);
        }
    }

    fn sent(&self, mark: &str) -> Found {
        match (&self.format, self.kind) {
            (Some(format), kind) => match kind.moment(mark) {
                Some(moment) => format.write(moment),
                None => Found::Text(mark.to_owned()),
            },
            (None, Kind::Unix | Kind::UnixMs | Kind::Number) if Decimal::parse(mark).is_some() => {
                Found::Json(mark.to_owned())
            }
            (None, _) => Found::Text(mark.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
