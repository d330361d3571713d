//! From whatever cursor a run begins again, the records are the same.

use serde_json::{Value, json};

use super::support::{Folder, Record, bzip2, drain, gzip, merge, open, records, rows, xz, zstd};

/// Files with everything that makes resuming hard: blank lines, quoted newlines, stray
/// quotes, broken records, a last record without an end.
pub(crate) fn samples() -> Vec<(&'static str, String)> {
    let value = |i: usize| format!("{{\"i\":{i},\"t\":\"{}\"}}", "é\\\"]\\n".repeat(i % 7));
    let mut ndjson = String::from("\u{feff}\n");
    let mut array = String::from("\u{feff} [ ");
    let mut values = String::new();
    let mut csv = String::from("\u{feff}i,t\r\n");
    for i in 0..23 {
        ndjson += &format!("{}{}", value(i), ["\n", "\r\n", "\n\n"][i % 3]);
        array += &format!("{}{}", value(i), [" ,", ",\n", ",,"][i % 3]);
        values += &format!("{}{}", value(i), ["", "\n", " 7 "][i % 3]);
        csv += ["5\" pipe,x\n", "\n", "only one\n", "a,b,c\r\n"][i % 4];
        csv += &format!("{i},\"x\n{},\"\"\"{}", "y\r\n".repeat(i % 5), ["\n", "\r\n"][i % 2]);
    }
    array += "0] [true]";
    ndjson += "{\"last\":1}";
    csv += "99,last";
    vec![
        ("a.ndjson", ndjson),
        ("a.json", array),
        ("b.json", values),
        ("a.tsv", csv.replace(',', "\t")),
        ("a.csv", csv),
    ]
}

pub(crate) type Pack = fn(&[u8]) -> Vec<u8>;

fn gzip_members(content: &[u8]) -> Vec<u8> {
    content.chunks(97).flat_map(gzip).collect()
}

pub(crate) fn packs() -> [(&'static str, Pack); 6] {
    [
        ("", <[u8]>::to_vec),
        (".gz", gzip),
        (".zst", zstd),
        (".bz2", bzip2),
        (".xz", xz),
        (".members.gz", gzip_members),
    ]
}

/// Runs with `rows(n)`, stopping after every batch to begin again from what was noted.
fn run_in_pieces(settings: &Value, n: usize) -> Vec<Record> {
    let mut known = Vec::new();
    let mut found = Vec::new();
    loop {
        let mut source = open(settings, known.clone(), rows(n)).unwrap();
        let Some(batch) = source.next_batch().unwrap() else {
            return found;
        };
        found.extend(records(&batch));
        merge(&mut known, &batch.objects);
    }
}

#[test]
fn resume_from_every_cursor_gives_the_same_records() {
    let folder = Folder::new();
    for (name, content) in samples() {
        for (suffix, pack) in packs() {
            let format = name.rsplit('.').next().unwrap();
            let file = format!("{name}{suffix}");
            folder.write(&file, pack(content.as_bytes()));
            let settings = folder.settings(&file, json!({"format": format}));
            let whole = drain(open(&settings, vec![], rows(1000)), vec![]).ok();
            assert!(whole.object(&file).is_done, "{file}");
            assert!(whole.records.len() >= 24, "{file}: {}", whole.records.len());
            for n in 1..=whole.records.len() + 1 {
                let in_one_run = drain(open(&settings, vec![], rows(n)), vec![]).ok();
                assert_eq!(in_one_run.records, whole.records, "{file} by {n}");
                assert!(in_one_run.batches.iter().all(|b| b.rows <= n), "{file} by {n}");
                assert_eq!(run_in_pieces(&settings, n), whole.records, "{file} in pieces of {n}");
            }
        }
    }
}

#[test]
fn file_that_grows_byte_by_byte_gives_the_same_records() {
    let folder = Folder::new();
    for (name, content) in samples() {
        let settings = folder.settings(name, json!({}));
        folder.write(name, &content);
        let whole = drain(open(&settings, vec![], rows(1000)), vec![]).ok();
        std::fs::remove_file(folder.path(name)).unwrap();
        let mut known = Vec::new();
        let mut found: Vec<Record> = Vec::new();
        for len in 0..=content.len() {
            folder.write(name, &content.as_bytes()[..len]);
            let run = drain(open(&settings, known.clone(), rows(1000)), known).ok();
            for record in run.records {
                // An unterminated record may be read again; the later reading counts.
                found.retain(|f| f.position < record.position);
                found.push(record);
            }
            known = run.objects;
        }
        assert_eq!(found, whole.records, "{name}");
        assert!(known[0].is_done, "{name}");
    }
}

#[test]
fn large_files_resume_across_buffers() {
    let folder = Folder::new();
    let content: String = (0..40_000)
        .map(|i| format!("{{\"i\":{i},\"pad\":\"{}\"}}\n", "p".repeat(i % 61)))
        .collect();
    let expected: Vec<&str> = content.lines().collect();
    for (suffix, pack) in packs() {
        if suffix.starts_with(".members") {
            continue;
        }
        let file = format!("a.ndjson{suffix}");
        folder.write(&file, pack(content.as_bytes()));
        let settings = folder.settings(&file, json!({}));
        let found = run_in_pieces(&settings, 7_001);
        assert_eq!(found.len(), expected.len(), "{file}");
        for (index, record) in found.iter().enumerate() {
            assert_eq!(record.payload, expected[index].as_bytes(), "{file}");
            assert_eq!(record.position, index as i64 + 1, "{file}");
        }
    }
}

#[test]
fn several_files_resume_between_and_within_them() {
    let folder = Folder::new();
    for i in 0..7 {
        let content: String = (0..i).map(|j| format!("{{\"f\":{i},\"r\":{j}}}\n")).collect();
        folder.write(&format!("{i}.ndjson"), content);
    }
    let settings = folder.settings("*", json!({}));
    let whole = drain(open(&settings, vec![], rows(1000)), vec![]).ok();
    assert_eq!(whole.records.len(), 21);
    for n in 1..=22 {
        assert_eq!(run_in_pieces(&settings, n), whole.records, "in pieces of {n}");
    }
}
