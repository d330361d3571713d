//! Marks without a network.

use std::time::{Duration, UNIX_EPOCH};

use super::*;
use serde_json::{Value, json};

fn since(more: Value) -> Since {
    let mut settings = json!({"param": "p", "field": "/at", "start": "0"});
    for (key, value) in more.as_object().unwrap() {
        settings[key] = value.clone();
    }
    serde_json::from_value(settings).unwrap()
}

fn of_kind(kind: &str, lag: u64) -> Since {
    since(json!({"kind": kind, "lag": lag}))
}

/// The parameters that ask for a span.
fn params(since: &Since, span: &MarkSpan) -> Vec<String> {
    let mut params = Vec::new();
    since.put(span, UNIX_EPOCH, &mut |_, name, value| {
        params.push(format!("{name}={}", value.text()));
    });
    params
}

fn asked(since: &Since, mark: Option<&str>) -> String {
    params(since, &since.span(mark, None)).join("&")
}

#[test]
fn the_newest_mark_wins_by_its_kind() {
    for (kind, older, newer) in [
        ("timestamp", "2026-01-01T00:00:00.9Z", "2026-01-01T02:00:01+01:00"),
        ("unix", "999999999", "1000000000"),
        ("number", "9007199254740992", "9007199254740993"),
        ("number", "-5", "-4.5"),
        ("number", "-1", "0.01"),
        ("text", "B", "a"),
    ] {
        let since = of_kind(kind, 0);
        assert_eq!(since.newer(Some(older.to_owned()), newer.to_owned()), newer);
        assert_eq!(since.newer(Some(newer.to_owned()), older.to_owned()), newer);
        assert_eq!(since.newer(None, older.to_owned()), older);
    }
}

#[test]
fn a_record_tells_its_mark_as_text_or_number() {
    let unix = of_kind("unix", 0);
    let timestamp = of_kind("timestamp", 0);
    for (since, payload, mark) in [
        (&unix, &br#"{"at": 1700000000.5, "x": NaN}"#[..], Some("1700000000.5")),
        (&unix, br#"{"at": "1700000000"}"#, Some("1700000000")),
        (
            &timestamp,
            br#"{"at": "2026-01-01T00:00:00.1234567Z"}"#,
            Some("2026-01-01T00:00:00.1234567Z"),
        ),
        (&timestamp, br#"{"at": "2026-02-31"}"#, None),
        (&unix, br#"{"at": null}"#, None),
        (&unix, br#"{}"#, None),
        (&unix, br#"{"at": "soon"}"#, None),
        (&unix, br#"[1]"#, None),
        (&unix, br#"{"at""#, None),
        (&unix, b"\xff", None),
    ] {
        assert_eq!(since.mark_of(payload).as_deref(), mark);
    }
    let dated = since(json!({"header": "Date"}));
    let mut headers = HeaderMap::new();
    headers.insert("Date", "Sun, 01 Mar 2026 08:00:00 GMT".parse().unwrap());
    assert_eq!(dated.mark_in(&headers).as_deref(), Some("2026-03-01T08:00:00Z"));
}

#[test]
fn lag_goes_back_and_the_start_is_taken_as_it_is() {
    for (kind, lag, mark, expected) in [
        ("timestamp", 60, Some("2026-01-01T00:00:30Z"), "p=2025-12-31T23:59:30Z"),
        ("timestamp", 0, Some("2026-01-01T00:00:30.1234567Z"), "p=2026-01-01T00:00:30.1234567Z"),
        ("unix", 60, Some("1000.75"), "p=940"),
        ("unix_ms", 60, Some("1000000"), "p=940000"),
        ("number", 0, Some("7"), "p=7"),
        ("timestamp", 60, None, "p=0"),
    ] {
        assert_eq!(asked(&of_kind(kind, lag), mark), expected);
    }
}

#[test]
fn a_mark_is_written_as_the_source_wants_it_and_never_later() {
    let mark = Some("2026-03-01T09:00:00.9999+01:00");
    for (format, expected) in [
        ("unix", "1772352000"),
        ("unix_ms", "1772352000999"),
        ("date", "2026-03-01"),
        ("utc", "2026-03-01T08:00:00Z"),
        ("%d.%m.%Y %H:%M", "01.03.2026 08:00"),
    ] {
        let since = since(json!({"format": format}));
        assert_eq!(asked(&since, mark), format!("p={expected}"));
        assert_eq!(asked(&since, None), "p=0", "a start that is no time stays as it is");
    }
    let since = since(json!({"kind": "unix", "format": "utc"}));
    assert_eq!(asked(&since, Some("1772352000.9")), "p=2026-03-01T08:00:00Z");
    assert_eq!(asked(&since, Some("-0.5")), "p=1969-12-31T23:59:59Z");
}

#[test]
fn a_template_takes_both_ends() {
    let since = since(json!({"template": "at ge {since} and at lt {until}", "format": "date"}));
    assert_eq!(
        asked(&since, Some("2026-03-01T09:00:00Z")),
        "p=at ge 2026-03-01 and at lt 1970-01-01"
    );
    let range =
        MarkRange { from: Some("2026-01-01".to_owned()), to: Some("2026-01-31".to_owned()) };
    assert_eq!(
        params(&since, &since.span(None, Some(&range))),
        ["p=at ge 2026-01-01 and at lt 2026-01-31"]
    );
}

#[test]
fn windows_follow_each_other_up_to_now_or_the_end_of_the_range() {
    let since = since(json!({"until_param": "u", "step": 86_400, "start": "2026-01-01"}));
    let now: Timestamp = "2026-01-03T08:00:00Z".parse().unwrap();
    let now = SystemTime::try_from(now).unwrap();
    let mut spans = vec![since.span(None, None)];
    while let Some(next) = since.next_span(spans.last().unwrap(), None, now) {
        spans.push(next);
    }
    let spans: Vec<String> = spans.iter().map(|span| params(&since, span).join("&")).collect();
    assert_eq!(
        spans,
        ["p=2026-01-01&u=2026-01-02", "p=2026-01-02&u=2026-01-03", "p=2026-01-03&u=2026-01-04"]
    );
    let range = MarkRange {
        from: Some("2026-01-01T00:00:00Z".to_owned()),
        to: Some("2026-01-02T12:00:00Z".to_owned()),
    };
    let first = since.span(None, Some(&range));
    let second = since.next_span(&first, Some(&range), now).unwrap();
    assert_eq!(params(&since, &second), ["p=2026-01-02T00:00:00Z", "u=2026-01-02T12:00:00Z"]);
    assert_eq!(since.next_span(&second, Some(&range), now), None);
}

#[test]
fn a_mark_in_the_future_is_not_believed() {
    let began = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    for (kind, mark, believed) in [
        ("timestamp", "2999-01-01T00:00:00Z", "2023-11-14T22:13:20Z"),
        ("timestamp", "2023-11-14T22:13:20.5Z", "2023-11-14T22:13:20.5Z"),
        ("unix", "1700000001", "1700000000"),
        ("unix_ms", "1600000000000", "1600000000000"),
        ("number", "99999999999999", "99999999999999"),
    ] {
        assert_eq!(of_kind(kind, 0).believed(mark.to_owned(), began), believed);
    }
}
