//! Columns without which a file is refused.

use serde_json::json;

use super::support::{Folder, rows};

#[test]
fn a_header_that_lacks_a_column_refuses_the_file_by_name_before_a_record_of_it_is_read() {
    let folder = Folder::new();
    folder.write("1.csv", "id,city\n1,Bonn\n");
    folder.write("2.csv", "no,City,\"zip, old\"\n2,Ulm,1\n3,Ulm,1\n");
    folder.write("3.csv", "id,city\n4,Ulm\n");
    let run = folder.run("", json!({"require": ["id", "city"]}));
    assert_eq!(run.payloads(), [r#"{"id":"1","city":"Bonn"}"#]);
    let told = run.error_text();
    assert!(
        told.contains(&format!(
            "file `{}`: the header in line 1 lacks `id`, `city`, which `require` names; it has: no, City, zip, old",
            folder.name("2.csv")
        )),
        "{told}"
    );
    assert!(told.contains("sluice skip"), "{told}");
    // Mended under its name, it is read like any other.
    folder.write("2.csv", "id,city\n2,Ulm\n");
    let run = folder.rerun("", json!({"require": ["id", "city"]}), &run).ok();
    assert_eq!(run.records.len(), 2);
}

#[test]
fn a_header_may_have_more_and_stand_in_any_order() {
    let folder = Folder::new();
    let run = folder
        .read(
            "a.tsv.gz",
            super::support::gzip(b"x\tcity\tid\n1\t2\t3\n"),
            json!({"require": ["id", "city"]}),
        )
        .ok();
    assert_eq!(run.records.len(), 1);
    let told =
        folder.read("a.tsv", "x\tcity\n1\t2\n", json!({"require": ["id", "city"]})).error_text();
    assert!(told.contains("lacks `id`, which"), "{told}");
}

#[test]
fn a_long_header_is_quoted_only_at_its_beginning() {
    let header: Vec<String> = (0..500).map(|i| format!("é{i}")).collect();
    let content = format!("{}\n", header.join(","));
    let told = Folder::new().read("a.csv", content, json!({"require": ["id"]})).error_text();
    assert!(told.contains("it has: é0, é1, ") && told.len() < 900, "{told}");
}

#[test]
fn a_file_that_was_begun_before_its_columns_were_required_is_not_read_on() {
    let folder = Folder::new();
    folder.write("a.csv", "no\n1\n2\n3\n");
    let first = folder.run_with("a.csv", json!({}), vec![], rows(1));
    let begun = first.batches[0].objects.clone();
    let run = folder.run_with("a.csv", json!({"require": ["id"]}), begun, rows(1));
    assert_eq!(run.records, []);
    let told = run.error_text();
    assert!(told.contains("the header lacks `id`"), "{told}");
}

#[test]
fn a_header_without_its_line_end_waits_as_any_other() {
    let folder = Folder::new();
    let run = folder.read("a.csv", "id,ci", json!({"require": ["id", "city"]})).ok();
    assert_eq!(run.records, []);
    folder.append("a.csv", "ty\n1,Bonn\n");
    let run = folder.rerun("a.csv", json!({"require": ["id", "city"]}), &run).ok();
    assert_eq!(run.records.len(), 1);
}

#[test]
fn a_file_without_a_header_is_refused_where_columns_are_required() {
    for (name, content) in [("a.ndjson", "{\"id\":1}\n"), ("a.json", "[{\"id\":1}]")] {
        let told = Folder::new().read(name, content, json!({"require": ["id"]})).error_text();
        assert!(
            told.contains(&format!("{name}`: it has no header that `require` could look at")),
            "{told}"
        );
    }
}
