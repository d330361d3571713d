//! The cursor of an HTTP source, between sweeps or within one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::paging::PagePosition;
use super::settings::HttpSettings;
use super::since::MarkSpan;
use crate::error::{Error, Result};
use crate::source::mark::Time;

/// The cursor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum HttpCursor {
    Sweeping(Box<HttpSweep>),
    Done(HttpDone),
}

/// No sweep is in progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpDone {
    pub(crate) done: bool,
    /// Pages that the next sweep skips.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) skip_pages: u64,
    /// The mark from which the next sweep starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mark: Option<String>,
}

/// A sweep in progress.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpSweep {
    /// The next page.
    pub(crate) next: PagePosition,
    /// Records of that page that were read, and the digest of the page they were in.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) skip: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) of_page: Option<String>,
    /// Digest of the page before it, to recognise a repeated page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<String>,
    /// The source says that there is no such page.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_doubtful: bool,
    /// Pages and records read so far.
    pub(crate) pages: u64,
    pub(crate) records: u64,
    /// When the sweep began.
    pub(crate) began: String,
    /// The marks that it asks for; with windows, those of the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    /// The current row of `for_each`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) row: Option<String>,
    /// The newest mark so far, which the next sweep starts from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mark: Option<String>,
    /// Fingerprint of the settings under which this cursor is valid.
    pub(crate) settings: String,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

impl HttpCursor {
    /// Parses the pipeline's cursor; none before the first batch.
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

impl HttpSweep {
    /// The sweep to resume, or the next one; and a note for the user.
    pub(crate) fn after(
        cursor: Option<&HttpCursor>,
        settings: &HttpSettings,
        fingerprint: String,
    ) -> (Self, Option<&'static str>) {
        let (mark, skip_pages) = match cursor {
            Some(HttpCursor::Sweeping(sweep))
                if sweep.settings == fingerprint && settings.paging.knows(&sweep.next) =>
            {
                return ((**sweep).clone(), None);
            }
            Some(HttpCursor::Sweeping(sweep)) => {
                return (
                    sweep.anew(settings, fingerprint),
                    Some(
                        "the source was defined anew in the middle of a sweep: read again from the first page",
                    ),
                );
            }
            Some(HttpCursor::Done(done)) => (done.mark.clone(), done.skip_pages),
            None => (None, 0),
        };
        (HttpSweep::begin(settings, mark, skip_pages, fingerprint), None)
    }

    fn begin(
        settings: &HttpSettings,
        mark: Option<String>,
        skip_pages: u64,
        fingerprint: String,
    ) -> Self {
        let since = settings.since.as_ref();
        let span = since.map(|since| since.span(mark.as_deref(), settings.range.as_ref()));
        let span = span.unwrap_or_default();
        let (next, pages, records) = settings.paging.first_after_skipping(skip_pages);
        HttpSweep {
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

    /// The same sweep from its first page. Its mark is dropped, as older records were not all read.
    pub(crate) fn anew(&self, settings: &HttpSettings, fingerprint: String) -> Self {
        let begun = HttpSweep::begin(settings, self.since.clone(), 0, fingerprint);
        match settings.since {
            Some(_) if self.since.is_some() => {
                HttpSweep { since: self.since.clone(), until: self.until.clone(), ..begun }
            }
            _ => begun,
        }
    }

    /// The marks that its requests ask for.
    pub(crate) fn span(&self) -> MarkSpan {
        MarkSpan { since: self.since.clone(), until: self.until.clone() }
    }

    /// Continues with the first page of another window.
    pub(crate) fn turn_to(&mut self, span: MarkSpan, first: PagePosition) {
        (self.since, self.until) = (span.since, span.until);
        self.begin_with(first);
    }

    /// Continues with a page that is unrelated to the one before.
    pub(crate) fn begin_with(&mut self, first: PagePosition) {
        (self.next, self.before, self.is_doubtful) = (first, None, false);
    }

    /// Whether no record of it was read.
    pub(crate) fn is_at_start(&self) -> bool {
        self.pages == 0 && self.skip == 0
    }

    pub(crate) fn began(&self) -> SystemTime {
        let seconds = Time::parse(&self.began).map_or(0, |time| time.unix_seconds());
        UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
    }
}

#[cfg(test)]
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
            assert_eq!(HttpCursor::parse(Some(&value)).unwrap().unwrap().to_json(), value);
        }
        assert_eq!(HttpCursor::parse(None).unwrap(), None);
        assert_eq!(HttpCursor::parse(Some(&Value::Null)).unwrap(), None);
        let error = HttpCursor::parse(Some(&json!({"object": "a.csv", "bytes": 3}))).unwrap_err();
        assert!(
            error.next_step().unwrap().contains("sluice rewind PIPELINE --to-start"),
            "{error}"
        );
    }
}
