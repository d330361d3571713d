//! The high-water mark: asked for, moved, kept through a broken run.

use serde_json::{Value, json};

use super::support::{Run, WIDE, in_turn, page, read, read_from, rows, serve, settings};
use crate::support::Api;
use crate::support::web::{Answer, Web};

/// An API whose records change, by their time.
fn source(web: &Web, path: &str, api: &Api, lag: u64) -> Value {
    let mut source = api.source(&web.url, path);
    source["since"] = json!({"param": "since", "field": "/at", "lag": lag});
    source
}

fn asked(web: &Web) -> Vec<String> {
    web.requests().iter().map(|request| request.param("since").unwrap_or("-").to_owned()).collect()
}

#[test]
fn the_next_sweep_asks_for_what_is_not_older_than_the_mark() {
    for path in ["/page", "/offset", "/cursor", "/links", "/link-header"] {
        let (web, api) = serve(Api::orders(30, 10));
        let first = read(&source(&web, path, &api, 0)).ok();
        assert_eq!(first.payloads(), api.records, "{path}");
        assert_eq!(
            first.cursor,
            Some(json!({"done": true, "mark": "2026-01-02T05:00:00Z"})),
            "{path}"
        );
        assert!(asked(&web).iter().all(|since| since == "-"), "{path}");
        // From a server of its own: a page fetched ahead may still be asked of the other one.
        let (web, api) = serve(Api::orders(30, 10));
        let second = read_from(&source(&web, path, &api, 0), first.cursor.clone(), WIDE).ok();
        assert_eq!(second.payloads(), api.records[29..], "{path}: inclusive");
        assert!(
            asked(&web).iter().all(|since| since == "2026-01-02T05:00:00Z"),
            "{path}: {:?}",
            asked(&web)
        );
        assert_eq!(second.cursor, first.cursor, "{path}");
    }
}

#[test]
fn lag_and_start_say_where_a_sweep_begins() {
    let (web, api) = serve(Api::orders(30, 10));
    let mut source = source(&web, "/cursor", &api, 2 * 3600);
    source["since"]["start"] = json!("2026-01-02T00:00:00Z");
    let first = read(&source).ok();
    assert_eq!(first.payloads(), api.records[24..]);
    let second = read_from(&source, first.cursor, WIDE).ok();
    assert_eq!(second.payloads(), api.records[27..], "the mark less two hours");
    assert_eq!(asked(&web).last().unwrap(), "2026-01-02T03:00:00Z");
}

#[test]
fn a_sweep_that_breaks_off_goes_on_with_what_it_asked_for() {
    let (web, api) = serve(Api::orders(60, 10));
    for path in ["/page", "/offset", "/cursor", "/links", "/link-header"] {
        let source = source(&web, path, &api, 0);
        let start = Some(json!({"done": true, "mark": "2026-01-01T20:00:00Z"}));
        for size in [1, 7, 10, 13] {
            let mut cursor = start.clone();
            let mut found = Vec::new();
            while found.len() < 40 {
                let before = web.requests().len();
                let run = read_one_batch(&source, cursor.clone(), size);
                found.extend(run.payloads());
                cursor = run.cursor;
                let now = asked(&web)[before..].to_vec();
                assert!(
                    now.iter().all(|since| since == "2026-01-01T20:00:00Z"),
                    "{path} {size}: {now:?}"
                );
            }
            assert_eq!(found, api.records[20..], "{path} by {size}");
        }
    }
}

/// A run that is broken off after its first batch.
fn read_one_batch(source: &Value, cursor: Option<Value>, size: usize) -> Run {
    let mut source = super::support::open_at(source, cursor, rows(size), 3).unwrap();
    let batch = source.next_batch().unwrap().unwrap();
    Run {
        records: super::support::records(&batch),
        cursor: Some(batch.cursor.clone()),
        batches: vec![batch],
        ..Run::default()
    }
}

#[test]
fn the_mark_moves_with_the_records_and_counts_only_when_the_sweep_is_complete() {
    let (web, api) = serve(Api::orders(30, 10));
    let source = source(&web, "/cursor", &api, 0);
    let run = read_one_batch(&source, None, 15);
    let cursor = run.cursor.unwrap();
    assert_eq!(cursor["mark"], "2026-01-01T14:00:00Z", "of record 15, not of those fetched ahead");
    assert_eq!(cursor["since"], Value::Null);
    assert_eq!(cursor["skip"], 5);
    let rest = read_from(&source, Some(cursor), WIDE).ok();
    assert_eq!(rest.payloads(), api.records[15..]);
    assert!(asked(&web).iter().all(|since| since == "-"));
}

#[test]
fn a_header_of_the_first_page_may_be_the_mark() {
    let web = Web::serve(|request| {
        let date = format!("Sun, 01 Mar 2026 08:00:0{} GMT", request.number.min(9));
        let next = if request.param("after").is_none() { "\"a\"" } else { "null" };
        Answer::json(format!("{{\"data\": [{}], \"next\": {next}}}", request.number))
            .header("Date", &date)
    });
    let source = settings(
        &web.url,
        json!({"paging": {"model": "cursor", "param": "after", "next": "/next"}, "since": {"param": "since", "header": "Date", "lag": 60}}),
    );
    let run = read(&source).ok();
    assert_eq!(run.cursor, Some(json!({"done": true, "mark": "2026-03-01T08:00:01Z"})));
    let run = read_from(&source, run.cursor, WIDE).ok();
    assert_eq!(asked(&web)[2..], ["2026-03-01T07:59:01Z", "2026-03-01T07:59:01Z"]);
    assert_eq!(run.cursor, Some(json!({"done": true, "mark": "2026-03-01T08:00:03Z"})));
}

#[test]
fn a_mark_may_be_a_number_sent_in_the_body() {
    let web =
        in_turn(vec![page("{\"seq\": 9007199254740993}, {\"seq\": 9007199254740992}"), page("")]);
    let source = settings(
        &web.url,
        json!({"method": "POST", "body": {"q": 1}, "since": {"param": "/from/seq", "field": "/seq", "kind": "number", "start": "0", "send_in": "body"}}),
    );
    let run = read(&source).ok();
    assert_eq!(run.cursor, Some(json!({"done": true, "mark": "9007199254740993"})));
    let run = read_from(&source, run.cursor, WIDE).ok();
    assert_eq!(run.cursor, Some(json!({"done": true, "mark": "9007199254740993"})));
    assert!(run.batches.is_empty(), "nothing new, nothing to commit");
    let bodies: Vec<String> = web.requests().iter().map(|request| request.body.clone()).collect();
    assert_eq!(
        bodies,
        [r#"{"q":1,"from":{"seq":0}}"#, r#"{"q":1,"from":{"seq":9007199254740993}}"#]
    );
}

#[test]
fn a_mark_in_the_future_does_not_hide_what_comes() {
    let web = in_turn(vec![page(
        "{\"at\": \"2999-01-01T00:00:00Z\"}, {\"at\": \"2026-01-01T00:00:00Z\"}",
    )]);
    let source = settings(&web.url, json!({"since": {"param": "since", "field": "/at"}}));
    let mark = read(&source).ok().cursor.unwrap()["mark"].as_str().unwrap().to_owned();
    assert!(mark.as_str() > "2026-01-01" && mark.as_str() < "2998", "{mark}");
}

#[test]
fn records_without_mark_are_remarked_on() {
    let web = in_turn(vec![page("{\"at\": null}, {\"at\": \"2026-01-01\"}, {\"at\": \"soon\"}")]);
    let source = settings(&web.url, json!({"since": {"param": "since", "field": "/at"}}));
    let run = read(&source).ok();
    assert_eq!(run.remarks, ["2 records have no usable `/at`, which `since` goes by"]);
    assert_eq!(run.cursor, Some(json!({"done": true, "mark": "2026-01-01"})));
}
