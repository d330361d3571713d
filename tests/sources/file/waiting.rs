//! What a file offers and cannot be read yet is told by name, at every run.

use serde_json::json;

use super::support::{Folder, Outcome, gzip, rows};

/// The names of what waits, without the folder.
fn waiting(outcome: &Outcome) -> Vec<&str> {
    let names = outcome.waiting.iter();
    names.map(|waiting| waiting.name.rsplit('/').next().unwrap()).collect()
}

#[test]
fn file_that_ends_inside_a_record_waits_until_the_rest_has_come() {
    let folder = Folder::new();
    let first = folder.read("a.ndjson", "{\"a\":1}\n{\"a\"", json!({})).ok();
    assert_eq!(waiting(&first), ["a.ndjson"]);
    let second = folder.rerun("a.ndjson", json!({}), &first).ok();
    assert_eq!(second.waiting, first.waiting, "and is told again, in the same words");
    folder.append("a.ndjson", ":2}\n");
    let third = folder.rerun("a.ndjson", json!({}), &second).ok();
    assert_eq!(third.payloads(), ["{\"a\":2}"]);
    assert!(third.waiting.is_empty());
}

#[test]
fn compressed_file_that_is_cut_waits() {
    let packed = gzip(b"{\"a\":1}\n{\"a\":2}\n");
    let run = super::support::read("a.ndjson.gz", &packed[..packed.len() - 9], json!({})).ok();
    assert_eq!(waiting(&run), ["a.ndjson.gz"]);
}

#[test]
fn half_read_file_that_is_gone_waits_whatever_the_path_stands_for() {
    for path in ["*.ndjson", ""] {
        let folder = Folder::new();
        folder.write("a.ndjson", "{}\n".repeat(10));
        folder.write("b.ndjson", "{}\n");
        let settings = folder.settings(path, json!({}));
        let mut source = super::support::open(&settings, vec![], rows(3)).unwrap();
        let batch = source.next_batch().unwrap().unwrap();
        std::fs::remove_file(folder.path("a.ndjson")).unwrap();
        let run = folder.run_with(path, json!({}), batch.objects.clone(), rows(100)).ok();
        assert_eq!(waiting(&run), ["a.ndjson"], "{path}");
        let told = format!("{} is gone; 3 records of it were read", folder.name("a.ndjson"));
        assert_eq!(run.remarks, [told]);
        assert_eq!(run.records.len(), 1, "the other file is read");
        let mut skipped = batch.objects.clone();
        skipped[0].position["skipped"] = json!(true);
        let run = folder.run_with(path, json!({}), skipped, rows(100)).ok();
        assert!(run.waiting.is_empty(), "it was given up");
    }
}

#[test]
fn half_read_file_of_another_path_is_nobodys_business() {
    let folder = Folder::new();
    folder.write("a.ndjson", "{}\n".repeat(10));
    let settings = folder.settings("a.ndjson", json!({}));
    let mut source = super::support::open(&settings, vec![], rows(3)).unwrap();
    let batch = source.next_batch().unwrap().unwrap();
    folder.write("b.csv", "a\n1\n");
    let run = folder.run_with("*.csv", json!({}), batch.objects, rows(100)).ok();
    assert!(run.waiting.is_empty());
}
