//! CSV as people send it: what is wrong costs the line it is in, or the file is refused by name.

use serde_json::json;

use super::support::{Folder, Outcome, read, rows};

fn csv(content: impl AsRef<[u8]>) -> Outcome {
    read("a.csv", content, json!({})).ok()
}

fn bad(run: &Outcome) -> Vec<(i64, String)> {
    let faults = run.faults().into_iter();
    faults
        .map(|record| {
            assert_eq!(record.fault.as_ref().unwrap().0, "22P04");
            let payload = String::from_utf8(record.payload.clone()).unwrap();
            (record.position, payload)
        })
        .collect()
}

#[test]
fn unclosed_quote_costs_its_own_line_wherever_the_next_quote_stands() {
    for behind in ["4,\"d\"\n", "4,d\n5,\"e \"\"q\"\" f\"\n", "\"4\",d\n"] {
        let run = csv(format!("id,name\n1,a\n2,\"b\n3,c\n{behind}"));
        assert_eq!(bad(&run), [(3, "2,\"b".to_owned())], "{behind}");
        assert_eq!(run.positions()[..4], [2, 3, 4, 5], "{behind}");
    }
}

#[test]
fn stray_text_behind_a_closing_quote_costs_its_line() {
    let run = csv("id,name\n1,\"a\"b\n2,\"c\" \n3,\"d\"\"\"\r\n4,\"e\"\r\n");
    assert_eq!(bad(&run), [(2, "1,\"a\"b".to_owned()), (3, "2,\"c\" ".to_owned())]);
    assert_eq!(run.payloads(), [r#"{"id":"3","name":"d\""}"#, r#"{"id":"4","name":"e"}"#]);
}

#[test]
fn verdict_does_not_depend_on_where_batches_end_or_runs_begin() {
    let content = "id,name\n1,\"a\nb\"\n2,\"c\n3,d\n\"4\",\"x\"y\n5,e\n";
    let folder = Folder::new();
    let whole = folder.read("a.csv", content, json!({})).ok();
    assert_eq!(bad(&whole).len(), 2);
    for n in 1..6 {
        let run = folder.run_with("a.csv", json!({}), vec![], rows(n)).ok();
        assert_eq!(run.records, whole.records, "by {n}");
        let mut known = Vec::new();
        let mut found = Vec::new();
        loop {
            let settings = folder.settings("a.csv", json!({}));
            let mut source = super::support::open(&settings, known.clone(), rows(n)).unwrap();
            let Some(batch) = source.next_batch().unwrap() else {
                break;
            };
            found.extend(super::support::records(&batch));
            super::support::merge(&mut known, &batch.objects);
        }
        assert_eq!(found, whole.records, "in pieces of {n}");
    }
}

#[test]
fn quote_that_is_open_for_too_many_lines_costs_its_own_line() {
    let lines: String = (2..50).map(|i| format!("{i},x\n")).collect();
    let content = format!("id,name\n1,\"a\n{lines}");
    let run = read("a.csv", &content, json!({"max_record_lines": 5})).ok();
    assert_eq!(bad(&run), [(2, "1,\"a".to_owned())]);
    assert_eq!(run.payloads().len(), 48);
    let run = read("a.csv", "id,name\n1,\"a\nb\nc\"\n", json!({"max_record_lines": 3})).ok();
    assert_eq!(run.payloads(), [r#"{"id":"1","name":"a\nb\nc"}"#]);
}

/// A row whose quote is not closed, among sound ones of 1,000 bytes.
fn open_quote_among(rows: usize) -> String {
    let name = "x".repeat(1000);
    let rows: String = (2..=rows).map(|id| format!("{id},{name}\n")).collect();
    format!("id,name\n1,\"{name}\n{rows}")
}

#[test]
fn quote_that_is_open_for_more_bytes_than_a_record_may_have_costs_its_own_line() {
    let content = open_quote_among(600);
    let gzipped = super::support::gzip(content.as_bytes());
    let utf16: Vec<u8> = content.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (name, content, settings) in [
        ("a.csv", content.clone().into_bytes(), json!({})),
        ("a.csv", content.into_bytes(), json!({"max_record_lines": 400})),
        ("a.csv.gz", gzipped, json!({})),
        ("a.csv", utf16, json!({"encoding": "utf-16le"})),
    ] {
        let mut settings = settings;
        settings["max_record_bytes"] = json!(100_000);
        let run = read(name, content, settings.clone()).ok();
        let [(line, row)] = &bad(&run)[..] else {
            panic!("{settings}: {:?}", run.faults());
        };
        assert_eq!((*line, row.len()), (2, 1003), "{settings}");
        assert_eq!(run.payloads().len(), 599, "{settings}");
        assert_eq!(run.positions()[..4], [2, 3, 4, 5], "{settings}");
        assert!(run.object(name).is_done, "{settings}");
    }
}

#[test]
fn quote_that_is_closed_behind_the_limit_costs_the_record_and_no_line_of_it_is_a_row() {
    let lines = "1,2\n".repeat(1000);
    let content = format!("id,name\n1,\"{lines}\"\n2,b\n");
    let run = read("a.csv", &content, json!({"max_record_bytes": 100})).ok();
    assert_eq!(run.payloads(), [r#"{"id":"2","name":"b"}"#]);
    assert_eq!(run.positions(), [2, 1003]);
}

#[test]
fn lines_may_end_in_cr_or_in_two_crs_and_lf() {
    for content in ["id,name\r1,a\r2,\"b\"\r", "id,name\r\r\n1,a\r\r\n2,\"b\"\r\r\n"] {
        let run = csv(content);
        assert_eq!(
            run.payloads(),
            [r#"{"id":"1","name":"a"}"#, r#"{"id":"2","name":"b"}"#],
            "{content:?}"
        );
        assert_eq!(run.positions(), [2, 3]);
    }
    let folder = Folder::new();
    let first = folder.read("a.csv", "id,name\r1,a\r2,b\r", json!({})).ok();
    folder.append("a.csv", "3,c\r");
    let second = folder.rerun("a.csv", json!({}), &first).ok();
    assert_eq!(second.payloads(), [r#"{"id":"3","name":"c"}"#]);
}

#[test]
fn lines_before_the_header_comments_and_escapes_are_understood_if_so_set() {
    let more = json!({"skip_lines": 2, "comment": "#", "escape": "\\"});
    let content =
        "Report \"2026\nmade by hand\n# \"what\nid,name\n1,\"a \\\"b\\\" \\\\\"\n#2,x\n3,c\n";
    let run = read("a.csv", content, more).ok();
    assert_eq!(run.payloads(), [r#"{"id":"1","name":"a \"b\" \\"}"#, r#"{"id":"3","name":"c"}"#]);
    assert_eq!(run.positions(), [5, 7]);
}

#[test]
fn joined_files_bring_marks_and_headers_that_are_no_records() {
    let run = csv("\u{feff}id,name\n1,a\n\u{feff}id,name\n\u{feff}2,b\n\"id\",\"name\"\n3,id\n");
    assert_eq!(
        run.payloads(),
        [r#"{"id":"1","name":"a"}"#, r#"{"id":"2","name":"b"}"#, r#"{"id":"3","name":"id"}"#]
    );
    assert!(
        run.remarks[0].contains("the header comes again in line 3 and once more"),
        "{:?}",
        run.remarks
    );
    let run = csv("name\na\nname\n");
    assert_eq!(run.payloads().len(), 2, "a lone column may hold its own name");
}

#[test]
fn header_that_cannot_be_one_is_refused_with_the_question_to_ask() {
    for (name, content, what) in [
        ("a.csv", &b"id;name\n1;a\n"[..], "delimiter => ';'"),
        ("a.csv", b"id|name\n1|a\n", "delimiter => '|'"),
        ("a.csv", b"id\tname\n1\ta\n", "format => 'tsv'"),
        ("a.csv", b"sep=;\nid;name\n1;a\n", "skip_lines => 1"),
        ("a.csv", b"id,na\x01me\n1,a\n", "control character"),
        ("a.csv", b"\"id\"x,name\n1,a\n", "quote that is not closed"),
        ("a.csv", b"i\0d\0,\0n\0\n\x001\0,\0a\0\n\0", "UTF-16LE"),
        ("a.csv", b"\0i\0d\0,\0n\0\n\x001\0,\0a\0\n", "UTF-16BE"),
        ("a.csv", b"PK\x03\x04\x14\0\0\0\0\0", "zip archive"),
        ("a.json", b"PAR1\x15\x04\x15\x10", "Parquet"),
        ("a.txt", b"%PDF-1.7\n1 0 obj\n", "PDF"),
        ("a.arrow", b"ARROW1\0\0\xff\xff\xff\xff\x78\0\0\0", "an Arrow file"),
        ("a.feather", b"FEA1\0\0\0\0\x01\0\0\0", "Feather, version 1"),
        ("a.arrows", b"\xff\xff\xff\xff\x78\0\0\0\x10\0", "an Arrow stream"),
        ("a.orc", b"ORC\n\x0b\x0a\x03\0\0\0", "is ORC"),
        ("a.avro", b"Obj\x01\x04\x14avro", "is Avro"),
        ("a.ods", b"PK\x05\x06\0\0\0\0", "ods files are, too"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document"),
        ("app.db", b"SQLite format 3\0\x10\0", "sluice.sqlite_source("),
        ("a.dump", b"PGDMP\x01\x0e\0\x04", "pg_restore"),
        ("a.h5", b"\x89HDF\r\n\x1a\n\0", "HDF5"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0\x04", "a 7z archive"),
        ("a.rar", b"Rar!\x1a\x07\x01\0", "a rar archive"),
    ] {
        let text = read(name, content, json!({})).error_text();
        assert!(text.contains(name) && text.contains(what), "{name} {what}: {text}");
        assert!(!text.contains("set `format`"), "{text}");
    }
    let run = read("a.csv", "id;name\n1;a\n", json!({"delimiter": ","})).ok();
    assert_eq!(run.payloads(), [r#"{"id;name":"1;a"}"#], "who says so means it");
}

/// Magic numbers that are letters may begin the header of a table.
#[test]
fn columns_may_be_called_like_formats_of_other_programs() {
    for header in ["ORCID", "PAR1", "FEA1", "ARROW1", "PGDMP", "SQLite file", "Rar!"] {
        let content = format!("{header},name\n1,\u{e9}\n");
        let run = read("a.csv", content.as_bytes(), json!({})).ok();
        assert_eq!(run.payloads(), [format!("{{\"{header}\":\"1\",\"name\":\"\u{e9}\"}}")]);
    }
}
