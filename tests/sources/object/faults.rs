//! Stores and networks that fail: what passes is tried again, what does not is told at once.

use pgsluice::error::Kind;
use serde_json::json;

use super::support::*;
use crate::support::Store;
use crate::support::store::Fault;

#[test]
fn throttled_and_failing_requests_are_tried_again() {
    for (status, code) in [(503, "SlowDown"), (500, "InternalError"), (429, "TooManyRequests")] {
        let store = Store::public();
        store.put("in/a.ndjson", lines(0, 3));
        store.put("in/b.ndjson", lines(3, 3));
        store.misbehave_times(3, Fault::Refuse(status, code), |_| true);
        let outcome = store.run(json!({})).ok();
        assert_eq!(store.fired(), 3, "{status}");
        assert_eq!(numbers(&outcome.records), [0, 1, 2, 3, 4, 5], "{status}");
    }
}

#[test]
fn body_that_is_cut_is_gone_on_with_where_it_broke() {
    let store = Store::public();
    let content = lines(0, 2000);
    store.put("in/a.ndjson", &content);
    store.misbehave_times(2, Fault::Cut(1000), |asked| !asked.is_listing());
    let outcome = store.run(json!({})).ok();
    assert_eq!(store.fired(), 2);
    assert_eq!(numbers(&outcome.records), (0..2000).collect::<Vec<_>>());
    let ranges: Vec<_> = store.asked().into_iter().filter(|a| !a.is_listing()).collect();
    let size = content.len() as u64;
    let ranges: Vec<_> = ranges.into_iter().map(|asked| asked.range).collect();
    assert_eq!(ranges, [None, Some(1000..size), Some(2000..size)]);
}

#[test]
fn body_that_is_cut_in_a_part_loses_and_repeats_nothing() {
    let store = Store::public();
    let content = large(3);
    store.put("in/a.ndjson", &content);
    let mut turn = 0;
    store.misbehave(move |asked| {
        turn += 1;
        (asked.range.is_some() && turn % 2 == 0 && turn < 9).then(|| Fault::Cut(turn * 100_003))
    });
    let outcome = store.run(json!({})).ok();
    assert!(store.fired() >= 3, "{}", store.fired());
    assert_eq!(outcome.payloads().join("\n") + "\n", content);
}

#[test]
fn listing_that_is_cut_is_asked_for_again() {
    let store = Store::public();
    store.page(3);
    for i in 0..7 {
        store.put(&format!("in/{i}.ndjson"), lines(i, 1));
    }
    store.misbehave_times(2, Fault::Cut(200), |asked| asked.is_listing());
    let outcome = store.run(json!({})).ok();
    assert_eq!(store.fired(), 2);
    assert_eq!(numbers(&outcome.records), (0..7).collect::<Vec<_>>());
}

#[test]
fn listing_that_goes_on_without_saying_where_is_no_end() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 1));
    store.misbehave(|asked| asked.is_listing().then_some(Fault::LoseToken));
    let error = store.run(json!({})).error_text();
    assert!(error.contains("says that a listing goes on, but not where"), "{error}");
}

/// Requests that were made for the outcome.
fn asked_once(store: &Store) {
    assert_eq!(store.asked().len(), 1, "it was tried again");
}

#[test]
fn bucket_that_is_not_there_or_not_allowed_is_told_at_once() {
    let store = Store::public();
    let mut settings = store.settings("in/", json!({}));
    settings["url"] = json!("s3://nowhere/in/");
    let error = run_settings(&settings, vec![], WIDE).error.unwrap();
    asked_once(&store);
    assert_eq!(error.kind(), Kind::Failed);
    assert_eq!(
        error.to_string().replace(&store.endpoint(), "http://HOST"),
        format!(
            "there is no bucket `nowhere`\n  \
             {} answered 404 (NoSuchBucket: as the test wants it)\n  \
             next:  check its name in `url`, and `endpoint` and `region` if it is not at the provider's default",
            &store.endpoint()["http://".len()..]
        )
    );

    let store = Store::private();
    let error = run_settings(&store.settings("in/", json!({})), vec![], WIDE).error.unwrap();
    asked_once(&store);
    assert_eq!(error.kind(), Kind::Failed);
    let text = error.to_string();
    for part in [
        "bucket `lake` may not be read",
        "403 (AccessDenied: as the test wants it)",
        "s3:ListBucket",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("AKIAEXAMPLE"), "{text}");
}

#[test]
fn object_that_may_not_be_read_is_named_and_what_stands_before_it_is_read() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 2));
    store.put("in/b.ndjson", lines(2, 2));
    store.misbehave(|asked| {
        asked.key.ends_with("b.ndjson").then_some(Fault::Refuse(403, "AccessDenied"))
    });
    let outcome = store.run(json!({}));
    assert_eq!(numbers(&outcome.records), [0, 1]);
    assert_eq!(store.fired(), 1, "tried once");
    let error = outcome.error_text();
    assert!(error.contains("object `s3://lake/in/b.ndjson` may not be read"), "{error}");
    assert!(error.contains("s3:GetObject"), "{error}");
}

#[test]
fn credentials_that_ran_out_are_not_taken_for_a_wrong_address() {
    for code in ["ExpiredToken", "InvalidToken"] {
        let store = Store::public();
        store.misbehave(|_| Some(Fault::Refuse(400, code)));
        let error = store.run(json!({})).error_text();
        asked_once(&store);
        assert!(error.contains("bucket `lake` may not be read"), "{error}");
        assert!(error.contains(&format!("400 ({code}")), "{error}");
        assert!(
            error.contains("next:  the credentials in the environment have run out"),
            "{error}"
        );
    }
}

#[test]
fn store_that_gives_no_ranges_is_told_with_what_to_look_at() {
    let store = Store::public();
    store.put("in/a.ndjson", large(2));
    store.misbehave(|asked| asked.range.is_some().then_some(Fault::Say("all of it")));
    let error = store.run(json!({})).error_text();
    assert!(error.contains("object `s3://lake/in/a.ndjson` cannot be read"), "{error}");
    assert!(error.contains("next:  run again; if it stays so, check `endpoint`"), "{error}");
}

#[test]
fn archived_object_waits_with_the_reason_and_those_beside_it_are_read() {
    for (status, code) in [(403, "InvalidObjectState"), (409, "BlobArchived")] {
        let store = Store::public();
        for (i, key) in ["a", "b", "c"].iter().enumerate() {
            store.put(&format!("in/{key}.ndjson"), lines(i, 1));
        }
        store.misbehave(move |asked| {
            asked.key.ends_with("b.ndjson").then_some(Fault::Refuse(status, code))
        });
        let outcome = store.run(json!({})).ok();
        assert_eq!(store.fired(), 1, "tried once");
        assert_eq!(numbers(&outcome.records), [0, 2]);
        assert_eq!(outcome.waiting.len(), 1);
        assert_eq!(outcome.waiting[0].name, "s3://lake/in/b.ndjson");
        let why = &outcome.waiting[0].reason;
        for part in ["object `s3://lake/in/b.ndjson` is archived", code, "restore it"] {
            assert!(why.contains(part), "{part}: {why}");
        }
        store.misbehave(|_| None);
        let restored = store.rerun(json!({}), &outcome).ok();
        assert_eq!(numbers(&restored.records), [1]);
        assert!(restored.waiting.is_empty());
    }
}

#[test]
fn object_that_is_archived_behind_a_part_of_it_waits_and_goes_on() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 6));
    store.put("in/b.ndjson", lines(6, 1));
    let settings = store.settings("in/", json!({}));
    let mut source = open(&settings, vec![], rows(2)).unwrap();
    let batch = source.next_batch().unwrap().unwrap();
    drop(source);
    store.misbehave(|asked| {
        let is_it = asked.key.ends_with("a.ndjson");
        is_it.then_some(Fault::Refuse(403, "InvalidObjectState"))
    });
    let outcome = store.run_with(json!({}), batch.objects.clone(), WIDE).ok();
    assert_eq!(numbers(&outcome.records), [6]);
    assert_eq!(outcome.waiting[0].name, "s3://lake/in/a.ndjson");
    store.misbehave(|_| None);
    let restored = store.rerun(json!({}), &outcome).ok();
    assert_eq!(numbers(&restored.records), [2, 3, 4, 5]);
    assert!(restored.waiting.is_empty());
}

#[test]
fn store_that_does_not_recover_is_worth_another_run() {
    let store = Store::public();
    store.put("in/a.ndjson", lines(0, 2));
    store.misbehave(|asked| asked.is_listing().then_some(Fault::Refuse(503, "SlowDown")));
    let error = store.run(json!({})).error.unwrap();
    assert_eq!(error.kind(), Kind::Exhausted);
    assert_eq!(store.fired(), 10);
    assert!(error.to_string().contains("every retry of this run is used up"), "{error}");
}
