//! Which objects are read, and in which order.

use serde_json::json;

use super::support::*;
use crate::support::Store;
use crate::support::store::Fault;

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
    for key in ["in/a.ndjson", "in/deep/er/b.ndjson", "inn/c.ndjson", "in.ndjson", "other/d.ndjson"]
    {
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
fn url_without_its_last_slash_names_an_object_and_those_below_it() {
    let store = Store::public();
    store.put("in/both", lines(0, 1));
    store.put("in/both/x.ndjson", lines(1, 1));
    let settings = store.settings("in/both", json!({"format": "ndjson"}));
    let outcome = run_settings(&settings, vec![], WIDE).ok();
    assert_eq!(origins(&outcome), ["s3://lake/in/both", "s3://lake/in/both/x.ndjson"]);
    let again = run_settings(&settings, outcome.objects, WIDE).ok();
    assert_eq!(again.records, []);
    // To whoever may read only what is below it.
    store.misbehave(|asked| (asked.key == "in/both").then_some(Fault::Refuse(403, "AccessDenied")));
    let outcome = run_settings(&settings, vec![], WIDE).ok();
    assert_eq!(origins(&outcome), ["s3://lake/in/both/x.ndjson"]);
    store.delete("in/both/x.ndjson");
    let text = run_settings(&settings, vec![], WIDE).error_text();
    assert!(text.contains("object `s3://lake/in/both`") && text.contains("403"), "{text}");
}

#[test]
fn pattern_is_for_the_part_behind_the_prefix() {
    let store = Store::public();
    for key in ["in/a.ndjson", "in/a.csv", "in/x/b.ndjson", "in/x/y/c.ndjson"] {
        store.put(key, lines(0, 1));
    }
    for (pattern, found) in [
        ("*.ndjson", vec!["s3://lake/in/a.ndjson"]),
        ("*/*.ndjson", vec!["s3://lake/in/x/b.ndjson"]),
        (
            "**/*.ndjson",
            vec!["s3://lake/in/a.ndjson", "s3://lake/in/x/b.ndjson", "s3://lake/in/x/y/c.ndjson"],
        ),
    ] {
        let outcome = store.run(json!({"pattern": pattern})).ok();
        assert_eq!(origins(&outcome), found, "{pattern}");
    }
    let outcome = store.run(json!({"pattern": "*.json"})).ok();
    assert_eq!(outcome.remarks, ["no object under `s3://lake/in/` matches `*.json`"]);
}

#[test]
fn subfolders_say_whether_a_pattern_reaches_below_the_prefix() {
    let store = Store::public();
    for key in ["in/a.ndjson", "in/b.csv", "in/x/c.ndjson"] {
        store.put(key, lines(0, 1));
    }
    for (more, found) in [
        (
            json!({"pattern": "*.ndjson", "subfolders": true}),
            vec!["s3://lake/in/a.ndjson", "s3://lake/in/x/c.ndjson"],
        ),
        (json!({"pattern": "*.ndjson", "subfolders": false}), vec!["s3://lake/in/a.ndjson"]),
        (
            json!({"subfolders": false, "format": "ndjson"}),
            vec!["s3://lake/in/a.ndjson", "s3://lake/in/b.csv"],
        ),
    ] {
        let outcome = store.run(more.clone()).ok();
        assert_eq!(origins(&outcome), found, "{more}");
    }
}

#[test]
fn an_object_whose_header_lacks_a_column_is_refused_by_its_name() {
    let store = Store::public();
    store.put("in/a.csv", "id,city\n1,Bonn\n");
    store.put("in/b.csv", "city\nUlm\n");
    let outcome = store.run(json!({"require": ["id"]}));
    assert_eq!(outcome.records.len(), 1);
    let told = outcome.error_text();
    assert!(
        told.contains("`s3://lake/in/b.csv`: the header in line 1 lacks `id`, which"),
        "{told}"
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
        [
            "there is no object with content under `s3://lake/in/`",
            "passed over, hidden, or no data by their names (`_…`, README, `.md`, checksums): 2, such as s3://lake/in/.hidden.ndjson"
        ]
    );
    assert!(store.asked().iter().all(|asked| asked.is_listing()));
    let outcome = store.run(json!({"pattern": "*.part", "format": "ndjson"})).ok();
    assert_eq!(outcome.records.len(), 1);
}

#[test]
fn what_spark_and_hive_put_aside_is_passed_over_aloud() {
    let store = Store::public();
    for key in [
        "in/_temporary/0/a.ndjson",
        "in/.staging/b.ndjson",
        "in/.c.ndjson.crc",
        "in/c.ndjson",
        "in/_day=1/d.ndjson",
    ] {
        store.put(key, lines(0, 1));
    }
    let outcome = store.run(json!({})).ok();
    assert_eq!(origins(&outcome), ["s3://lake/in/_day=1/d.ndjson", "s3://lake/in/c.ndjson"]);
    assert_eq!(outcome.remarks.len(), 1);
    assert!(outcome.remarks[0].contains(": 3, such as s3://lake/in/.c.ndjson.crc"));
    let named = store.run(json!({"pattern": "_temporary/**"})).ok();
    assert_eq!(origins(&named), ["s3://lake/in/_temporary/0/a.ndjson"]);
}

#[test]
fn object_begun_under_a_name_that_is_put_aside_is_read_to_its_end() {
    let store = Store::public();
    store.put("in/_a.ndjson", lines(0, 4));
    let named = store.settings("in/", json!({"pattern": "_*"}));
    let mut source = open(&named, vec![], rows(2)).unwrap();
    let begun = source.next_batch().unwrap().unwrap().objects;
    let outcome = store.run_with(json!({}), begun, WIDE).ok();
    assert_eq!(numbers(&outcome.records), [2, 3]);
    assert!(outcome.waiting.is_empty());
}

#[test]
fn keys_with_odd_characters_are_asked_for_as_they_are() {
    let store = Store::public();
    let keys = ["a b+c&d=e.ndjson", "ä/ü%20.ndjson", "x'y\"z<>#;[1].ndjson", "~!$()*@,:.ndjson"];
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
fn unsorted_pages_are_read_in_the_order_of_keys() {
    let store = Store::public();
    for i in 0..5 {
        store.put(&format!("in/{i}.ndjson"), lines(i, 1));
    }
    store.page(2);
    store.list_as(&["in/3.ndjson", "in/1.ndjson", "in/4.ndjson", "in/0.ndjson", "in/2.ndjson"]);
    let outcome = store.run(json!({})).ok();
    assert_eq!(numbers(&outcome.records), [0, 1, 2, 3, 4]);
    assert_eq!(
        outcome.remarks,
        [
            "s3://lake/in/ lists its keys out of order (`in/1.ndjson` behind `in/3.ndjson`): all are listed before they are read"
        ]
    );
    assert_eq!(store.rerun(json!({}), &outcome).ok().records, []);
}

#[test]
fn key_that_is_listed_twice_is_read_once() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 2));
    store.put("in/b.ndjson", lines(2, 2));
    store.page(2);
    store.list_as(&["in/a.ndjson", "in/b.ndjson", "in/b.ndjson", "in/a.ndjson"]);
    let outcome = store.run(json!({})).ok();
    assert_eq!(numbers(&outcome.records), [0, 1, 2, 3]);
    assert_eq!(store.rerun(json!({}), &outcome).ok().records, []);
}

#[test]
fn key_that_cannot_be_asked_for_waits_and_those_beside_it_are_read() {
    let keys = [
        "in/a//b.ndjson",
        "in/c/../d.ndjson",
        "in/./e.ndjson",
        "in/f\u{1}g.ndjson",
        "in/h\ni.ndjson",
        "in/j.ndjson/",
        "in/k.ndjson ",
    ];
    let store = Store::public();
    store.put("in/0.ndjson", lines(0, 1));
    store.put("in/folder/", "");
    store.put("in/z.ndjson", lines(1, 1));
    for key in keys {
        store.put(key, lines(7, 1));
    }
    let first = store.run(json!({})).ok();
    assert_eq!(numbers(&first.records), [0, 1]);
    let mut expected = keys.map(|key| format!("s3://lake/{key}")).to_vec();
    expected.sort_unstable();
    let names: Vec<_> = first.waiting.iter().map(|it| it.name.clone()).collect();
    assert_eq!(names, expected);
    assert_eq!(
        first.remarks[3],
        "s3://lake/in/f\\u{1}g.ndjson cannot be asked for by this key (empty parts, `.`, `..`, control \
         characters, and slashes or spaces at an end stand in the way): copy it to another key, or `sluice skip` it"
    );

    let mut known = first.objects;
    known.extend(keys.map(super::skipped::skip));
    let second = store.run_with(json!({}), known, WIDE).ok();
    assert_eq!((second.records.len(), second.waiting.len()), (0, 0));
    let third = store.rerun(json!({}), &second).ok();
    assert!(third.batches.is_empty() && third.waiting.is_empty());
    store.put(keys[0], lines(8, 2));
    let replaced = store.rerun(json!({}), &third).ok();
    assert_eq!(replaced.waiting.len(), 1, "what replaces it is not skipped");
}

#[test]
fn answer_that_is_no_listing_is_not_an_empty_one() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 1));
    for page in ["<html><body>Sign in</body></html>", ""] {
        store.misbehave(move |asked| asked.is_listing().then_some(Fault::Say(page)));
        let error = store.run(json!({})).error_text();
        assert!(error.contains("answered with no listing"), "{error}");
    }
    let page: &'static str = " ".repeat(65 << 20).leak();
    store.misbehave(move |asked| asked.is_listing().then_some(Fault::Say(page)));
    let error = store.run(json!({})).error_text();
    assert!(error.contains("answered with a listing of more than 64 MiB"), "{error}");
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
    assert_eq!(run_settings(&settings, outcome.objects, WIDE).ok().records, []);
}

#[test]
fn listing_that_goes_on_with_the_same_token_for_ever_fails() {
    const PAGE: &str = "<?xml version=\"1.0\"?><ListBucketResult><Contents><Key>in/a.ndjson</Key>\
        <LastModified>2026-03-01T00:00:00.000Z</LastModified><ETag>\"e\"</ETag><Size>9</Size></Contents>\
        <IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>";
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 1));
    store.misbehave(|asked| asked.is_listing().then_some(Fault::Say(PAGE)));
    let text = store.run(json!({})).error_text();
    assert!(text.contains("s3://lake/in/` goes round in a circle"), "{text}");
}
