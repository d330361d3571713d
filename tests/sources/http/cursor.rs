//! What a cursor says, and what becomes of one that no longer fits.

use serde_json::{Value, json};

use super::support::{WIDE, page, read_from, rows, serve, settings};
use crate::support::Api;
use crate::support::web::Web;

/// The cursor after the first batch of `size`, with its time and fingerprint taken out.
fn first_cursor(source: &Value, size: usize) -> Value {
    let mut run = read_from(source, None, rows(size)).ok();
    run.batches.remove(0).cursor
}

#[test]
fn a_cursor_names_the_page_and_the_place_in_it() {
    let (web, api) = serve(Api::orders(30, 10));
    for (path, middle, behind) in [
        ("/page", json!({"page": 2}), json!({"page": 3})),
        ("/offset", json!({"offset": 10}), json!({"offset": 20})),
        ("/cursor", json!({"token": "t10"}), json!({"token": "t20"})),
        ("/search", json!({"token": "t10"}), json!({"token": "t20"})),
        (
            "/link-header",
            json!({"link": format!("{}/link-header?after=t10", web.url)}),
            json!({"link": format!("{}/link-header?after=t20", web.url)}),
        ),
    ] {
        let source = api.source(&web.url, path);
        let inside = first_cursor(&source, 13);
        assert_eq!(
            (&inside["next"], &inside["skip"], &inside["pages"], &inside["records"]),
            (&middle, &json!(3), &json!(1), &json!(10)),
            "{path}"
        );
        let between = first_cursor(&source, 20);
        assert_eq!(
            (&between["next"], &between["skip"], &between["pages"], &between["records"]),
            (&behind, &Value::Null, &json!(2), &json!(20)),
            "{path}"
        );
    }
}

#[test]
fn a_finished_sweep_is_followed_by_another() {
    let (web, api) = serve(Api::orders(5, 10));
    let source = api.source(&web.url, "/page");
    let run = read_from(&source, Some(json!({"done": true})), WIDE).ok();
    assert_eq!(run.payloads(), api.records);
    let (web, _) = serve(Api::orders(0, 10));
    let run = read_from(&api.source(&web.url, "/page"), Some(json!({"done": true})), WIDE).ok();
    assert!(run.batches.is_empty());
    let run = read_from(&api.source(&web.url, "/page"), None, WIDE).ok();
    assert_eq!(
        (run.batches.len(), run.batches[0].rows),
        (1, 0),
        "the end of the first sweep is noted"
    );
}

#[test]
fn a_page_that_has_changed_is_read_again_from_its_start() {
    let web = Web::serve(|request| match request.param("page") {
        Some("1") if request.number == 1 => page("1, 2, 3, 4"),
        Some("1") => page("0, 1, 2, 3"),
        Some("2") => page("4, 5"),
        _ => page(""),
    });
    let source = settings(
        &web.url,
        json!({"paging": {"model": "page_number", "param": "page"}, "prefetch": 1}),
    );
    let cursor = first_cursor(&source, 3);
    assert_eq!(cursor["skip"], 3);
    let run = read_from(&source, Some(cursor), WIDE).ok();
    assert_eq!(
        run.payloads(),
        ["0", "1", "2", "3", "4", "5"],
        "0 was not read before, nothing is lost"
    );
}

#[test]
fn a_source_that_was_defined_anew_begins_the_sweep_again() {
    let (web, api) = serve(Api::orders(30, 10));
    let source = api.source(&web.url, "/page");
    let cursor = first_cursor(&source, 13);
    for (key, value) in
        [("params", json!({"q": 1})), ("paging", api.source(&web.url, "/offset")["paging"].clone())]
    {
        let mut changed = source.clone();
        changed[key] = value;
        let run = read_from(&changed, Some(cursor.clone()), WIDE);
        assert_eq!(run.records[0].position, 1, "{key}");
        assert_eq!(
            run.remarks[0],
            "the source was defined anew in the middle of a sweep: read again from the first page",
            "{key}"
        );
    }
    let mut harmless = source;
    harmless["read_timeout"] = json!(30);
    harmless["prefetch"] = json!(4);
    let run = read_from(&harmless, Some(cursor), WIDE).ok();
    assert_eq!(run.payloads(), api.records[13..]);
}

#[test]
fn a_cursor_of_another_kind_of_source_is_refused() {
    let (web, api) = serve(Api::orders(1, 10));
    let run = read_from(
        &api.source(&web.url, "/page"),
        Some(json!({"object": "a.csv", "bytes": 7})),
        WIDE,
    );
    assert_eq!(run.error.as_ref().unwrap().kind().exit_code(), 2);
    assert!(run.error_text().contains("sluice rewind PIPELINE --to-start"), "{}", run.error_text());
    assert_eq!(web.requests().len(), 0);
}
