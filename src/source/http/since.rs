//! The high-water mark: the newest value seen, and from where the next sweep starts.

use std::cmp::Ordering;
use std::time::SystemTime;

use super::place::Found;
use super::settings::Since;
use crate::source::json;
use crate::source::mark::{Decimal, Kind};

impl Since {
    /// The mark in a record, if it has a usable one.
    pub(super) fn mark_of(&self, payload: &[u8]) -> Option<String> {
        let field = self.field.as_ref()?;
        let span = json::find(payload, &[field]).ok()?.pop()??;
        let json = &payload[span];
        let text = match json::string(json) {
            Some(text) => text,
            None => std::str::from_utf8(json).ok()?.to_owned(),
        };
        self.kind.read(&text)
    }

    /// The mark in a header.
    pub(super) fn mark_in(&self, header: &str) -> Option<String> {
        self.kind.read(header)
    }

    /// The newer of two marks.
    pub(super) fn newer(&self, known: Option<String>, seen: String) -> String {
        match known {
            Some(known) if self.kind.order(&known, &seen) != Ordering::Less => known,
            _ => seen,
        }
    }

    /// Whether a mark lies behind `to`, the end of a range.
    pub(super) fn is_beyond(&self, mark: &str, to: &str) -> bool {
        self.kind.order(mark, to) == Ordering::Greater
    }

    /// The mark that a sweep leaves behind which began at `began`.
    pub(super) fn believed(&self, mark: String, began: SystemTime) -> String {
        self.kind.not_after(mark, began)
    }

    /// What the next sweep asks for.
    pub(super) fn value(&self, mark: Option<&str>) -> Option<Found> {
        let text = match mark {
            Some(mark) => self.kind.minus(mark, self.lag),
            None => self.start.clone()?,
        };
        Some(self.found(text))
    }

    /// The same, noted before.
    pub(super) fn found(&self, text: String) -> Found {
        match self.kind {
            Kind::Unix | Kind::UnixMs | Kind::Number if Decimal::parse(&text).is_some() => {
                Found::Json(text)
            }
            _ => Found::Text(text),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::{Duration, UNIX_EPOCH};

    fn since(kind: &str, lag: u64) -> Since {
        serde_json::from_value(
            json!({"param": "p", "field": "/at", "start": "0", "lag": lag, "kind": kind}),
        )
        .unwrap()
    }

    #[test]
    fn the_newest_mark_wins_by_its_kind() {
        for (kind, older, newer) in [
            (
                "timestamp",
                "2026-01-01T00:00:00.9Z",
                "2026-01-01T02:00:01+01:00",
            ),
            ("unix", "999999999", "1000000000"),
            ("number", "9007199254740992", "9007199254740993"),
            ("number", "-5", "-4.5"),
            ("number", "-1", "0.01"),
            ("text", "B", "a"),
        ] {
            let since = since(kind, 0);
            assert_eq!(since.newer(Some(older.to_owned()), newer.to_owned()), newer);
            assert_eq!(since.newer(Some(newer.to_owned()), older.to_owned()), newer);
            assert_eq!(since.newer(None, older.to_owned()), older);
        }
    }

    #[test]
    fn a_record_tells_its_mark_as_text_or_number() {
        let since_unix = since("unix", 0);
        assert_eq!(
            since_unix
                .mark_of(br#"{"at": 1700000000.5, "x": NaN}"#)
                .as_deref(),
            Some("1700000000.5")
        );
        assert_eq!(
            since_unix.mark_of(br#"{"at": "1700000000"}"#).as_deref(),
            Some("1700000000")
        );
        assert_eq!(
            since("timestamp", 0)
                .mark_of(br#"{"at": "2026-01-01T00:00:00.1234567Z"}"#)
                .as_deref(),
            Some("2026-01-01T00:00:00.1234567Z")
        );
        for bad in [
            &br#"{"at": null}"#[..],
            br#"{}"#,
            br#"{"at": "soon"}"#,
            br#"[1]"#,
            br#"{"at""#,
            b"\xff",
        ] {
            assert_eq!(since_unix.mark_of(bad), None);
        }
        assert_eq!(
            since("timestamp", 0)
                .mark_in("Sun, 01 Mar 2026 08:00:00 GMT")
                .as_deref(),
            Some("2026-03-01T08:00:00Z")
        );
    }

    #[test]
    fn lag_goes_back_and_the_start_is_taken_as_it_is() {
        let value = |kind: &str, lag, mark: Option<&str>| {
            since(kind, lag).value(mark).unwrap().text().to_owned()
        };
        assert_eq!(
            value("timestamp", 60, Some("2026-01-01T00:00:30Z")),
            "2025-12-31T23:59:30Z"
        );
        assert_eq!(
            value("timestamp", 0, Some("2026-01-01T00:00:30.1234567Z")),
            "2026-01-01T00:00:30.1234567Z"
        );
        assert_eq!(value("unix", 60, Some("1000.75")), "940");
        assert_eq!(value("unix_ms", 60, Some("1000000")), "940000");
        assert_eq!(value("number", 0, Some("7")), "7");
        assert_eq!(value("timestamp", 60, None), "0");
    }

    #[test]
    fn a_mark_in_the_future_is_not_believed() {
        let began = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        assert_eq!(
            since("timestamp", 0).believed("2999-01-01T00:00:00Z".to_owned(), began),
            "2023-11-14T22:13:20Z"
        );
        assert_eq!(
            since("timestamp", 0).believed("2023-11-14T22:13:20.5Z".to_owned(), began),
            "2023-11-14T22:13:20.5Z"
        );
        assert_eq!(
            since("unix", 0).believed("1700000001".to_owned(), began),
            "1700000000"
        );
        assert_eq!(
            since("unix_ms", 0).believed("1600000000000".to_owned(), began),
            "1600000000000"
        );
        assert_eq!(
            since("number", 0).believed("99999999999999".to_owned(), began),
            "99999999999999"
        );
    }
}
