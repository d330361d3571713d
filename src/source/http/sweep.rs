//! The cursor of an HTTP source, between sweeps or within one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::paging::At;
use super::settings::Settings;
use super::since::Span;
use crate::error::{Error, Result};
use crate::source::mark::Time;

/// Up to where the source has been read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Cursor {
    Sweeping(Box<Sweep>),
    Done(Done),
}

/// A sweep has come to its end, or none has begun yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Done {
    pub(crate) done: bool,
    /// Pages that the next sweep passes over at its start.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) skip_pages: u64,
    /// From where the next sweep starts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mark: Option<String>,
}

/// A sweep is going on: all pages from the first to the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sweep {
    /// The page to go on with.
    pub(crate) next: At,
    /// How many records of that page are done, and which page they were in.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) skip: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) of_page: Option<String>,
    /// A digest of the page before it, by which one that is given again is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<String>,
    /// Whether the source says that there is no such page.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_doubtful: bool,
    /// Pages and records behind us.
    pub(crate) pages: u64,
    pub(crate) records: u64,
    /// When the sweep began.
    pub(crate) began: String,
    /// What it asks for, from its first page to its last; with windows, what the current one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    /// The row of `for_each` whose pages it is at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) row: Option<String>,
    /// The newest mark so far; it counts from the next sweep on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mark: Option<String>,
    /// The settings under which the place is valid.
    pub(crate) settings: String,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl Cursor {
    /// What the pipeline has as its cursor; none before the first batch.
    pub(crate) fn parse(value: Option<&Value>) -> Result<Option<Self>> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value.clone()).map(Some).map_err(|cause| {
                Error::usage(format!("the cursor {value} is not one of an HTTP source"))
                    .caused_by(cause)
                    .next("the pipeline had another source; begin anew with `sluice rewind PIPELINE --to-start`")
            }),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Sweep {
    /// The sweep to continue with, or the next one; and what the user should know about it.
    pub(crate) fn after(
        cursor: Option<&Cursor>,
        settings: &Settings,
        fingerprint: String,
    ) -> (Self, Option<&'static str>) {
        let (mark, skip_pages) = match cursor {
            Some(Cursor::Sweeping(sweep))
                if sweep.settings == fingerprint && settings.paging.knows(&sweep.next) =>
            {
                return ((**sweep).clone(), None);
            }
            Some(Cursor::Sweeping(sweep)) => {
                return (
                    sweep.anew(settings, fingerprint),
                    Some(
                        "the source was defined anew in the middle of a sweep: read again from the first page",
                    ),
                );
            }
            Some(Cursor::Done(done)) => (done.mark.clone(), done.skip_pages),
            None => (None, 0),
        };
        (Sweep::begin(settings, mark, skip_pages, fingerprint), None)
    }

    fn begin(
        settings: &Settings,
        mark: Option<String>,
        skip_pages: u64,
        fingerprint: String,
    ) -> Self {
        let since = settings.since.as_ref();
        let span = since.map(|since| since.span(mark.as_deref(), settings.range.as_ref()));
        let span = span.unwrap_or_default();
        let (next, pages, records) = settings.paging.first_behind(skip_pages);
        Sweep {
            next,
            skip: 0,
            of_page: None,
            before: None,
            is_doubtful: false,
            pages,
            records,
            began: Time::at(SystemTime::now()).to_string(),
            since: span.since,
            until: span.until,
            row: None,
            mark: since.and(mark),
            settings: fingerprint,
        }
    }

    /// The same from its first page on. Its mark is not to be used: part of what is older has not been
    /// read.
    pub(crate) fn anew(&self, settings: &Settings, fingerprint: String) -> Self {
        let begun = Sweep::begin(settings, self.since.clone(), 0, fingerprint);
        match settings.since {
            Some(_) if self.since.is_some() => Sweep {
                since: self.since.clone(),
                until: self.until.clone(),
                ..begun
            },
            _ => begun,
        }
    }

    /// What its requests ask for.
    pub(crate) fn span(&self) -> Span {
        Span {
            since: self.since.clone(),
            until: self.until.clone(),
        }
    }

    /// Continues with the first page of another span.
    pub(crate) fn turn_to(&mut self, span: Span, first: At) {
        (self.since, self.until) = (span.since, span.until);
        self.begin_with(first);
    }

    /// Goes on with a page that has nothing to do with those before.
    pub(crate) fn begin_with(&mut self, first: At) {
        (self.next, self.before, self.is_doubtful) = (first, None, false);
    }

    /// Whether no record of it is done.
    pub(crate) fn is_at_start(&self) -> bool {
        self.pages == 0 && self.skip == 0
    }

    pub(crate) fn began(&self) -> SystemTime {
        let seconds = Time::parse(&self.began).map_or(0, |time| time.unix_seconds());
        UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cursor_is_what_the_documentation_says() {
        for value in [
            json!({"done": true}),
            json!({"done": true, "mark": "2026-03-01T08:00:00Z"}),
            json!({"done": false, "skip_pages": 2}),
            json!({"next": {"page": 3}, "skip": 40, "of_page": "ab12", "before": "cd34", "is_doubtful": true, "pages": 2, "records": 240, "began": "2026-03-01T08:00:00Z",
                "since": "2026-02-01T00:00:00Z", "until": "2026-02-02T00:00:00Z", "mark": "2026-03-01T00:00:00Z", "settings": "cd34"}),
            json!({"next": "first", "pages": 0, "records": 0, "began": "2026-03-01T08:00:00Z", "settings": "cd34"}),
        ] {
            assert_eq!(
                Cursor::parse(Some(&value)).unwrap().unwrap().to_json(),
                value
            );
        }
        assert_eq!(Cursor::parse(None).unwrap(), None);
        assert_eq!(Cursor::parse(Some(&Value::Null)).unwrap(), None);
        let error = Cursor::parse(Some(&json!({"object": "a.csv", "bytes": 3}))).unwrap_err();
        assert!(
            error
                .next_step()
                .unwrap()
                .contains("sluice rewind PIPELINE --to-start"),
            "{error}"
        );
    }
}
