use std::fs;
use std::os::unix::fs::symlink;

use pgsluice::source::ObjectState;
use serde_json::json;

use super::support::{Folder, Outcome, open, rows};

fn origins(run: &Outcome) -> Vec<String> {
    run.records.iter().map(|r| r.origin.rsplit('/').next().unwrap().to_owned()).collect()
}

#[test]
fn folder_gives_its_regular_files_in_byte_order() {
    let folder = Folder::new();
    for name in ["b.ndjson", "B.ndjson", "a.ndjson", "é.ndjson", "a10.ndjson", "a9.ndjson"] {
        folder.write(name, "{}\n");
    }
    fs::create_dir(folder.path("sub.ndjson")).unwrap();
    fs::write(folder.path("sub.ndjson/deep.ndjson"), "{}\n").unwrap();
    for name in [".hidden.ndjson", "x.tmp", "x.ndjson.part", "x.ndjson.partial"] {
        folder.write(name, "{}\n");
    }
    let run = folder.run("", json!({})).ok();
    assert_eq!(
        origins(&run),
        ["B.ndjson", "a.ndjson", "a10.ndjson", "a9.ndjson", "b.ndjson", "é.ndjson"]
    );
    assert_eq!(run.batches.len(), 1, "small files share a batch");
    assert_eq!(run.objects.len(), 6);
}

#[test]
fn glob_gives_its_matches_and_no_unfinished_files() {
    let folder = Folder::new();
    for name in ["b1.ndjson", "b2.ndjson", "c1.ndjson", "b3.ndjson.tmp", ".b4.ndjson"] {
        folder.write(name, "{}\n");
    }
    assert_eq!(origins(&folder.run("b*", json!({})).ok()), ["b1.ndjson", "b2.ndjson"]);
    assert_eq!(origins(&folder.run("?1.*", json!({})).ok()), ["b1.ndjson", "c1.ndjson"]);
    let run = folder.run("*.tmp", json!({"format": "ndjson"})).ok();
    assert_eq!(origins(&run), ["b3.ndjson.tmp"], "asked for by name");
}

#[test]
fn name_with_brackets_that_exists_is_no_glob() {
    let folder = Folder::new();
    folder.write("a[1].ndjson", "{}\n");
    folder.write("a1.ndjson", "{}\n");
    assert_eq!(origins(&folder.run("a[1].ndjson", json!({})).ok()), ["a[1].ndjson"]);
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
    let made = std::process::Command::new("mkfifo").arg(folder.path("pipe")).status().unwrap();
    assert!(made.success());
    let text = folder.run("pipe", json!({})).error_text();
    assert!(text.contains("is not a regular file"), "{text}");
    // In a folder it is no file at all.
    folder.write("a.ndjson", "{}\n");
    assert_eq!(folder.run("", json!({})).ok().records.len(), 1);
}

#[test]
fn pipe_that_takes_the_name_of_a_listed_file_is_not_waited_for() {
    let folder = Folder::new();
    for name in ["a.ndjson", "b.ndjson"] {
        folder.write(name, "{}\n");
    }
    let known = vec![ObjectState {
        object: folder.name("b.ndjson"),
        identity: json!({}),
        position: json!({"skipped": true}),
        is_done: true,
    }];
    // One is to be read, the other to be passed over as it is found.
    for (name, known) in [("a.ndjson", vec![]), ("b.ndjson", known)] {
        let mut source = open(&folder.settings("*", json!({})), known, rows(1)).unwrap();
        if name == "b.ndjson" {
            source.next_batch().unwrap();
        }
        fs::remove_file(folder.path(name)).unwrap();
        let made = std::process::Command::new("mkfifo").arg(folder.path(name)).status();
        assert!(made.unwrap().success());
        let error = source.next_batch().unwrap_err().to_string();
        assert!(error.contains(&format!("{name}` is not a regular file")), "{error}");
        fs::remove_file(folder.path(name)).unwrap();
        folder.write(name, "{}\n");
    }
}

/// Whether exactly one remark says `why`, with this count.
fn tells(run: &Outcome, why: &str, count: usize) -> bool {
    let told = format!(": {count}, such as ");
    let mut lines = run.remarks.iter().filter(|line| line.contains(why));
    lines.next().is_some_and(|line| line.contains(&told)) && lines.next().is_none()
}

#[test]
fn links_in_a_circle_come_to_an_end_and_no_file_is_read_twice() {
    let folder = Folder::new();
    for name in ["tree/a", "tree/b", "tree/.elsewhere"] {
        fs::create_dir_all(folder.path(name)).unwrap();
    }
    for name in ["tree/b/1.ndjson", "tree/2.ndjson", "tree/.elsewhere/3.ndjson"] {
        folder.write(name, "{}\n");
    }
    symlink(".", folder.path("tree/0")).unwrap();
    symlink("../b", folder.path("tree/a/b")).unwrap();
    symlink("..", folder.path("tree/b/up")).unwrap();
    symlink(".elsewhere", folder.path("tree/link")).unwrap();
    symlink("../../tree", folder.path("tree/.elsewhere/back")).unwrap();
    let run = folder.run("tree/**/*.ndjson", json!({})).ok();
    let root = folder.name("tree/");
    let read: Vec<&str> =
        run.objects.iter().map(|object| object.object.strip_prefix(&root).unwrap()).collect();
    assert_eq!(read, ["2.ndjson", "b/1.ndjson", "link/3.ndjson"]);
    assert!(tells(&run, "under another name", 4), "{:?}", run.remarks);
}

#[test]
fn what_is_no_file_is_told_and_never_opened() {
    for path in ["", "*", "**/*.ndjson"] {
        let folder = Folder::new();
        folder.write("a.ndjson", "{}\n");
        symlink("nowhere", folder.path("b.ndjson")).unwrap();
        symlink("c.ndjson", folder.path("c.ndjson")).unwrap();
        let made =
            std::process::Command::new("mkfifo").arg(folder.path("d.ndjson")).status().unwrap();
        assert!(made.success());
        let run = folder.run(path, json!({})).ok();
        assert_eq!(origins(&run), ["a.ndjson"], "{path}");
        assert!(tells(&run, "lead nowhere", 2), "{:?}", run.remarks);
        assert!(tells(&run, "not regular files", 1), "{:?}", run.remarks);
    }
}

#[test]
fn what_spark_and_hive_put_aside_is_told_and_read_only_by_name() {
    let folder = Folder::new();
    for name in ["_temporary/0", "_year=2026", ".hive"] {
        fs::create_dir_all(folder.path(name)).unwrap();
    }
    for name in [
        "_temporary/0/part-1.ndjson",
        "_year=2026/part-2.ndjson",
        ".hive/part-3.ndjson",
        "_started.ndjson",
        ".part-4.ndjson.crc",
        "part-4.ndjson",
    ] {
        folder.write(name, "{}\n");
    }
    folder.write("_SUCCESS", "");
    let run = folder.run("**/*.ndjson", json!({})).ok();
    assert_eq!(origins(&run), ["part-2.ndjson", "part-4.ndjson"]);
    assert!(tells(&run, "no data by their names", 3), "{:?}", run.remarks);
    let run = folder.run("", json!({})).ok();
    assert_eq!(origins(&run), ["part-4.ndjson"]);
    assert!(tells(&run, "no data by their names", 3), "{:?}", run.remarks);
    let run = folder.run("**/_temporary/**/*.ndjson", json!({})).ok();
    assert_eq!(origins(&run), ["part-1.ndjson"]);
    let run = folder.run("_s*", json!({})).ok();
    assert_eq!(origins(&run), ["_started.ndjson"]);
}

#[test]
fn link_to_a_folder_outside_the_path_is_followed_where_the_glob_names_it() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("2026")).unwrap();
    folder.write("2026/a.ndjson", "{}\n");
    symlink("2026", folder.path("latest")).unwrap();
    let run = folder.run("late*/*.ndjson", json!({})).ok();
    assert_eq!(origins(&run), ["a.ndjson"]);
    assert!(run.objects[0].object.ends_with("/latest/a.ndjson"));
    assert!(run.remarks.is_empty(), "{:?}", run.remarks);
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

#[test]
fn of_thousands_of_files_those_with_something_new_are_read() {
    let folder = Folder::new();
    for i in 0..2_500 {
        folder.write(&format!("{i:04}.ndjson"), "{}\n");
    }
    let first = folder.run("", json!({})).ok();
    assert_eq!(first.records.len(), 2_500);
    folder.append("0999.ndjson", "{}\n");
    folder.write("1000a.ndjson", "{}\n");
    folder.append("2499.ndjson", "{}\n");
    let second = folder.rerun("", json!({}), &first).ok();
    assert_eq!(origins(&second), ["0999.ndjson", "1000a.ndjson", "2499.ndjson"]);
}

#[test]
fn pattern_picks_files_of_the_folder_and_nothing_else_is_spoken_of() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("2026/01")).unwrap();
    for name in ["a.csv", "b.csv", "b.csv.part", "2026/c.csv", "2026/01/d.csv"] {
        folder.write(name, "id\n1\n");
    }
    for name in ["how to read this.txt", "README.md", "_SUCCESS", "sums.sha256"] {
        folder.write(name, "not for us\n");
    }
    for (more, found) in [
        (json!({"pattern": "*.csv"}), vec!["a.csv", "b.csv"]),
        (json!({"pattern": "[b-z]*.csv", "subfolders": false}), vec!["b.csv"]),
        (json!({"pattern": "*.csv", "subfolders": true}), vec!["d.csv", "c.csv", "a.csv", "b.csv"]),
        (json!({"pattern": "**/*.csv"}), vec!["d.csv", "c.csv", "a.csv", "b.csv"]),
        (json!({"pattern": "2026/*.csv"}), vec!["c.csv"]),
    ] {
        let run = folder.run("", more.clone()).ok();
        assert_eq!(origins(&run), found, "{more}");
        assert_eq!(run.remarks, [""; 0], "{more}");
    }
    let run = folder.run("", json!({"pattern": "*.tsv"})).ok();
    assert!(run.remarks[0].ends_with("matches `*.tsv`"), "{:?}", run.remarks);
}

#[test]
fn subfolders_are_read_where_they_are_asked_for() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("in/x[1]/_temporary")).unwrap();
    for name in ["in/a.ndjson", "in/x[1]/b.ndjson", "in/x[1]/_temporary/c.ndjson"] {
        folder.write(name, "{}\n");
    }
    assert_eq!(origins(&folder.run("in", json!({})).ok()), ["a.ndjson"]);
    let run = folder.run("in", json!({"subfolders": true})).ok();
    assert_eq!(origins(&run), ["a.ndjson", "b.ndjson"]);
    assert!(tells(&run, "no data by their names", 1), "{:?}", run.remarks);
    // What is in a folder's name is no glob.
    let run = folder.run("in/x[1]", json!({"pattern": "*.ndjson"})).ok();
    assert_eq!(origins(&run), ["b.ndjson"]);
}

#[test]
fn pattern_without_a_folder_is_refused() {
    let folder = Folder::new();
    folder.write("a.csv", "id\n1\n");
    let told = folder.run("a.csv", json!({"pattern": "*.csv"})).error_text();
    assert!(
        told.contains("a.csv` is not a folder") && told.contains("leave out `pattern`"),
        "{told}"
    );
    let told = folder.run("nowhere", json!({"subfolders": true})).error_text();
    assert!(told.contains("there is no folder `"), "{told}");
}

#[test]
fn file_of_a_subfolder_that_was_begun_and_is_gone_waits() {
    let folder = Folder::new();
    fs::create_dir(folder.path("x")).unwrap();
    folder.write("x/a.ndjson", "{}\n{}\n");
    folder.write("y.ndjson", "{}\n{}\n");
    for (more, gone) in
        [(json!({"subfolders": true}), 2), (json!({"pattern": "x/*"}), 1), (json!({}), 1)]
    {
        let mut known = Vec::new();
        for name in ["x/a.ndjson", "y.ndjson"] {
            known.extend(
                folder.run_with(name, json!({}), vec![], rows(1)).batches[0].objects.clone(),
            );
        }
        let elsewhere = Folder::new();
        fs::create_dir(elsewhere.path("x")).unwrap();
        for state in &mut known {
            let name = state.object.rsplit_once(&folder.name("")).unwrap().1;
            state.object = elsewhere.name(name);
        }
        assert_eq!(
            elsewhere.run_with("", more.clone(), known, rows(1)).waiting.len(),
            gone,
            "{more}"
        );
    }
}

#[test]
fn a_file_that_is_called_like_a_glob_is_read_alone_and_that_is_told() {
    let folder = Folder::new();
    folder.write("*.ndjson", "{\"id\": 1}\n");
    folder.write("a.ndjson", "{\"id\": 2}\n");
    let run = folder.run("*.ndjson", json!({})).ok();
    assert_eq!(run.payloads(), [r#"{"id": 1}"#]);
    assert!(
        run.remarks[0].contains("is the name of a file, which alone is read"),
        "{:?}",
        run.remarks
    );
}
