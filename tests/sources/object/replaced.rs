//! Objects that are not what they were.

use serde_json::json;

use super::support::*;
use crate::support::Store;
use crate::support::store::Fault;

#[test]
fn replaced_object_stops_the_run_and_those_before_it_are_read() {
    let store = Store::public();
    store.put("in/b.ndjson", lines(0, 2));
    let first = store.run(json!({})).ok();
    store.put("in/a.ndjson", lines(10, 2));
    store.put("in/b.ndjson", lines(20, 2));
    store.put("in/c.ndjson", lines(30, 2));
    let second = store.rerun(json!({}), &first);
    assert_eq!(numbers(&second.records), [10, 11]);
    let error = second.error_text();
    for part in [
        "object `s3://lake/in/b.ndjson` was replaced since it was read",
        "it has 18 bytes now, and had 16 before",
        "sluice rewind PIPELINE --object s3://lake/in/b.ndjson",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    // Forgotten, it is read from the start.
    let mut known = second.objects;
    known.retain(|object| !object.object.ends_with("b.ndjson"));
    let third = store.run_with(json!({}), known, WIDE).ok();
    assert_eq!(numbers(&third.records), [20, 21, 30, 31]);
}

#[test]
fn replaced_object_is_read_again_where_that_is_allowed() {
    let store = Store::public();
    let reload = json!({"on_replace": "reload"});
    store.put("in/a.ndjson", lines(0, 2));
    let first = store.run(reload.clone()).ok();
    store.put("in/a.ndjson", lines(2, 2));
    let second = store.rerun(reload.clone(), &first).ok();
    assert_eq!(numbers(&second.records), [2, 3]);
    assert_eq!(second.remarks.len(), 1);
    assert!(second.remarks[0].contains("was replaced (its ETag is "), "{:?}", second.remarks);
    assert_eq!(store.rerun(reload.clone(), &second).ok().records, []);
    // Emptied, it still is another one.
    store.put("in/a.ndjson", "");
    let third = store.rerun(reload.clone(), &second).ok();
    assert_eq!(third.records, []);
    assert!(third.remarks[0].contains("it has 0 bytes now"), "{:?}", third.remarks);
    assert_eq!(store.rerun(reload, &third).ok().remarks, [""; 0]);
}

#[test]
fn same_content_written_again_is_the_same_object() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 2));
    let first = store.run(json!({})).ok();
    store.put("in/a.ndjson", lines(0, 2));
    let second = store.rerun(json!({}), &first).ok();
    assert_eq!(second.records, []);
}

/// Replaces the object when its part number `part` is asked for, counted from 0.
fn replace_at(store: &Store, part: usize, content: String) {
    store.misbehave_times(1, Fault::Replace(content), move |asked| {
        asked.range.as_ref().is_some_and(|range| range.start == (part * PART) as u64)
    });
}

#[test]
fn object_replaced_while_it_is_read_is_begun_again_without_a_trace() {
    for on_replace in ["error", "reload"] {
        let store = Store::public();
        store.put("in/a.ndjson", lines(0, 3));
        store.put("in/b.ndjson", large(3));
        store.put("in/c.ndjson", lines(0, 2));
        replace_at(&store, 2, lines(100, 5));
        let outcome = store.run(json!({"on_replace": on_replace})).ok();
        assert_eq!(store.fired(), 1);
        assert_eq!(
            numbers(&outcome.records),
            [0, 1, 2, 100, 101, 102, 103, 104, 0, 1],
            "{on_replace}"
        );
        assert_eq!(
            outcome.remarks,
            ["s3://lake/in/b.ndjson was replaced (while it was read): read again from the start"]
        );
        assert_eq!(store.rerun(json!({}), &outcome).ok().records, []);
    }
}

#[test]
fn object_replaced_between_its_listing_and_its_first_byte_is_begun_again() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 3));
    store.misbehave_times(1, Fault::Replace(lines(7, 2)), |asked| !asked.is_listing());
    let outcome = store.run(json!({})).ok();
    assert_eq!(store.fired(), 1);
    assert_eq!(numbers(&outcome.records), [7, 8]);
}

#[test]
fn object_replaced_after_a_part_was_handed_out_is_begun_again_only_where_allowed() {
    // More parts than are fetched ahead, so that the last one is asked for after a batch.
    let content = large(12);
    let per_part = content.lines().count() / 12;
    let run = |on_replace: &str| {
        let store = Store::public();
        store.put("in/a.ndjson", &content);
        replace_at(&store, 11, lines(0, 5));
        let outcome = store.run_with(json!({"on_replace": on_replace}), vec![], rows(per_part));
        assert_eq!(store.fired(), 1);
        outcome
    };
    let refused = run("error");
    let error = refused.error_text();
    assert!(error.contains("was replaced since it was read"), "{error}");
    assert!(!refused.object("a.ndjson").is_done);
    let allowed = run("reload").ok();
    assert!(allowed.records.len() > per_part);
    let last: Vec<usize> = numbers(&allowed.records).into_iter().rev().take(5).collect();
    assert_eq!(last, [4, 3, 2, 1, 0]);
    assert!(allowed.object("a.ndjson").is_done);
}

#[test]
fn object_that_is_replaced_again_and_again_fails_the_run() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 3));
    let mut turn = 0;
    store.misbehave(move |asked| {
        turn += 1;
        (!asked.is_listing()).then(|| Fault::Replace(lines(turn, 2)))
    });
    let error = store.run(json!({"on_replace": "reload"})).error_text();
    assert!(error.contains("was replaced since it was read"), "{error}");
}

#[test]
fn object_replaced_between_runs_while_it_was_in_progress_follows_the_policy() {
    let begun = |store: &Store| {
        store.put("in/a.ndjson", lines(0, 9));
        let settings = store.settings("in/", json!({}));
        let mut source = open(&settings, vec![], rows(4)).unwrap();
        let batch = source.next_batch().unwrap().unwrap();
        assert_eq!(numbers(&records(&batch)), [0, 1, 2, 3]);
        store.put("in/a.ndjson", lines(20, 9));
        let mut known = Vec::new();
        merge(&mut known, &batch.objects);
        known
    };
    let store = Store::public();
    let known = begun(&store);
    let refused = store.run_with(json!({}), known.clone(), WIDE);
    assert!(refused.error_text().contains("was replaced"));
    assert_eq!(refused.records, []);
    let allowed = store.run_with(json!({"on_replace": "reload"}), known, WIDE).ok();
    assert_eq!(numbers(&allowed.records), (20..29).collect::<Vec<_>>());
}

#[test]
fn object_that_vanishes_is_passed_over_unless_a_part_of_it_was_handed_out() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 2));
    store.put("in/b.ndjson", lines(2, 2));
    store.put("in/c.ndjson", lines(4, 2));
    store.misbehave_times(1, Fault::Delete, |asked| asked.key.ends_with("b.ndjson"));
    let outcome = store.run(json!({})).ok();
    assert_eq!(store.fired(), 1);
    assert_eq!(numbers(&outcome.records), [0, 1, 4, 5]);
    assert_eq!(outcome.remarks, ["s3://lake/in/b.ndjson was deleted before it could be read"]);
    let told = outcome.batches.iter().filter_map(|batch| batch.spoilt_by.clone());
    assert_eq!(told.collect::<Vec<_>>(), outcome.remarks);
    assert!(outcome.is_complete);

    let store = Store::public();
    let content = large(12);
    store.put("in/a.ndjson", &content);
    store.misbehave_times(1, Fault::Delete, |asked| {
        asked.range.as_ref().is_some_and(|range| range.start == 11 * PART as u64)
    });
    let outcome = store.run_with(json!({}), vec![], rows(content.lines().count() / 12));
    assert_eq!(store.fired(), 1);
    let error = outcome.error_text();
    assert!(error.contains("object `s3://lake/in/a.ndjson` is gone"), "{error}");
}

#[test]
fn many_objects_that_vanish_are_one_note() {
    let store = Store::public();
    for i in 0..50 {
        store.put(&format!("in/{i:02}.ndjson"), lines(i, 1));
    }
    store.misbehave(|asked| {
        (!asked.is_listing() && !asked.key.contains("07")).then_some(Fault::Delete)
    });
    let outcome = store.run(json!({})).ok();
    assert_eq!(store.fired(), 49);
    assert_eq!(numbers(&outcome.records), [7]);
    assert_eq!(
        outcome.remarks,
        ["s3://lake/in/00.ndjson and 48 others were deleted before they could be read"]
    );
}

#[test]
fn object_that_was_begun_and_is_not_there_any_more_is_told() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 9));
    let settings = store.settings("in/", json!({}));
    let mut source = open(&settings, vec![], rows(4)).unwrap();
    let batch = source.next_batch().unwrap().unwrap();
    let mut known = Vec::new();
    merge(&mut known, &batch.objects);
    store.delete("in/a.ndjson");
    let outcome = run_settings(&settings, known, WIDE).ok();
    assert_eq!(
        outcome.remarks,
        [
            "there is no object with content under `s3://lake/in/`",
            "s3://lake/in/a.ndjson is gone; 4 records of it were read"
        ]
    );
}
