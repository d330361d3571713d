use std::io::{Cursor, Read};

use pgsluice::source::BatchLimits;
use serde_json::{Value, json};

use super::resume::samples;
use super::support::{Outcome, WIDE, drain, gzip, open_stream, rows};

fn pipe(content: &[u8], mut more: Value, limits: BatchLimits) -> Outcome {
    more["path"] = json!("-");
    let input = Box::new(Cursor::new(content.to_vec()));
    drain(open_stream(&more, input, limits), vec![])
}

#[test]
fn stream_leaves_a_cursor_and_no_state() {
    let run = pipe(b"{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n", json!({}), rows(2)).ok();
    assert_eq!(run.positions(), [1, 2, 3]);
    assert!(run.objects.is_empty());
    assert_eq!(run.batches[0].cursor, json!({"object": "-", "records": 2}));
    assert_eq!(run.batches[1].cursor, json!({"object": "-", "records": 3}));
    assert_eq!(run.records[0].origin, "-");
}

#[test]
fn incomplete_last_record_is_quarantined_whatever_is_set() {
    let run = pipe(b"{\"a\":1}\n{\"a\"", json!({"partial": "wait"}), WIDE).ok();
    assert_eq!(run.payloads(), ["{\"a\":1}"]);
    assert_eq!(run.faults()[0].payload, b"{\"a\"");
    let run = pipe(&gzip(b"{}\n{}\n")[..20], json!({"format": "ndjson"}), WIDE);
    assert_eq!(run.faults().len(), 1);
    assert!(run.error_text().contains("cut short"), "what is whole is loaded, and the run fails");
}

#[test]
fn last_row_without_newline_needs_no_settling() {
    let run = pipe(b"a,b\n1,2", json!({"format": "csv"}), WIDE).ok();
    assert_eq!(run.payloads(), [r#"{"a":"1","b":"2"}"#]);
}

#[test]
fn format_and_compression_are_recognised() {
    assert_eq!(pipe(b"[1,2]", json!({}), WIDE).ok().payloads(), ["1", "2"]);
    let packed = gzip(b"{\"a\":1}\n");
    assert_eq!(pipe(&packed, json!({}), WIDE).ok().payloads(), ["{\"a\":1}"]);
    assert!(pipe(b"a,b\n", json!({}), WIDE).error_text().contains("set `format`"));
}

#[test]
fn empty_stream_gives_no_batch() {
    assert!(pipe(b"", json!({}), WIDE).ok().batches.is_empty());
}

/// Gives at most so many bytes at a time.
struct Dripping(Cursor<Vec<u8>>, usize);

impl Read for Dripping {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = buf.len().min(self.1);
        self.0.read(&mut buf[..n])
    }
}

#[test]
fn records_do_not_depend_on_how_the_stream_is_cut_up() {
    for (name, content) in samples() {
        for max in [12, 1000] {
            let settings = json!({
                "path": "-", "format": name.rsplit('.').next(), "max_record_bytes": max
            });
            let whole = pipe(content.as_bytes(), settings.clone(), WIDE).ok();
            assert_eq!(
                whole.faults().iter().any(|r| r.fault.as_ref().unwrap().0 == "54000"),
                max == 12
            );
            for step in [1, 2, 3, 7] {
                let input = Box::new(Dripping(Cursor::new(content.clone().into_bytes()), step));
                let run = drain(open_stream(&settings, input, WIDE), vec![]).ok();
                assert_eq!(run.records, whole.records, "{name} by {step}");
            }
        }
    }
}
