use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::support::{Folder, gzip, zstd};

#[test]
fn grown_file_continues_where_it_stopped() {
    let folder = Folder::new();
    let first = folder.read("a.ndjson", "{\"a\":1}\n", json!({})).ok();
    folder.append("a.ndjson", "{\"a\":2}\n\n{\"a\":3}\n");
    let second = folder.rerun("a.ndjson", json!({}), &first).ok();
    assert_eq!(second.payloads(), ["{\"a\":2}", "{\"a\":3}"]);
    assert_eq!(second.positions(), [2, 4]);
    assert_eq!(second.object("a.ndjson").position["records"], 3);
}

#[test]
fn unchanged_file_gives_no_batch() {
    let folder = Folder::new();
    for content in ["{\"a\":1}\n", "{\"a\":1}", "", "{\"a\":1}\n{\"a"] {
        let first = folder.read("a.ndjson", content, json!({})).ok();
        let second = folder.rerun("a.ndjson", json!({}), &first).ok();
        assert!(second.batches.is_empty(), "{content:?}");
        assert_eq!(first.remarks, second.remarks, "{content:?}");
    }
}

#[test]
fn unchanged_finished_file_is_not_even_opened() {
    let folder = Folder::new();
    let first = folder.read("a.ndjson", "{\"a\":1}\n", json!({})).ok();
    // The same size and time over other content: who opened it would object.
    let time = fs::metadata(folder.path("a.ndjson")).unwrap().modified().unwrap();
    folder.write("a.ndjson", "{\"a\":2}\n");
    let file = fs::File::options().append(true).open(folder.path("a.ndjson")).unwrap();
    file.set_modified(time).unwrap();
    let second = folder.rerun("a.ndjson", json!({}), &first).ok();
    assert!(second.batches.is_empty());
}

#[test]
fn touched_file_is_marked_again_without_records() {
    let folder = Folder::new();
    for (name, content) in [
        ("a.ndjson", "{\"a\":1}\n"),
        ("b.ndjson", "{\"a\":1}"),
        ("a.csv", "a\n1"),
        ("b.csv", "a"),
        ("a.json", "[1]"),
    ] {
        let first = folder.read(name, content, json!({})).ok();
        folder.age(name, 100);
        let second = folder.rerun(name, json!({}), &first).ok();
        assert_eq!(second.batches.len(), 1, "{name}");
        assert!(second.records.is_empty(), "{name}");
        assert!(second.object(name).is_done, "{name}");
        assert_eq!(second.object(name).position, first.object(name).position, "{name}");
        let third = folder.rerun(name, json!({}), &second).ok();
        assert!(third.batches.is_empty(), "{name}");
    }
}

#[test]
fn partial_record_is_loaded_whole_once_the_rest_came() {
    let folder = Folder::new();
    for (name, head, rest, record) in [
        ("a.ndjson", "{\"a\":1}\n{\"a\"", ":2}\n", "{\"a\":2}"),
        ("a.json", "[{\"a\":1},{\"a\"", ":2}]", "{\"a\":2}"),
        ("b.json", "[{\"a\":1},", "{\"a\":2}]", "{\"a\":2}"),
        ("a.csv", "a\n1\n\"2", "\n\"\n", "{\"a\":\"2\\n\"}"),
    ] {
        let first = folder.read(name, head, json!({})).ok();
        assert_eq!(first.payloads().len(), 1, "{name}");
        folder.append(name, rest);
        let second = folder.rerun(name, json!({}), &first).ok();
        assert_eq!(second.payloads(), [record], "{name}");
        assert!(second.object(name).is_done, "{name}");
        assert!(second.remarks.is_empty(), "{name}");
    }
}

#[test]
fn newline_behind_a_loaded_tail_does_not_load_it_again() {
    let folder = Folder::new();
    for (name, content, end) in [
        ("a.ndjson", "{\"a\":1}\n{\"a\":2}", "\n"),
        ("b.ndjson", "{\"a\":1}\n{\"a\":2}", "\r\n"),
        ("a.csv", "a\n1\n2", "\n"),
        ("b.csv", "a\n1\n2", "\r\n"),
    ] {
        let first = folder.read(name, content, json!({})).ok();
        assert_eq!(first.records.len(), 2);
        let line = first.positions()[1];
        folder.append(name, end);
        let second = folder.rerun(name, json!({}), &first).ok();
        assert!(second.records.is_empty(), "{name}");
        folder.append(name, if name.ends_with("csv") { "3\n" } else { "3 \n" });
        let third = folder.rerun(name, json!({}), &second).ok();
        assert_eq!(third.positions(), [line + 1], "{name}");
    }
}

#[test]
fn loaded_tail_that_goes_on_is_read_again_from_its_start() {
    let folder = Folder::new();
    for (name, content, rest, whole) in [
        ("a.ndjson", "{\"a\":1}\n{\"a\":2}", " \n{\"a\":3}\n", "{\"a\":2} "),
        ("a.csv", "a\n1\n2", "5\n3\n", "{\"a\":\"25\"}"),
    ] {
        let first = folder.read(name, content, json!({})).ok();
        let line = first.positions()[1];
        folder.append(name, rest);
        let second = folder.rerun(name, json!({}), &first).ok();
        assert_eq!(second.payloads()[0], whole, "{name}");
        assert_eq!(second.positions(), [line, line + 1], "{name}");
    }
}

#[test]
fn quarantined_tail_that_goes_on_is_read_again_from_its_start() {
    let folder = Folder::new();
    let more = json!({"partial": "quarantine"});
    for (name, content, rest, whole) in [
        ("a.ndjson", "1 \n{\"a\":", "2}\n", "{\"a\":2}"),
        ("a.json", "[1,{\"a\":", "\n2}]", "{\"a\":\n2}"),
        ("a.csv", "a,b\nx", ",y\n", "{\"a\":\"x\",\"b\":\"y\"}"),
    ] {
        let first = folder.read(name, content, more.clone()).ok();
        assert_eq!(first.faults().len(), 1, "{name}");
        folder.age(name, 50);
        let touched = folder.rerun(name, more.clone(), &first).ok();
        assert!(touched.records.is_empty(), "{name}: quarantined once");
        folder.append(name, rest);
        let second = folder.rerun(name, more.clone(), &touched).ok();
        assert_eq!(second.payloads(), [whole], "{name}");
        assert!(second.faults().is_empty(), "{name}");
    }
}

#[test]
fn header_without_newline_is_read_again_when_the_file_grows() {
    let folder = Folder::new();
    let first = folder.read("a.csv", "a,b", json!({})).ok();
    assert!(first.object("a.csv").is_done);
    folder.append("a.csv", "c\n1,2\n");
    let second = folder.rerun("a.csv", json!({}), &first).ok();
    assert_eq!(second.payloads(), [r#"{"a":"1","bc":"2"}"#]);
    assert_eq!(second.positions(), [2]);
    folder.write("b.csv", "a,b");
    let first = folder.run("b.csv", json!({})).ok();
    folder.append("b.csv", "\n1,2\n");
    let second = folder.rerun("b.csv", json!({}), &first).ok();
    assert_eq!(second.payloads(), [r#"{"a":"1","b":"2"}"#]);
}

#[test]
fn header_is_remembered_when_a_csv_file_grows() {
    let folder = Folder::new();
    let first = folder.read("a.csv", "a,b\n", json!({})).ok();
    assert_eq!(first.object("a.csv").position["columns"], json!(["a", "b"]));
    folder.append("a.csv", "1,2\n");
    let second = folder.rerun("a.csv", json!({}), &first).ok();
    assert_eq!(second.payloads(), [r#"{"a":"1","b":"2"}"#]);
}

#[test]
fn empty_file_of_unknown_format_gets_its_format_when_it_grows() {
    let folder = Folder::new();
    let first = folder.read("dump", "", json!({})).ok();
    assert!(first.object("dump").is_done);
    folder.append("dump", "[1,2]");
    let second = folder.rerun("dump", json!({}), &first).ok();
    assert_eq!(second.payloads(), ["1", "2"]);
}

#[test]
fn compressed_file_that_grows_by_a_member_continues() {
    let folder = Folder::new();
    for (name, pack) in [("a.ndjson.gz", gzip as fn(&[u8]) -> _), ("a.ndjson.zst", zstd)] {
        let first = folder.read(name, pack(b"{\"a\":1}\n"), json!({})).ok();
        folder.append(name, pack(b"{\"a\":2}\n"));
        let second = folder.rerun(name, json!({}), &first).ok();
        assert_eq!(second.payloads(), ["{\"a\":2}"], "{name}");
        assert_eq!(second.positions(), [2], "{name}");
    }
}

/// Appends a byte to the file until told to stop.
fn grow_until(folder: &Folder, name: &str, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        folder.append(name, "2");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn last_row_of_a_file_that_keeps_growing_is_left_for_later() {
    let folder = Folder::new();
    folder.write("a.csv", "a,b\n1,2\n3,4");
    let is_over = AtomicBool::new(false);
    let first = thread::scope(|scope| {
        scope.spawn(|| grow_until(&folder, "a.csv", &is_over));
        let run = folder.run("a.csv", json!({"settle_seconds": 1}));
        is_over.store(true, Ordering::Relaxed);
        run
    })
    .ok();
    assert_eq!(first.payloads(), [r#"{"a":"1","b":"2"}"#]);
    assert!(!first.object("a.csv").is_done);
    folder.append("a.csv", "x\n");
    let second = folder.rerun("a.csv", json!({}), &first).ok();
    assert!(second.payloads()[0].ends_with("2x\"}"));
    assert_eq!(second.positions(), [3]);
}

#[test]
fn row_that_is_finished_while_the_file_settles_is_read_in_the_same_run() {
    let folder = Folder::new();
    folder.write("a.csv", "a,b\n1,\"2\"");
    folder.age("a.csv", 0);
    let run = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(100));
            folder.append("a.csv", "\n3,4\n");
        });
        folder.run("a.csv", json!({"settle_seconds": 60}))
    })
    .ok();
    assert_eq!(run.positions(), [2, 3]);
    assert_eq!(run.payloads()[0], r#"{"a":"1","b":"2"}"#);
}
