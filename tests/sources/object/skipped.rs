//! Objects that are passed over.

use pgsluice::source::ObjectState;
use serde_json::json;

use super::support::*;
use crate::support::Store;

pub(super) fn skip(key: &str) -> ObjectState {
    ObjectState {
        object: format!("s3://lake/{key}"),
        identity: json!({}),
        position: json!({"skipped": true, "records": 1}),
        is_done: true,
    }
}

#[test]
fn object_that_stops_every_run_is_passed_over_until_it_is_replaced() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 2));
    store.put("in/b.csv", "id,id\n1,2\n");
    store.put("in/c.ndjson", lines(4, 2));
    let first = store.run(json!({}));
    assert_eq!(numbers(&first.records), [0, 1]);
    assert!(first.error_text().contains("b.csv"));
    let mut known = first.objects;
    known.push(skip("in/b.csv"));
    let second = store.run_with(json!({}), known, WIDE).ok();
    assert_eq!(numbers(&second.records), [4, 5]);
    assert_eq!(second.remarks, ["s3://lake/in/b.csv is passed over, as told"]);
    let state = second.object("in/b.csv");
    assert!(state.is_done && state.identity["etag"].is_string(), "{state:?}");
    store.asked();
    let third = store.rerun(json!({}), &second).ok();
    assert!(third.batches.is_empty() && third.remarks.is_empty());
    assert_eq!(
        store.asked().iter().filter(|a| a.key == "in/b.csv").count(),
        0,
        "nobody asked for its content"
    );
    // The same content under a new time is the same object; other content is not, whatever
    // `on_replace` says.
    store.put("in/b.csv", "id,id\n1,2\n");
    assert!(store.rerun(json!({}), &third).ok().batches.is_empty());
    store.put("in/b.csv", "i\n7\n");
    let mended = store.rerun(json!({}), &third).ok();
    assert_eq!(mended.payloads(), [r#"{"i":"7"}"#]);
    assert!(mended.object("in/b.csv").position["skipped"].is_null());
}

#[test]
fn object_to_be_passed_over_that_comes_later_is() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 2));
    let first = store.run_with(json!({}), vec![skip("in/b.ndjson")], WIDE).ok();
    assert_eq!(numbers(&first.records), [0, 1]);
    store.put("in/b.ndjson", lines(2, 2));
    let second = store.rerun(json!({}), &first).ok();
    assert_eq!(second.records, []);
    assert_eq!(second.object("in/b.ndjson").position["records"], 1);
}
