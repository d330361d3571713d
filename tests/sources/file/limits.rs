use std::io::Read;

use pgsluice::source::BatchLimits;
use serde_json::json;

use super::support::{Folder, drain, open, open_stream, read, rows};

const SMALL: usize = 100;

#[test]
fn record_over_the_limit_is_set_aside_and_its_neighbours_load() {
    let long = "x".repeat(300_000);
    for (name, content, readable) in [
        ("a.ndjson", format!("{{}}\n\"{long}\"\r\n{{}}\n"), 2),
        ("a.json", format!("[1,\"{long}\" ,2]"), 2),
        ("a.csv", format!("a\n1\n\"{long}\"\r\n3\n"), 2),
    ] {
        let run = read(name, content, json!({"max_record_bytes": SMALL})).ok();
        assert_eq!(run.payloads().len(), readable, "{name}");
        let fault = run.faults()[0].clone();
        let (code, message) = fault.fault.unwrap();
        assert_eq!(code, "54000");
        assert!(message.contains("has 300002 bytes"), "{name}: {message}");
        assert!(message.contains("max_record_bytes = 100"), "{name}: {message}");
        assert_eq!(fault.payload.len(), 65_536, "{name}");
        assert!(fault.payload.starts_with(b"\"xxx"), "{name}");
        assert!(run.object(name).is_done, "{name}");
    }
}

#[test]
fn limit_is_exact() {
    for (len, is_taken) in [(SMALL - 1, true), (SMALL, true), (SMALL + 1, false)] {
        let record = format!("\"{}\"", "x".repeat(len - 2));
        for (name, content) in [
            ("a.ndjson", format!("{record}\n")),
            ("b.ndjson", format!("{record}\r\n")),
            ("a.json", format!("[{record}]")),
            ("a.csv", format!("a\n{record}\n")),
        ] {
            let run = read(name, content, json!({"max_record_bytes": SMALL})).ok();
            assert_eq!(run.faults().is_empty(), is_taken, "{name} {len}");
            if !is_taken {
                assert_eq!(run.faults()[0].payload, record.as_bytes(), "{name}: kept whole");
            }
        }
    }
}

#[test]
fn lines_are_counted_through_a_skipped_row() {
    let long = "x\n".repeat(1000);
    let run = read("a.csv", format!("a\n\"{long}\"\n2\n"), json!({"max_record_bytes": SMALL})).ok();
    assert_eq!(run.positions(), [2, 1003]);
}

#[test]
fn file_that_ends_inside_an_oversized_record_resumes_at_its_start() {
    let folder = Folder::new();
    let more = json!({"max_record_bytes": SMALL});
    let long = "x".repeat(400_000);
    let first = folder.read("a.ndjson", format!("{{}}\n\"{long}"), more.clone()).ok();
    assert_eq!(first.records.len(), 1);
    assert_eq!(first.object("a.ndjson").position["bytes"], 3);
    assert_eq!(first.batches[0].cursor["bytes"], 3);
    assert!(!first.object("a.ndjson").is_done);
    folder.append("a.ndjson", "\"\n{}\n");
    let second = folder.rerun("a.ndjson", more, &first).ok();
    assert_eq!(second.positions(), [2, 3]);
    assert!(second.faults()[0].fault.as_ref().unwrap().1.contains("400002 bytes"));
}

/// A gigabyte of one line that nobody ever holds.
struct Endless {
    left: u64,
}

impl Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = buf.len().min(usize::try_from(self.left).unwrap());
        buf[..n].fill(b'x');
        self.left -= n as u64;
        Ok(n)
    }
}

fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn gigabyte_line_does_not_grow_memory() {
    let input = Box::new((&b"{}\n"[..]).chain(Endless { left: 1 << 30 }).chain(&b"\n{}\n"[..]));
    let settings = json!({"path": "-", "format": "ndjson", "max_record_bytes": 1 << 20});
    let before = peak_memory_kib();
    let run = drain(open_stream(&settings, input, rows(10)), vec![]).ok();
    assert_eq!(run.positions(), [1, 2, 3]);
    let message = &run.faults()[0].fault.as_ref().unwrap().1;
    assert!(message.contains("has 1073741824 bytes"), "{message}");
    // Other tests run beside this one; the line alone would take more than this.
    assert!(peak_memory_kib() - before < 768 * 1024);
}

#[test]
fn batch_is_closed_by_rows_or_bytes_and_ends_with_the_file() {
    let folder = Folder::new();
    folder.write("a.ndjson", "{\"a\":1}\n".repeat(10));
    let run = folder.run_with("a.ndjson", json!({}), vec![], rows(5)).ok();
    assert_eq!(run.batches.iter().map(|b| b.rows).collect::<Vec<_>>(), [5, 5]);
    assert!(run.batches[1].objects[0].is_done, "the full batch saw the end");
    let bytes = BatchLimits { digests: false, rows: 1000, bytes: 21 };
    let run = folder.run_with("a.ndjson", json!({}), vec![], bytes).ok();
    assert_eq!(run.batches.iter().map(|b| b.rows).collect::<Vec<_>>(), [3, 3, 3, 1]);
}

#[test]
fn cursor_names_the_last_object_and_its_place() {
    let folder = Folder::new();
    folder.write("a.ndjson", "{}\n{}\n");
    folder.write("b.ndjson", "{}\n{}\n");
    let settings = folder.settings("*", json!({}));
    let mut source = open(&settings, vec![], rows(3)).unwrap();
    let batch = source.next_batch().unwrap().unwrap();
    assert_eq!(batch.cursor, json!({"object": folder.name("b.ndjson"), "bytes": 3, "records": 1}));
    assert_eq!(batch.origins.len(), 2);
    assert_eq!(batch.origins[1].first_ordinal, 2);
}
