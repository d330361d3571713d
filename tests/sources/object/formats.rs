//! Objects are read as files are: the same records, from whatever cursor.

use serde_json::json;

use super::support::*;
use crate::sources::file::resume::{packs, samples};
use crate::sources::file::support::Folder;
use crate::support::Store;

#[test]
fn every_format_gives_the_records_a_file_gives_from_every_cursor() {
    let folder = Folder::new();
    for (name, content) in samples() {
        for (suffix, pack) in packs() {
            let store = Store::public();
            let format = name.rsplit('.').next().unwrap();
            let bytes = pack(content.as_bytes());
            store.put(&format!("in/{name}{suffix}"), &bytes);
            let more = json!({"format": format, "null_string": "x"});
            let file = folder.read(&format!("{name}{suffix}"), &bytes, more.clone()).ok();
            let whole = store.run(more.clone()).ok();
            let contents = |outcome: &Outcome| {
                let records = outcome.records.iter();
                records
                    .map(|r| (r.position, r.payload.clone(), r.fault.clone()))
                    .collect::<Vec<_>>()
            };
            assert!(whole.records.len() >= 24, "{name}{suffix}");
            assert_eq!(contents(&whole), contents(&file), "{name}{suffix}");
            let settings = store.settings("in/", more.clone());
            let pieces = run_in_pieces(&settings, 11);
            assert_eq!(pieces, whole.records, "{name}{suffix}");
            // The same without a network, and so from every cursor.
            let mut settings = more;
            settings["kind"] = json!("object");
            settings["url"] = json!(format!("file://{}", folder.name(&format!("{name}{suffix}"))));
            for n in 1..=whole.records.len() + 1 {
                let pieces = run_in_pieces(&settings, n);
                assert_eq!(pieces.len(), whole.records.len(), "{name}{suffix} by {n}");
                for (piece, record) in pieces.iter().zip(&whole.records) {
                    assert_eq!(piece.payload, record.payload, "{name}{suffix} by {n}");
                    assert_eq!(piece.position, record.position, "{name}{suffix} by {n}");
                }
            }
        }
    }
}

#[test]
fn quote_that_is_open_for_more_bytes_than_a_record_may_have_costs_its_own_line() {
    let store = Store::public();
    let rows: String = (2..500).map(|id| format!("{id},x\n")).collect();
    store.put("in/a.csv", format!("id,name\n1,\"a\n{rows}"));
    let run = store.run(json!({"max_record_bytes": 100})).ok();
    assert_eq!(run.payloads().len(), 498);
    let faults = run.faults();
    assert_eq!(faults.len(), 1);
    assert_eq!((faults[0].position, &faults[0].payload[..]), (2, &b"1,\"a"[..]));
    let pieces = run_in_pieces(&store.settings("in/", json!({"max_record_bytes": 100})), 7);
    assert_eq!(pieces, run.records);
}

#[test]
fn format_and_compression_are_told_by_key_and_content() {
    let store = Store::public();
    store.put("in/1.ndjson.gz", gzip(lines(0, 2).as_bytes()));
    store.put("in/2.json", "[{\"i\":2},{\"i\":3}]");
    store.put("in/3", gzip(b"[{\"i\":4}]"));
    store.put("in/4.jsonl.zst", zstd(lines(5, 1).as_bytes()));
    let outcome = store.run(json!({})).ok();
    assert_eq!(numbers(&outcome.records), [0, 1, 2, 3, 4, 5]);
    store.put("in/5.dat", "id;name\n");
    let error = store.rerun(json!({}), &outcome).error_text();
    assert!(error.contains("cannot tell the format of `s3://lake/in/5.dat`"), "{error}");
}

#[test]
fn object_that_ends_inside_a_record_is_done_and_its_rest_quarantined() {
    let store = Store::public();
    store.put("in/a.ndjson", "{\"i\":0}\n{\"i\":");
    let packed = gzip(lines(1, 400).as_bytes());
    store.put("in/b.ndjson.gz", &packed[..packed.len() - 9]);
    let outcome = store.run(json!({})).ok();
    assert_eq!(outcome.faults().len(), 2);
    assert_eq!(outcome.faults()[0].payload, b"{\"i\":");
    assert!(outcome.faults()[1].fault.as_ref().unwrap().1.contains("ends before its end marker"));
    assert_eq!(outcome.remarks.len(), 2, "{:?}", outcome.remarks);
    assert!(outcome.objects.iter().all(|object| object.is_done));
    assert_eq!(store.rerun(json!({}), &outcome).ok().records, []);
}

#[test]
fn last_row_without_line_end_counts_at_once() {
    let store = Store::public();
    store.put("in/a.csv", "i,t\n1,x\n2,y");
    let outcome = store.run(json!({})).ok();
    assert_eq!(outcome.payloads(), ["{\"i\":\"1\",\"t\":\"x\"}", "{\"i\":\"2\",\"t\":\"y\"}"]);
}

#[test]
fn damaged_object_fails_the_run_after_what_was_sound() {
    let store = Store::public();
    let mut bad = gzip(lines(10, 50_000).as_bytes());
    let middle = bad.len() / 2;
    bad[middle..middle + 64].fill(0xff);
    store.put("in/a.ndjson", lines(0, 3));
    store.put("in/b.ndjson.gz", bad);
    store.put("in/c.ndjson", lines(3, 3));
    let outcome = store.run(json!({}));
    let error = outcome.error_text();
    assert!(error.contains("`s3://lake/in/b.ndjson.gz` is damaged"), "{error}");
    assert!(error.contains("get a sound copy of the object"), "{error}");
    assert!(outcome.object("a.ndjson").is_done);
    assert!(outcome.objects.iter().all(|object| !object.object.ends_with("c.ndjson")));
}
