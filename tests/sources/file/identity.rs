use std::fs;

use pgsluice::error::Kind;
use serde_json::json;

use super::support::{Folder, WIDE, drain, gzip, open, records, rows};

fn numbered(range: std::ops::Range<u32>) -> String {
    range.map(|i| format!("{{\"i\":{i}}}\n")).collect()
}

#[test]
fn replaced_file_is_refused_with_both_ways_on() {
    let folder = Folder::new();
    let first = folder.read("a.ndjson", "{\"a\":1}\n", json!({})).ok();
    folder.write("a.ndjson", "{\"b\":1}\n{\"b\":2}\n");
    let second = folder.rerun("a.ndjson", json!({}), &first);
    let text = second.error_text();
    assert!(second.records.is_empty());
    assert_eq!(second.error.unwrap().kind(), Kind::Failed);
    assert!(text.contains(&folder.name("a.ndjson")), "{text}");
    assert!(text.contains("first 8 bytes are not the same"), "{text}");
    assert!(text.contains("give the new content a new name"), "{text}");
    let rewind = format!("sluice rewind PIPELINE --object {}", folder.name("a.ndjson"));
    assert!(text.contains(&rewind), "{text}");
}

#[test]
fn truncated_file_is_refused() {
    let folder = Folder::new();
    let first = folder.read("a.ndjson", "{\"a\":1}\n{\"a\":2}\n", json!({})).ok();
    folder.write("a.ndjson", "{\"a\":1}\n");
    let text = folder.rerun("a.ndjson", json!({}), &first).error_text();
    assert!(text.contains("it has 8 bytes now, and had at least 16 before"), "{text}");
}

#[test]
fn truncated_compressed_file_is_refused() {
    let folder = Folder::new();
    let packed = gzip(numbered(0..100).as_bytes());
    let first = folder.read("a.ndjson.gz", &packed, json!({})).ok();
    folder.write("a.ndjson.gz", &packed[..packed.len() - 9]);
    let text = folder.rerun("a.ndjson.gz", json!({}), &first).error_text();
    assert!(text.contains("replaced or truncated"), "{text}");
}

#[test]
fn change_behind_the_head_is_noticed_by_the_anchor() {
    let folder = Folder::new();
    // More than the 64 KiB that identify a file by its beginning.
    let content = numbered(0..10_000);
    let first = folder.read("a.ndjson", &content, json!({})).ok();
    let mut changed = content.into_bytes();
    let at = changed.len() - 4;
    assert!(at > 65_536);
    changed[at] ^= 1;
    changed.extend_from_slice(b"{}\n");
    folder.write("a.ndjson", changed);
    let text = folder.rerun("a.ndjson", json!({}), &first).error_text();
    assert!(text.contains("bytes before byte"), "{text}");
}

#[test]
fn change_in_a_compressed_file_is_noticed_by_the_anchor() {
    let folder = Folder::new();
    // Stored blocks, so that the head on disk can be kept as it is.
    let store = |content: &[u8]| {
        use std::io::Write as _;
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        out.write_all(content).unwrap();
        out.finish().unwrap()
    };
    let content = numbered(0..20_000);
    let first = folder.read("a.ndjson.gz", store(content.as_bytes()), json!({})).ok();
    let other = content.replace("{\"i\":19999}", "{\"i\":29999}") + "{}\n";
    folder.write("a.ndjson.gz", store(other.as_bytes()));
    let text = folder.rerun("a.ndjson.gz", json!({}), &first).error_text();
    assert!(text.contains("bytes before byte"), "{text}");
}

#[test]
fn replaced_file_is_read_from_the_start_if_so_set() {
    let folder = Folder::new();
    let more = json!({"on_replace": "reload"});
    let first = folder.read("a.ndjson", numbered(0..5), more.clone()).ok();
    folder.write("a.ndjson", "{\"b\":1}\n");
    let second = folder.rerun("a.ndjson", more.clone(), &first).ok();
    assert_eq!(second.payloads(), ["{\"b\":1}"]);
    assert_eq!(second.positions(), [1]);
    assert!(second.remarks[0].contains("was replaced"));
    let third = folder.rerun("a.ndjson", more, &second).ok();
    assert!(third.batches.is_empty());
}

#[test]
fn file_replaced_while_it_is_read_is_refused_before_it_is_done() {
    let folder = Folder::new();
    folder.write("a.ndjson", numbered(0..4));
    let settings = folder.settings("a.ndjson", json!({}));
    let mut source = open(&settings, vec![], rows(2)).unwrap();
    let first = source.next_batch().unwrap().unwrap();
    assert!(!first.objects[0].is_done);
    folder.write("new", numbered(0..4));
    fs::rename(folder.path("new"), folder.path("a.ndjson")).unwrap();
    let error = source.next_batch().unwrap_err().to_string();
    assert!(error.contains("another file took its name while it was read"), "{error}");
    assert!(error.contains("sluice rewind"), "{error}");
}

#[test]
fn file_cut_while_it_is_read_is_refused() {
    let folder = Folder::new();
    folder.write("a.ndjson", numbered(0..4));
    let settings = folder.settings("a.ndjson", json!({}));
    let mut source = open(&settings, vec![], rows(2)).unwrap();
    source.next_batch().unwrap().unwrap();
    folder.write("a.ndjson", "");
    let error = source.next_batch().unwrap_err().to_string();
    assert!(error.contains("it shrank to 0 bytes while it was read"), "{error}");
}

#[test]
fn file_rewritten_in_place_while_it_is_read_is_refused() {
    let folder = Folder::new();
    folder.write("a.ndjson", numbered(0..4));
    folder.age("a.ndjson", 60);
    let settings = folder.settings("a.ndjson", json!({}));
    let mut source = open(&settings, vec![], rows(2)).unwrap();
    source.next_batch().unwrap().unwrap();
    folder.write("a.ndjson", numbered(4..8));
    let error = source.next_batch().unwrap_err().to_string();
    assert!(error.contains("its beginning was written anew"), "{error}");
}

#[test]
fn file_replaced_while_it_is_read_is_begun_again_if_so_set() {
    let folder = Folder::new();
    folder.write("a.ndjson", numbered(0..4));
    let settings = folder.settings("a.ndjson", json!({"on_replace": "reload"}));
    let mut source = open(&settings, vec![], rows(2)).unwrap();
    source.next_batch().unwrap().unwrap();
    folder.write("new", numbered(7..9));
    fs::rename(folder.path("new"), folder.path("a.ndjson")).unwrap();
    let rest = drain(Ok(source), vec![]).ok();
    assert_eq!(rest.payloads(), ["{\"i\":7}", "{\"i\":8}"]);
    assert_eq!(rest.positions(), [1, 2]);
    assert!(rest.object("a.ndjson").is_done);
}

#[test]
fn file_moved_away_while_it_is_read_is_read_to_its_end() {
    let folder = Folder::new();
    folder.write("a.ndjson", numbered(0..4));
    let settings = folder.settings("a.ndjson", json!({}));
    let mut source = open(&settings, vec![], rows(2)).unwrap();
    source.next_batch().unwrap().unwrap();
    fs::remove_file(folder.path("a.ndjson")).unwrap();
    let rest = drain(Ok(source), vec![]).ok();
    assert_eq!(rest.payloads(), ["{\"i\":2}", "{\"i\":3}"]);
}

#[test]
fn records_before_a_refused_file_are_handed_out_first() {
    let folder = Folder::new();
    folder.write("a.ndjson", "{\"a\":1}\n");
    let first = folder.read("b.ndjson", "{\"b\":1}\n", json!({})).ok();
    folder.write("b.ndjson", "{\"x\":1}\n");
    let settings = folder.settings("*.ndjson", json!({}));
    let mut source = open(&settings, first.objects, WIDE).unwrap();
    let batch = source.next_batch().unwrap().unwrap();
    assert_eq!(records(&batch)[0].payload, b"{\"a\":1}");
    assert!(batch.objects[0].is_done);
    assert!(source.next_batch().is_err());
    assert!(source.next_batch().unwrap().is_none());
}

#[test]
fn state_that_cannot_be_understood_names_the_file_and_the_way_on() {
    let folder = Folder::new();
    let mut first = folder.read("a.ndjson", "{}\n", json!({})).ok();
    first.objects[0].position = json!({"bytes": "many"});
    // As long as nothing has come to it, nobody asks how far it was read.
    folder.append("a.ndjson", "{}\n");
    let text = folder.rerun("a.ndjson", json!({}), &first).error_text();
    assert!(text.contains("a.ndjson` cannot be read"), "{text}");
    assert!(text.contains("sluice rewind"), "{text}");
}
