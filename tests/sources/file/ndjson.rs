use serde_json::json;

use super::support::{Folder, read};

#[test]
fn each_line_is_a_record_known_by_its_line_number() {
    let run = read("a.ndjson", "{\"a\":1}\n{\"a\":2}\n", json!({})).ok();
    assert_eq!(run.payloads(), ["{\"a\":1}", "{\"a\":2}"]);
    assert_eq!(run.positions(), [1, 2]);
    assert!(run.records[0].origin.ends_with("/a.ndjson"));
    assert!(run.object("a.ndjson").is_done);
    assert_eq!(run.batches.len(), 1);
    assert!(run.remarks.is_empty());
}

#[test]
fn blank_lines_are_skipped_and_counted() {
    let run = read("a.ndjson", "\n{\"a\":1}\n  \t\n\r\n{\"a\":2}\n\n", json!({})).ok();
    assert_eq!(run.payloads(), ["{\"a\":1}", "{\"a\":2}"]);
    assert_eq!(run.positions(), [2, 5]);
    assert!(run.object("a.ndjson").is_done);
}

#[test]
fn crlf_and_lf_may_be_mixed() {
    let run = read("a.jsonl", "{\"a\":1}\r\n{\"a\":2}\n{\"a\":3}\r\n", json!({})).ok();
    assert_eq!(run.payloads(), ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}"]);
}

#[test]
fn byte_order_mark_is_stripped() {
    let run = read("a.ndjson", "\u{feff}{\"a\":1}\n", json!({})).ok();
    assert_eq!(run.payloads(), ["{\"a\":1}"]);
}

#[test]
fn payload_bytes_are_exact_and_not_judged() {
    let lines = [
        "{\"n\": 12345678901234567890.00000000000000000001 }",
        "not json at all",
        " {\"padded\":true} ",
        "{\"é\":\"\\u0000\"}",
    ];
    let run = read("a.ndjson", lines.join("\n") + "\n", json!({})).ok();
    assert_eq!(run.payloads(), lines);
}

#[test]
fn nul_and_invalid_utf8_are_set_aside_exactly() {
    let run = read("a.ndjson", b"{\"a\":\"\0\"}\n{}\n\xff\xfe\r\n", json!({})).ok();
    assert_eq!(run.payloads(), ["{}"]);
    let faults = run.faults();
    assert_eq!(faults[0].payload, b"{\"a\":\"\0\"}");
    assert_eq!(faults[1].payload, b"\xff\xfe");
    assert!(faults.iter().all(|r| r.fault.as_ref().unwrap().0 == "22021"));
    assert_eq!(run.positions(), [1, 2, 3]);
}

#[test]
fn whole_last_line_without_newline_is_loaded() {
    for tail in ["{\"a\":\"}\"}", "[1,[2]]", "\"x\\\"y\""] {
        let run = read("a.ndjson", format!("{{}}\n{tail}"), json!({})).ok();
        assert_eq!(run.payloads(), ["{}", tail]);
        assert!(run.object("a.ndjson").is_done);
    }
}

#[test]
fn last_line_that_may_be_cut_waits() {
    for tail in ["{\"a\":1", "{\"a\":\"}", "12", "tru", "[[1]", "\"x\\\"", "{} x"] {
        let run = read("a.ndjson", format!("{{}}\n{tail}"), json!({})).ok();
        assert_eq!(run.payloads(), ["{}"], "{tail}");
        assert!(!run.object("a.ndjson").is_done, "{tail}");
        assert_eq!(run.remarks.len(), 1, "{tail}");
        assert!(
            run.remarks[0].ends_with(
                "a.ndjson ends inside a record at byte 3 (line 2): loaded up to there, \
                 continues when the file has grown"
            ),
            "{}",
            run.remarks[0]
        );
    }
}

#[test]
fn cut_last_line_goes_to_quarantine_if_so_set() {
    let run = read("a.ndjson", "{}\n{\"a\":1", json!({"partial": "quarantine"})).ok();
    assert_eq!(run.payloads(), ["{}"]);
    let fault = run.faults()[0];
    assert_eq!(fault.payload, b"{\"a\":1");
    assert_eq!(fault.position, 2);
    assert_eq!(fault.fault.as_ref().unwrap().0, "22P02");
    assert!(run.object("a.ndjson").is_done);
    assert!(run.remarks[0].contains("in quarantine"));
}

#[test]
fn empty_file_is_done_without_records() {
    let folder = Folder::new();
    for content in ["", "\n\n", "  "] {
        let run = folder.read("a.ndjson", content, json!({})).ok();
        assert!(run.records.is_empty());
        assert_eq!(run.batches.len(), 1);
        assert!(run.batches[0].origins.is_empty());
        assert!(run.object("a.ndjson").is_done);
    }
}
