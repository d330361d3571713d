//! Files that are passed over.

use pgsluice::source::ObjectState;
use serde_json::{Value, json};

use super::support::{Folder, Outcome, WIDE, rows};

/// What the engine notes of a file that is to be passed over.
fn skip(folder: &Folder, name: &str, more: Value) -> ObjectState {
    let mut position = json!({"skipped": true});
    position.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ObjectState { object: folder.name(name), identity: json!({}), position, is_done: true }
}

fn run(folder: &Folder, known: Vec<ObjectState>) -> Outcome {
    folder.run_with("*", json!({}), known, WIDE)
}

/// A file with a senseless header, between two sound ones.
fn poisoned() -> Folder {
    let folder = Folder::new();
    folder.write("a.ndjson", "{\"a\":1}\n");
    folder.write("b.csv", "id,id\n1,2\n");
    folder.write("c.ndjson", "{\"c\":1}\n");
    folder
}

#[test]
fn file_that_stops_every_run_is_passed_over() {
    let folder = poisoned();
    let first = run(&folder, vec![]);
    assert_eq!(first.payloads(), ["{\"a\":1}"]);
    assert!(first.error_text().contains("b.csv"));
    let mut known = first.objects;
    known.push(skip(&folder, "b.csv", json!({})));
    let second = run(&folder, known).ok();
    assert_eq!(second.payloads(), ["{\"c\":1}"]);
    let name = folder.name("b.csv");
    assert_eq!(second.remarks, [format!("{name} is passed over, as told")]);
    let state = second.object("b.csv");
    assert!(state.is_done);
    assert_eq!(state.position, json!({"skipped": true}));
    assert!(state.identity["size"].as_u64() == Some(10), "{state:?}");
    let third = run(&folder, second.objects).ok();
    assert!(third.batches.is_empty());
    assert!(third.remarks.is_empty(), "{:?}", third.remarks);
}

#[test]
fn file_begun_is_not_read_further() {
    let folder = Folder::new();
    folder.write("a.ndjson", "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n");
    let half = json!({"bytes": 8, "records": 1});
    let done = run(&folder, vec![skip(&folder, "a.ndjson", half)]).ok();
    assert_eq!(done.records, []);
    assert_eq!(
        done.object("a.ndjson").position,
        json!({"skipped": true, "bytes": 8, "records": 1})
    );
    assert_eq!(done.batches.len(), 1, "which notes what it was");
}

#[test]
fn what_replaces_a_file_that_was_passed_over_is_read_from_its_start() {
    let folder = poisoned();
    let skipped = run(&folder, vec![skip(&folder, "b.csv", json!({}))]).ok();
    folder.write("b.csv", "id,b\n1,2\n3,4\n");
    let mended = run(&folder, skipped.objects).ok();
    assert_eq!(mended.payloads(), [r#"{"id":"1","b":"2"}"#, r#"{"id":"3","b":"4"}"#]);
    assert_eq!(mended.positions(), [2, 3]);
    assert!(mended.remarks[0].contains("was passed over, and has changed since"));
    // From now on it is a file like any other.
    let state = mended.object("b.csv").clone();
    assert!(state.is_done && state.position["skipped"].is_null());
    assert!(run(&folder, mended.objects).ok().batches.is_empty());
}

#[test]
fn file_that_grew_since_it_was_passed_over_is_another_one() {
    let folder = Folder::new();
    folder.write("a.ndjson", "{\"a\":1}\n");
    let skipped = run(&folder, vec![skip(&folder, "a.ndjson", json!({}))]).ok();
    folder.append("a.ndjson", "{\"a\":2}\n");
    let read = run(&folder, skipped.objects).ok();
    assert_eq!(read.payloads(), ["{\"a\":1}", "{\"a\":2}"]);
}

#[test]
fn file_to_be_passed_over_that_is_not_there_yet_waits() {
    let folder = Folder::new();
    folder.write("a.ndjson", "{\"a\":1}\n");
    let known = vec![skip(&folder, "b.ndjson", json!({}))];
    let first = run(&folder, known).ok();
    assert_eq!(first.payloads(), ["{\"a\":1}"]);
    assert_eq!(first.object("b.ndjson").identity, json!({}));
    folder.write("b.ndjson", "{\"b\":1}\n");
    let second = run(&folder, first.objects).ok();
    assert_eq!(second.records, []);
    assert_ne!(second.object("b.ndjson").identity, json!({}));
}

#[test]
fn many_of_them_do_not_make_one_batch() {
    let folder = Folder::new();
    let names: Vec<String> = (0..1001).map(|i| format!("{i:04}.ndjson")).collect();
    for name in &names {
        folder.write(name, "{}\n");
    }
    let known = names.iter().map(|name| skip(&folder, name, json!({}))).collect();
    let done = folder.run_with("*", json!({}), known, rows(5)).ok();
    assert_eq!(done.batches.iter().map(|batch| batch.objects.len()).collect::<Vec<_>>(), [1000, 1]);
}
