use std::fs;

use serde_json::json;

use super::support::{Folder, Outcome};

fn origins(run: &Outcome) -> Vec<String> {
    run.records
        .iter()
        .map(|r| r.origin.rsplit('/').next().unwrap().to_owned())
        .collect()
}

#[test]
fn folder_gives_its_regular_files_in_byte_order() {
    let folder = Folder::new();
    for name in [
        "b.ndjson",
        "B.ndjson",
        "a.ndjson",
        "é.ndjson",
        "a10.ndjson",
        "a9.ndjson",
    ] {
        folder.write(name, "{}\n");
    }
    fs::create_dir(folder.path("sub.ndjson")).unwrap();
    fs::write(folder.path("sub.ndjson/deep.ndjson"), "{}\n").unwrap();
    for name in [
        ".hidden.ndjson",
        "x.tmp",
        "x.ndjson.part",
        "x.ndjson.partial",
    ] {
        folder.write(name, "{}\n");
    }
    let run = folder.run("", json!({})).ok();
    assert_eq!(
        origins(&run),
        [
            "B.ndjson",
            "a.ndjson",
            "a10.ndjson",
            "a9.ndjson",
            "b.ndjson",
            "é.ndjson"
        ]
    );
    assert_eq!(run.batches.len(), 1, "small files share a batch");
    assert_eq!(run.objects.len(), 6);
}

#[test]
fn glob_gives_its_matches_and_no_unfinished_files() {
    let folder = Folder::new();
    for name in [
        "b1.ndjson",
        "b2.ndjson",
        "c1.ndjson",
        "b3.ndjson.tmp",
        ".b4.ndjson",
    ] {
        folder.write(name, "{}\n");
    }
    assert_eq!(
        origins(&folder.run("b*", json!({})).ok()),
        ["b1.ndjson", "b2.ndjson"]
    );
    assert_eq!(
        origins(&folder.run("?1.*", json!({})).ok()),
        ["b1.ndjson", "c1.ndjson"]
    );
    let run = folder.run("*.tmp", json!({"format": "ndjson"})).ok();
    assert_eq!(origins(&run), ["b3.ndjson.tmp"], "asked for by name");
}

#[test]
fn name_with_brackets_that_exists_is_no_glob() {
    let folder = Folder::new();
    folder.write("a[1].ndjson", "{}\n");
    folder.write("a1.ndjson", "{}\n");
    assert_eq!(
        origins(&folder.run("a[1].ndjson", json!({})).ok()),
        ["a[1].ndjson"]
    );
}

#[test]
fn missing_file_is_an_error_that_names_it() {
    let folder = Folder::new();
    let text = folder.run("nope.ndjson", json!({})).error_text();
    assert!(text.contains("there is no file `"), "{text}");
    assert!(text.contains("nope.ndjson`"), "{text}");
}

#[test]
fn nothing_to_read_is_a_remark() {
    let folder = Folder::new();
    let run = folder.run("*.csv", json!({})).ok();
    assert!(run.batches.is_empty());
    assert!(run.remarks[0].starts_with("no file matches `"));
    let run = folder.run("", json!({})).ok();
    assert!(run.batches.is_empty());
    assert!(run.remarks[0].contains("holds no file"));
}

#[test]
fn unknown_format_asks_for_the_setting() {
    let folder = Folder::new();
    let text = folder.read("a.dat", "a,b\n1,2\n", json!({})).error_text();
    assert!(text.contains("a.dat"), "{text}");
    assert!(text.contains("set `format`"), "{text}");
    let run = folder.run("a.dat", json!({"format": "csv"})).ok();
    assert_eq!(run.records.len(), 1);
}

#[test]
fn pipe_is_refused_with_the_way_on() {
    let folder = Folder::new();
    let made = std::process::Command::new("mkfifo")
        .arg(folder.path("pipe"))
        .status()
        .unwrap();
    assert!(made.success());
    let text = folder.run("pipe", json!({})).error_text();
    assert!(text.contains("is not a regular file"), "{text}");
    // In a folder it is no file at all.
    folder.write("a.ndjson", "{}\n");
    assert_eq!(folder.run("", json!({})).ok().records.len(), 1);
}

#[test]
fn thousands_of_empty_files_do_not_pile_up_in_one_batch() {
    let folder = Folder::new();
    for i in 0..2_500 {
        folder.write(&format!("{i}.ndjson"), "");
    }
    let run = folder.run("", json!({})).ok();
    assert_eq!(run.objects.len(), 2_500);
    assert_eq!(run.batches.len(), 3);
}
