//! A past range, read in one sweep; and pages that are passed over.

use serde_json::{Value, json};

use super::support::{WIDE, in_turn, page, read, read_from, read_in_pieces, rows, serve, settings};
use crate::support::Api;
use crate::support::web::Web;

/// An API whose records are an hour apart, narrowed to `range`.
fn source(web: &Web, path: &str, api: &Api, range: Value) -> Value {
    let mut source = api.source(&web.url, path);
    source["since"] = json!({"param": "since", "field": "/at", "start": "2025-01-01", "lag": 7200});
    source["range"] = range;
    source
}

const PATHS: [&str; 6] = ["/all", "/page", "/offset", "/cursor", "/links", "/link-header"];

#[test]
fn a_range_holds_its_ends_and_nothing_beyond() {
    for path in PATHS {
        let (web, api) = serve(Api::orders(60, 10));
        let range = json!({"from": "2026-01-01T12:00:00Z", "to": "2026-01-02T01:00:00+00:00"});
        let first = read(&source(&web, path, &api, range.clone())).ok();
        assert_eq!(first.payloads(), api.records[12..=25], "{path}");
        assert_eq!(first.cursor, Some(json!({"done": true})), "{path}: no mark");
        assert!(
            web.requests()
                .iter()
                .all(|request| request.param("since") == Some("2026-01-01T12:00:00Z"))
        );
        // A server that no page fetched ahead reaches.
        let (unasked, api) = serve(Api::orders(60, 10));
        let over = source(&unasked, path, &api, range);
        let second = read_from(&over, first.cursor.clone(), WIDE).ok();
        assert!(second.batches.is_empty(), "{path}: it is over");
        assert!(unasked.requests().is_empty(), "{path}");
    }
}

#[test]
fn a_range_without_one_end_goes_from_the_start_or_to_the_newest() {
    let (web, api) = serve(Api::orders(30, 10));
    let all = source(&web, "/cursor", &api, json!({"to": "2026-01-01T04:00:00Z"}));
    assert_eq!(read(&all).ok().payloads(), api.records[..=4]);
    let since = web.requests()[0].param("since").map(str::to_owned);
    assert_eq!(since.as_deref(), Some("2025-01-01"), "where sweeps start");
    let new = source(&web, "/cursor", &api, json!({"from": "2026-01-02T03:00:00Z"}));
    assert_eq!(read(&new).ok().payloads(), api.records[27..]);
}

#[test]
fn a_range_that_is_broken_off_anywhere_goes_on_there() {
    for path in PATHS {
        let (web, api) = serve(Api::orders(60, 10));
        let range = json!({"from": "2026-01-01T12:00:00Z", "to": "2026-01-02T07:00:00Z"});
        let source = source(&web, path, &api, range);
        for size in [1, 7, 10] {
            let found = read_in_pieces(&source, size).unwrap();
            let found: Vec<_> = found
                .into_iter()
                .map(|record| String::from_utf8(record.payload).unwrap())
                .collect();
            assert_eq!(found, api.records[12..=31], "{path} by {size}");
        }
    }
}

#[test]
fn the_upper_bound_is_sent_where_the_api_takes_one() {
    let web = in_turn(vec![page(r#"{"at": 5}"#)]);
    let mut source = settings(
        &web.url,
        json!({"since": {"param": "from", "header": "Date", "until_param": "before", "kind": "unix"}, "range": {"from": "3", "to": "7"}}),
    );
    assert_eq!(read(&source).ok().records.len(), 1);
    source["method"] = json!("POST");
    source["since"]["send_in"] = json!("body");
    source["since"]["until_param"] = json!("/query/before");
    read(&source).ok();
    // Beside a range it is none of the requests.
    source.as_object_mut().unwrap().remove("range");
    read(&source).ok();
    let requests = web.requests();
    assert_eq!((requests[0].param("from"), requests[0].param("before")), (Some("3"), Some("7")));
    assert_eq!(requests[1].body, r#"{"from":3,"query":{"before":7}}"#);
    assert_eq!(requests[2].body, "");
}

#[test]
fn marks_are_compared_by_their_kind_and_records_without_one_are_taken() {
    let web = in_turn(vec![page(
        r#"{"at": 9}, {"at": 10}, {"at": "10.5"}, {"at": 100}, {"at": null}, {}, {"at": 10.0}"#,
    )]);
    let source = settings(
        &web.url,
        json!({"since": {"param": "from", "field": "/at", "kind": "number"}, "range": {"to": "10"}}),
    );
    let run = read(&source).ok();
    assert_eq!(
        run.payloads(),
        [r#"{"at": 9}"#, r#"{"at": 10}"#, r#"{"at": null}"#, "{}", r#"{"at": 10.0}"#]
    );
    assert_eq!(
        run.records.iter().map(|record| record.position).collect::<Vec<_>>(),
        [1, 2, 5, 6, 7],
        "positions are those in the page"
    );
    assert_eq!(run.remarks, ["2 records have no usable `/at`, which `since` goes by"]);
}

#[test]
fn pages_are_passed_over_at_the_start_of_a_sweep_and_within() {
    for path in ["/page", "/offset"] {
        let (web, api) = serve(Api::orders(35, 10));
        let mut source = api.source(&web.url, path);
        if path == "/offset" {
            source["paging"]["size"] = json!(10);
        }
        let start = Some(json!({"done": false, "skip_pages": 1}));
        let run = read_from(&source, start.clone(), WIDE).ok();
        assert_eq!(run.payloads(), api.records[10..], "{path}");
        assert_eq!(run.cursor, Some(json!({"done": true})), "{path}");
        // The next sweep passes nothing over.
        assert_eq!(read_from(&source, run.cursor, WIDE).ok().payloads(), api.records, "{path}");
        // As the engine writes it, in the middle of page 2.
        let mut cursor = first_cursor(&source, 15);
        let map = cursor.as_object_mut().unwrap();
        map.remove("skip");
        map.remove("of_page");
        map["next"] = match path {
            "/page" => json!({"page": 3}),
            _ => json!({"offset": 20}),
        };
        map["pages"] = json!(2);
        assert_eq!(
            read_from(&source, Some(cursor), WIDE).ok().payloads(),
            api.records[20..],
            "{path}"
        );
    }
}

#[test]
fn pages_that_only_the_page_before_can_name_are_not_passed_over() {
    let (web, api) = serve(Api::orders(35, 10));
    let source = api.source(&web.url, "/cursor");
    let start = Some(json!({"done": true, "skip_pages": 2}));
    assert_eq!(
        read_from(&source, start, WIDE).ok().payloads(),
        api.records,
        "the paging was another one when they were to be"
    );
}

/// The cursor after the first batch of `n` records.
fn first_cursor(settings: &Value, n: usize) -> Value {
    let mut source = super::support::open_at(settings, None, rows(n), 20).unwrap();
    source.next_batch().unwrap().unwrap().cursor
}
