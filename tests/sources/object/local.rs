//! A local folder under a `file:///` URL.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::*;

fn settings(folder: &TempDir, name: &str) -> Value {
    json!({"kind": "object", "url": format!("file://{}{name}", folder.path().display())})
}

#[test]
fn folder_is_read_with_its_subfolders_in_the_order_of_names() {
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("b/c")).unwrap();
    for (i, name) in ["a.ndjson", "b/c/1.ndjson", "b/ü #1%.ndjson", "c.ndjson"].iter().enumerate()
    {
        fs::write(folder.path().join(name), lines(i, 1)).unwrap();
    }
    fs::write(folder.path().join("b/later.ndjson.part"), lines(9, 1)).unwrap();
    let first = run_settings(&settings(&folder, "/"), vec![], WIDE).ok();
    assert_eq!(numbers(&first.records), [0, 1, 2, 3]);
    let root = format!("file://{}/", folder.path().display());
    assert_eq!(first.records[1].origin, format!("{root}b/c/1.ndjson"));
    assert!(first.object("b/ü #1%.ndjson").is_done);

    fs::write(folder.path().join("0.ndjson"), lines(4, 1)).unwrap();
    let second = run_settings(&settings(&folder, ""), first.objects, WIDE).ok();
    assert_eq!(numbers(&second.records), [4]);
    fs::write(folder.path().join("a.ndjson"), lines(100, 1)).unwrap();
    let third = run_settings(&settings(&folder, "/"), second.objects, WIDE);
    assert!(third.error_text().contains("a.ndjson` was replaced"));
}

#[test]
fn single_file_and_one_that_is_not_there() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.ndjson"), lines(0, 2)).unwrap();
    fs::write(folder.path().join("b.ndjson"), lines(2, 2)).unwrap();
    let outcome = run_settings(&settings(&folder, "/a.ndjson"), vec![], WIDE).ok();
    assert_eq!(numbers(&outcome.records), [0, 1]);
    let error = run_settings(&settings(&folder, "/no/such"), vec![], WIDE).error_text();
    assert!(error.contains("there is no folder or file `file://"), "{error}");
}

#[test]
fn large_file_resumes_inside() {
    let folder = TempDir::new().unwrap();
    let content = large(3);
    fs::write(folder.path().join("a.ndjson"), &content).unwrap();
    let count = content.lines().count();
    let found = run_in_pieces(&settings(&folder, "/"), count / 5);
    assert_eq!(numbers(&found), (0..count).collect::<Vec<_>>());
}
