//! Which objects are read, and in which order.

use serde_json::json;

use super::support::*;
use crate::support::Store;

fn origins(outcome: &Outcome) -> Vec<&str> {
    let mut origins: Vec<&str> = outcome.records.iter().map(|r| r.origin.as_str()).collect();
    origins.dedup();
    origins
}

#[test]
fn every_page_of_the_listing_is_read_in_order() {
    let store = Store::public();
    store.page(7);
    for i in 0..50 {
        store.put(&format!("in/{i:02}.ndjson"), lines(i, 1));
    }
    let outcome = store.run(json!({})).ok();
    assert_eq!(numbers(&outcome.records), (0..50).collect::<Vec<_>>());
    let listings = store.asked().iter().filter(|a| a.is_listing()).count();
    assert_eq!(listings, 8);
    assert_eq!(store.rerun(json!({}), &outcome).ok().records, []);
}

#[test]
fn many_small_objects_share_a_batch() {
    let store = Store::public();
    for i in 0..2500 {
        store.put(&format!("in/{i:05}.ndjson"), lines(i, 1));
    }
    let outcome = store.run(json!({})).ok();
    assert_eq!(numbers(&outcome.records), (0..2500).collect::<Vec<_>>());
    let rows: Vec<usize> = outcome.batches.iter().map(|batch| batch.rows).collect();
    assert_eq!(rows, [1000, 1000, 500]);
    assert_eq!(outcome.objects.len(), 2500);
}

#[test]
fn key_that_sorts_before_those_already_read_is_found() {
    let store = Store::public();
    store.put("in/b.ndjson", lines(0, 2));
    let first = store.run(json!({})).ok();
    store.put("in/a.ndjson", lines(2, 2));
    let second = store.rerun(json!({}), &first).ok();
    assert_eq!(numbers(&second.records), [2, 3]);
    assert_eq!(origins(&second), ["s3://lake/in/a.ndjson"]);
}

#[test]
fn only_what_is_under_the_prefix_is_read() {
    let store = Store::public();
    for key in [
        "in/a.ndjson",
        "in/deep/er/b.ndjson",
        "inn/c.ndjson",
        "in.ndjson",
        "other/d.ndjson",
    ] {
        store.put(key, lines(0, 1));
    }
    for prefix in ["in", "in/", "/in//"] {
        let outcome = run_settings(&store.settings(prefix, json!({})), vec![], WIDE).ok();
        assert_eq!(
            origins(&outcome),
            ["s3://lake/in/a.ndjson", "s3://lake/in/deep/er/b.ndjson"],
            "{prefix}"
        );
    }
    let whole = run_settings(&store.settings("", json!({})), vec![], WIDE).ok();
    assert_eq!(origins(&whole).len(), 5);
}

#[test]
fn url_may_name_one_object() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 1));
    store.put("in/a.ndjson.gz", "not this one");
    let settings = store.settings("in/a.ndjson", json!({}));
    let first = run_settings(&settings, vec![], WIDE).ok();
    assert_eq!(origins(&first), ["s3://lake/in/a.ndjson"]);
    // It is the same object when it is found under its prefix.
    store.misbehave(|_| None);
    let settings = store.settings("in/", json!({"pattern": "*.ndjson"}));
    let second = run_settings(&settings, first.objects, WIDE).ok();
    assert_eq!(second.records, []);
}

#[test]
fn pattern_is_for_the_part_behind_the_prefix() {
    let store = Store::public();
    for key in [
        "in/a.ndjson",
        "in/a.csv",
        "in/x/b.ndjson",
        "in/x/y/c.ndjson",
    ] {
        store.put(key, lines(0, 1));
    }
    for (pattern, found) in [
        ("*.ndjson", vec!["s3://lake/in/a.ndjson"]),
        ("*/*.ndjson", vec!["s3://lake/in/x/b.ndjson"]),
        (
            "**/*.ndjson",
            vec![
                "s3://lake/in/a.ndjson",
                "s3://lake/in/x/b.ndjson",
                "s3://lake/in/x/y/c.ndjson",
            ],
        ),
    ] {
        let outcome = store.run(json!({"pattern": pattern})).ok();
        assert_eq!(origins(&outcome), found, "{pattern}");
    }
    let outcome = store.run(json!({"pattern": "*.json"})).ok();
    assert_eq!(
        outcome.remarks,
        ["no object under `s3://lake/in/` matches `*.json`"]
    );
}

#[test]
fn unfinished_hidden_and_empty_objects_are_left_out() {
    let store = Store::public();
    store.put("in/", "");
    store.put("in/_SUCCESS", "");
    store.put("in/.hidden.ndjson", lines(0, 1));
    store.put("in/a.ndjson.part", lines(0, 1));
    let outcome = store.run(json!({})).ok();
    assert_eq!(outcome.records, []);
    assert_eq!(outcome.objects, []);
    assert_eq!(
        outcome.remarks,
        ["there is no object with content under `s3://lake/in/`"]
    );
    assert!(store.asked().iter().all(|asked| asked.is_listing()));
    let outcome = store
        .run(json!({"pattern": "*.part", "format": "ndjson"}))
        .ok();
    assert_eq!(outcome.records.len(), 1);
}

#[test]
fn keys_with_odd_characters_are_asked_for_as_they_are() {
    let store = Store::public();
    let keys = [
        "a b+c&d=e.ndjson",
        "ä/ü%20.ndjson",
        "x'y\"z<>#;[1].ndjson",
        "~!$()*@,:.ndjson",
    ];
    for (i, key) in keys.iter().enumerate() {
        store.put(&format!("in/{key}"), lines(i, 1));
    }
    let outcome = store.run(json!({})).ok();
    assert_eq!(outcome.records.len(), keys.len());
    for key in keys {
        assert!(outcome.object(key).is_done, "{key}");
    }
    assert_eq!(store.rerun(json!({}), &outcome).ok().records, []);
}

#[test]
fn key_that_cannot_be_asked_for_fails_the_run_and_is_named() {
    let store = Store::public();
    store.put("in/a//b.ndjson", lines(0, 1));
    let error = store.run(json!({})).error_text();
    assert!(error.contains("a//b.ndjson"), "{error}");
    assert!(error.contains("rename that object"), "{error}");
}

#[test]
fn google_cloud_storage_is_listed_and_read_too() {
    // It is asked in the language of S3.
    let store = Store::public();
    store.page(2);
    for i in 0..5 {
        store.put(&format!("in/{i}.ndjson"), lines(i, 1));
    }
    let content = large(2);
    store.put("in/large.ndjson", &content);
    let mut settings = store.settings("in/", json!({}));
    settings["url"] = json!("gs://lake/in/");
    let outcome = run_settings(&settings, vec![], WIDE).ok();
    assert_eq!(numbers(&outcome.records)[..5], [0, 1, 2, 3, 4]);
    assert_eq!(outcome.records.len(), 5 + content.lines().count());
    assert_eq!(origins(&outcome)[0], "gs://lake/in/0.ndjson");
    assert_eq!(
        run_settings(&settings, outcome.objects, WIDE).ok().records,
        []
    );
}
