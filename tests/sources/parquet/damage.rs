//! What is no Parquet, or no sound one.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array};
use parquet::basic::Compression;
use serde_json::json;

use super::support::*;

fn error(content: &[u8]) -> String {
    read("a.parquet", content, json!({"format": "parquet"})).error_text()
}

#[test]
fn file_without_an_end_is_refused_by_name() {
    let content = items(0..20, 7);
    for (content, why) in [
        (&content[..content.len() - 5], "it has no footer at its end"),
        (&content[..6], "it has 6 bytes, too few for any"),
        (b"id,name\n1,carpet\n", "it has no footer at its end"),
    ] {
        let error = error(content);
        assert!(error.contains("a.parquet` is not a complete Parquet file"), "{error}");
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn file_that_may_still_be_written_waits_and_those_beside_it_are_read() {
    let folder = Folder::new();
    let whole = items(0..20, 7);
    folder.write("a.parquet", &whole[..whole.len() - 5]);
    folder.write("b.parquet", items(20..25, 7));
    let more = json!({"settle_seconds": 3000});
    let first = folder.run("*.parquet", more.clone()).ok();
    assert_eq!(first.records.len(), 5);
    assert_eq!(first.waiting.len(), 1);
    assert!(first.waiting[0].reason.contains("may still be being written"));
    folder.write("a.parquet", whole);
    let second = folder.rerun("*.parquet", more, &first).ok();
    assert_eq!((second.records.len(), second.waiting.len()), (20, 0));
}

#[test]
fn encrypted_file_is_refused_by_name() {
    let mut content = items(0..20, 7);
    let end = content.len();
    content[end - 4..].copy_from_slice(b"PARE");
    let error = error(&content);
    assert!(error.contains("a.parquet` is Parquet that is encrypted"), "{error}");
}

#[test]
fn footer_that_makes_no_sense_is_damage() {
    let sound = items(0..20, 7);
    let end = sound.len();
    let mut long = sound.clone();
    long[end - 8..end - 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(error(&long).contains("its footer would have 4294967295 bytes"));
    let mut torn = sound;
    for byte in &mut torn[end - 200..end - 8] {
        *byte = byte.wrapping_mul(31).wrapping_add(7);
    }
    let error = error(&torn);
    assert!(error.contains("a.parquet` is damaged Parquet"), "{error}");
}

/// Bytes turned over anywhere: the run fails with the file's name or reads on, and never panics.
#[test]
fn damaged_pages_fail_by_name_with_what_was_committed_before() {
    let sound = items(0..3000, 500);
    let (mut failed, mut told) = (0, 0);
    for at in (4..sound.len() - 8).step_by(sound.len() / 60) {
        let mut content = sound.clone();
        for byte in &mut content[at..(at + 8).min(sound.len() - 8)] {
            *byte = !*byte;
        }
        let folder = Folder::new();
        folder.write("a.parquet", content);
        let run = folder.run_with("a.parquet", json!({}), vec![], rows(400));
        let Some(error) = run.error.as_ref().map(ToString::to_string) else {
            continue;
        };
        failed += 1;
        assert!(error.contains("a.parquet"), "{error}");
        let batches = run.batches.len();
        if batches > 0 {
            let count = format!("{batches} batch");
            assert!(error.contains(&count) && error.contains("committed its first"), "{error}");
            told += 1;
        }
    }
    assert!(failed > 10 && told > 3, "{failed} failed, {told} with batches before");
}

#[test]
fn columns_are_chosen_by_name_and_one_that_is_not_there_is_named() {
    let folder = Folder::new();
    folder.write("a.parquet", items(0..2, 7));
    let more = json!({"columns": ["name", "id"]});
    let run = folder.run("a.parquet", more).ok();
    assert_eq!(run.payloads(), [r#"{"id":0,"name":"n]}\"0"}"#, r#"{"id":1,"name":"n]}\"1"}"#]);
    let error = folder.run("a.parquet", json!({"columns": ["id", "nmae"]})).error_text();
    assert!(error.contains("there is no column `nmae`; there are id, amount, name"), "{error}");
}

#[test]
fn a_schema_that_lacks_a_required_column_refuses_the_file() {
    let folder = Folder::new();
    folder.write("a.parquet", items(0..2, 7));
    let more = json!({"require": ["id"], "columns": ["name"]});
    assert_eq!(folder.run("a.parquet", more).ok().records.len(), 2);
    let run = folder.run("a.parquet", json!({"require": ["id", "city"]}));
    assert_eq!(run.records, []);
    let told = run.error_text();
    assert!(
        told.contains(
            "a.parquet`: its schema lacks `city`, which `require` names; it has: id, amount, name"
        ),
        "{told}"
    );
}

#[test]
fn parquet_is_known_by_its_first_bytes_whatever_its_name() {
    let run = read("a.data", items(0..3, 7), json!({})).ok();
    assert_eq!(run.records.len(), 3);
    let empty: ArrayRef = Arc::new(Int64Array::from(Vec::<i64>::new()));
    let run = read("b.data", file(vec![("c", empty)], 7, Compression::SNAPPY), json!({})).ok();
    assert!(run.records.is_empty() && run.object("b.data").is_done);
}

#[test]
fn parquet_is_not_read_from_a_pipe_or_packed_once_more() {
    let settings = json!({"kind": "file", "path": "-"});
    let content = std::io::Cursor::new(items(0..3, 7));
    let piped = open_stream(&settings, Box::new(content), WIDE).err().unwrap().to_string();
    assert!(piped.contains("`-` is Parquet") && piped.contains("not through a pipe"), "{piped}");
    let packed = read("a.parquet.gz", gzip(&items(0..3, 7)), json!({})).error_text();
    assert!(packed.contains("not packed once more"), "{packed}");
}
