//! `since`: the high-water mark of an incremental source, and how it is sent.

use std::cmp::Ordering;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use reqwest::header::HeaderMap;
use serde::Deserialize;

use super::paging::PutParam;
use super::value::{Extracted, SendIn};
use crate::source::json::{self, Pointer};
use crate::source::mark::{Decimal, MarkKind};

/// The settings of an incremental source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Since {
    param: String,
    pub(crate) field: Option<Pointer>,
    header: Option<String>,
    start: Option<String>,
    #[serde(default)]
    lag: u64,
    #[serde(default)]
    kind: MarkKind,
    #[serde(default)]
    send_in: SendIn,
    /// The parameter that takes the end of a range or a window.
    until_param: Option<String>,
    /// The format of marks in requests; else that of the source.
    format: Option<TimeFormat>,
    /// The value of the parameter, with `{since}` and `{until}`.
    template: Option<String>,
    /// Seconds that one round of pages covers.
    step: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
enum TimeFormat {
    Unix,
    UnixMs,
    Date,
    Utc,
    /// A format of strftime.
    Pattern(String),
}

impl TryFrom<String> for TimeFormat {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(match text.as_str() {
            "unix" => TimeFormat::Unix,
            "unix_ms" => TimeFormat::UnixMs,
            "date" => TimeFormat::Date,
            "utc" => TimeFormat::Utc,
            pattern => match in_utc(pattern, Timestamp::UNIX_EPOCH) {
                Ok(_) => TimeFormat::Pattern(text),
                Err(cause) => return Err(format!("`{text}` is not a time format: {cause}")),
            },
        })
    }
}

fn in_utc(pattern: &str, moment: Timestamp) -> Result<String, jiff::Error> {
    jiff::fmt::strtime::format(pattern, &moment.to_zoned_datetime(TimeZone::UTC))
}

impl TimeFormat {
    /// A moment, rounded down.
    fn write(&self, moment: Timestamp) -> Extracted {
        let nanoseconds = moment.as_nanosecond();
        let utc = |pattern: &str| in_utc(pattern, moment).unwrap_or_else(|_| moment.to_string());
        match self {
            TimeFormat::Unix => Extracted::Json(nanoseconds.div_euclid(1_000_000_000).to_string()),
            TimeFormat::UnixMs => Extracted::Json(nanoseconds.div_euclid(1_000_000).to_string()),
            TimeFormat::Date => Extracted::Text(utc("%Y-%m-%d")),
            TimeFormat::Utc => Extracted::Text(utc("%Y-%m-%dT%H:%M:%SZ")),
            TimeFormat::Pattern(pattern) => Extracted::Text(utc(pattern)),
        }
    }
}

/// The range of a backfill, both ends included; it is read in one sweep.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MarkRange {
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

/// The range of marks that a round of pages asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct MarkSpan {
    pub(crate) since: Option<String>,
    pub(crate) until: Option<String>,
}

impl Since {
    /// The mark of a record, if it is valid.
    pub(crate) fn mark_of(&self, payload: &[u8]) -> Option<String> {
        let field = self.field.as_ref()?;
        let span = json::find(payload, &[field]).ok()?.pop()??;
        self.kind.read(Extracted::of_json(&payload[span]).text())
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

    /// Whether a mark is greater than `to`, the end of a range.
    pub(crate) fn is_beyond(&self, mark: &str, to: &str) -> bool {
        self.kind.order(mark, to) == Ordering::Greater
    }

    /// The mark that a sweep begun at `began` leaves: none in the future.
    pub(crate) fn believed(&self, mark: String, began: SystemTime) -> String {
        self.kind.not_after(mark, began)
    }

    /// What the sweep after one that left `mark` asks for.
    pub(crate) fn span(&self, mark: Option<&str>, range: Option<&MarkRange>) -> MarkSpan {
        let from = range.and_then(|range| range.from.clone());
        let to = range.and_then(|range| range.to.clone());
        let since = from.or_else(|| match mark {
            Some(mark) => Some(self.kind.minus(mark, self.lag)),
            None => self.start.clone(),
        });
        self.cut(MarkSpan { since, until: to })
    }

    /// The next window, unless this one reaches `now` or the end of the range.
    pub(crate) fn next_span(
        &self,
        span: &MarkSpan,
        range: Option<&MarkRange>,
        now: SystemTime,
    ) -> Option<MarkSpan> {
        self.step?;
        let until = span.until.clone()?;
        let to = range.and_then(|range| range.to.clone());
        let is_last = match &to {
            Some(to) => self.kind.order(&until, to) != Ordering::Less,
            None => self.kind.moment(&until)? >= Timestamp::try_from(now).ok()?,
        };
        let since = Some(until);
        (!is_last).then(|| self.cut(MarkSpan { since, until: to }))
    }

    /// Limits the span to one window.
    fn cut(&self, span: MarkSpan) -> MarkSpan {
        let (Some(window), Some(since)) = (self.step, &span.since) else {
            return span;
        };
        let end = self.kind.plus(since, window);
        match span.until {
            Some(until) if self.is_beyond(&end, &until) => MarkSpan { until: Some(until), ..span },
            _ => MarkSpan { until: Some(end), ..span },
        }
    }

    /// Sets the parameters for the span.
    pub(crate) fn put(&self, span: &MarkSpan, began: SystemTime, put: PutParam<'_>) {
        let since = span.since.as_deref().map(|mark| self.sent(mark));
        let until = span.until.as_deref().map(|mark| self.sent(mark));
        match (&self.template, since) {
            (None, Some(since)) => put(self.send_in, &self.param, since),
            (Some(template), Some(since)) => {
                let now = || match &self.format {
                    Some(format) => format.write(Timestamp::try_from(began).unwrap_or_default()),
                    None => Extracted::Text(self.kind.at(began)),
                };
                let until = until.clone().unwrap_or_else(now);
                let text = template.replace("{since}", since.text());
                let text = Extracted::Text(text.replace("{until}", until.text()));
                put(self.send_in, &self.param, text);
            }
            (_, None) => {}
        }
        if let (Some(param), Some(until)) = (&self.until_param, until) {
            put(self.send_in, param, until);
        }
    }

    fn sent(&self, mark: &str) -> Extracted {
        match (&self.format, self.kind) {
            (Some(format), kind) => match kind.moment(mark) {
                Some(moment) => format.write(moment),
                None => Extracted::Text(mark.to_owned()),
            },
            (None, MarkKind::Unix | MarkKind::UnixMs | MarkKind::Number)
                if Decimal::parse(mark).is_some() =>
            {
                Extracted::Json(mark.to_owned())
            }
            (None, _) => Extracted::Text(mark.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests;
