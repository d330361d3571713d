//! Records inside of a document.

use serde_json::{Value, json};

use super::support::{Folder, Outcome, merge, open, read, records, rows};

fn data() -> Value {
    json!({"records": "/data"})
}

fn nested(content: &str) -> Outcome {
    read("a.json", content, data())
}

#[test]
fn records_are_the_elements_of_the_array_that_is_named() {
    let content =
        r#" {"meta": {"data": [0], "note": "]}\""}, "data": [{"a":1}, {"a":2}], "next": null} "#;
    assert_eq!(nested(content).ok().payloads(), ["{\"a\":1}", "{\"a\":2}"]);
    for (records, content) in [
        ("/a/b", r#"{"x": 1, "a": {"c": [9], "b": [1, 2]}, "b": [3]}"#),
        ("/0/b", r#"[{"b": [1, 2]}, {"b": [3]}]"#),
        ("/a/1", r#"{"a": [[0], [1, 2], [3]]}"#),
        ("/a~1b", r#"{"a/b": [1, 2]}"#),
        ("/\u{e9}", r#"{"\u00e9": [1, 2]}"#),
    ] {
        let run = read("a.json", content, json!({"records": records})).ok();
        assert_eq!(run.payloads(), ["1", "2"], "{records}");
        assert!(run.objects[0].is_done);
    }
}

#[test]
fn nothing_at_the_place_is_lost() {
    let run =
        nested(r#"{"data": [1], "data": [2]} {"data": null}{"data": {"a": 3}}{"data":[]}"#).ok();
    assert_eq!(run.payloads(), ["1", "2", "{\"a\": 3}"]);
    for (content, what) in [
        (r#"{"error": "no rights"}"#, "there is no `/data`"),
        (r#"{"data": [1]} {"error": "no rights"}"#, "its keys: error"),
        (r#"{"data": 7}"#, "not an array of records"),
        ("[{\"a\":1}]", "the document is not an object"),
        (r#"{"data": [1] "next": 1}"#, "is not JSON, as byte 14 shows"),
        (r#"{"data": [1], 5}"#, "is not JSON, as byte 15 shows"),
    ] {
        let run = nested(content);
        assert!(run.error_text().contains(what), "{}", run.error_text());
    }
}

#[test]
fn document_cut_anywhere_is_not_done_and_goes_on() {
    let content = r#"{"a": {"x": [0, 1]}, "data": [{"i":1}, {"i":2} , {"i":3}], "z": "}"}"#;
    let expected = ["{\"i\":1}", "{\"i\":2}", "{\"i\":3}"];
    for cut in 1..content.len() {
        let folder = Folder::new();
        let first = folder.read("a.json", &content[..cut], data()).ok();
        assert!(!first.objects[0].is_done, "cut at {cut}");
        folder.write("a.json", content);
        let second = folder.rerun("a.json", data(), &first).ok();
        let found = [first.payloads(), second.payloads()].concat();
        assert_eq!(found, expected, "cut at {cut}");
        assert!(second.objects[0].is_done, "cut at {cut}");
    }
}

#[test]
fn reading_is_gone_on_with_inside_of_the_array() {
    let items: Vec<String> = (0..20).map(|i| format!("{{\"i\":{i}}}")).collect();
    let list = items.join(",");
    let content =
        format!("{{\"a\":{{\"data\":[{list}]}},\"b\":1}}\n{{\"a\":{{\"data\":[{list}]}}}}");
    let folder = Folder::new();
    folder.write("a.json", content);
    for n in 1..42 {
        let settings = folder.settings("a.json", json!({"records": "/a/data"}));
        let (mut known, mut found) = (Vec::new(), 0);
        while let Some(batch) =
            open(&settings, known.clone(), rows(n)).unwrap().next_batch().unwrap()
        {
            for record in records(&batch) {
                assert_eq!(record.payload, items[found % 20].as_bytes(), "by {n}");
                assert_eq!(record.position, found as i64 + 1);
                found += 1;
            }
            merge(&mut known, &batch.objects);
        }
        assert_eq!(found, 40, "by {n}");
        assert!(known[0].is_done);
    }
    let first = folder.run_with("a.json", json!({"records": "/a/data"}), vec![], rows(3)).ok();
    assert!(first.objects[0].is_done);
    let half = open(&folder.settings("a.json", json!({"records": "/a/data"})), vec![], rows(3))
        .unwrap()
        .next_batch()
        .unwrap()
        .unwrap();
    for other in [json!({}), json!({"records": "/data"})] {
        let run = folder.run_with("a.json", other, half.objects.clone(), rows(3));
        assert!(run.error_text().contains("rewind"), "{}", run.error_text());
    }
}

#[test]
fn wrapper_is_noted_and_one_record_with_lines_is_not() {
    let rows: Vec<String> = (0..30).map(|i| format!("{{\"id\":{i}}}")).collect();
    let wrapper = format!("{{\"total\": 30, \"data\": [{}]}}", rows.join(","));
    for name in ["a.json", "a.txt", "a.ndjson"] {
        let run = read(name, &wrapper, json!({})).ok();
        assert!(run.remarks[0].contains("records => '/data'"), "{:?}", run.remarks);
    }
    let run = read("a.json", &wrapper, json!({"max_record_bytes": 40})).ok();
    assert!(run.remarks[0].contains("records => '/data'"), "{:?}", run.remarks);
    let order = r#"{"id": 1, "customer": "somebody at length", "lines": [{"n": 1}, {"n": 2}]}"#;
    assert!(read("a.json", order, json!({})).ok().remarks.is_empty());
    let many = format!("{wrapper}\n{wrapper}");
    assert!(read("a.json", many, json!({})).ok().remarks.is_empty());
}

#[test]
fn values_over_several_lines_are_read_as_values() {
    let printed = "{\n  \"a\": 1\n}\n{\n  \"a\": 2\n}\n";
    let run = read("a.txt", printed, json!({})).ok();
    assert_eq!(run.payloads().len(), 2);
    // A line that is broken is a line all the same.
    let run = read("a.txt", "{\"a\": 1,\n{\"a\":2}\n", json!({})).ok();
    assert_eq!(run.payloads(), ["{\"a\": 1,", "{\"a\":2}"]);
    let run = read("a.ndjson", printed, json!({})).ok();
    assert!(run.remarks[0].contains("format => 'json'"), "{:?}", run.remarks);
}

#[test]
fn records_setting_is_for_json() {
    let text = read("a.csv", "a\n1\n", json!({"records": "/data", "format": "csv"})).error_text();
    assert!(text.contains("`records`"), "{text}");
    let run = read("a.ndjson", "{\"data\": [\n1,\n2]}", data()).ok();
    assert_eq!(run.payloads(), ["1", "2"], "and says so of any file");
}

#[test]
fn joined_files_bring_marks_that_are_no_records() {
    for (name, join) in [("a.ndjson", "\n"), ("a.json", ""), ("b.json", "\n")] {
        let content = ["\u{feff}{\"a\":1}", "\u{feff}{\"a\":2}", "\u{feff}{\"a\":3}\n"].join(join);
        let run = read(name, content, json!({})).ok();
        assert_eq!(run.payloads(), ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"], "{name}");
    }
}
