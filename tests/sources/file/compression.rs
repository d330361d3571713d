use std::io::Write as _;

use serde_json::json;

use super::support::{Folder, bzip2, gzip, open, read, rows, xz, zstd as pack};

fn lines(n: usize) -> String {
    (0..n).map(|i| format!("{{\"line\":{i}}}\n")).collect()
}

type Pack = fn(&[u8]) -> Vec<u8>;
const PACKS: [(&str, Pack); 4] = [("gz", gzip), ("zst", pack), ("bz2", bzip2), ("xz", xz)];

#[test]
fn suffix_of_compression_leaves_the_format_to_the_suffix_before_it() {
    for (suffix, pack) in
        [("gz", PACKS[0].1), ("zst", PACKS[1].1), ("zstd", PACKS[1].1), ("bz2", bzip2), ("xz", xz)]
    {
        let run = read(&format!("a.csv.{suffix}"), pack(b"a\n1\n"), json!({})).ok();
        assert_eq!(run.payloads(), ["{\"a\":\"1\"}"]);
        assert!(run.objects[0].is_done);
    }
}

#[test]
fn first_bytes_win_over_the_name() {
    for (_, pack) in PACKS {
        let run = read("a.ndjson", pack(b"{\"a\":1}\n"), json!({})).ok();
        assert_eq!(run.payloads(), ["{\"a\":1}"]);
    }
    let run = read("a.ndjson.gz", "{\"a\":1}\n", json!({})).ok();
    assert_eq!(run.payloads(), ["{\"a\":1}"]);
}

#[test]
fn compression_that_is_set_wins_over_the_first_bytes() {
    let run = read("a.ndjson", gzip(b"{}\n"), json!({"compression": "none"})).ok();
    assert!(run.payloads().is_empty());
    let run = read("a.ndjson", "{\"a\": 123456}\n", json!({"compression": "gzip"}));
    assert!(run.error_text().contains("a.ndjson` is damaged"));
}

#[test]
fn all_members_and_frames_are_read() {
    for (suffix, pack) in PACKS {
        let mut packed = pack(b"{\"a\":1}\n{\"a\"");
        packed.extend(pack(b""));
        packed.extend(pack(b":2}\n"));
        let run = read(&format!("a.ndjson.{suffix}"), packed, json!({})).ok();
        assert_eq!(run.payloads(), ["{\"a\":1}", "{\"a\":2}"], "{suffix}");
        assert!(run.objects[0].is_done);
    }
}

#[test]
fn zeros_behind_the_last_member_are_padding() {
    for zeros in [1, 511, 300_000] {
        let mut packed = gzip(b"{\"a\":1}\n");
        packed.resize(packed.len() + zeros, 0);
        let run = read("a.ndjson.gz", packed, json!({})).ok();
        assert_eq!(run.payloads(), ["{\"a\":1}"]);
        assert!(run.objects[0].is_done);
    }
}

#[test]
fn other_bytes_behind_the_last_member_are_damage() {
    for pack in [gzip, bzip2, xz] {
        for garbage in [&b"garbage"[..], b"\0\0\0x"] {
            let mut packed = pack(b"{\"a\":1}\n");
            packed.extend_from_slice(garbage);
            let run = read("a.ndjson", packed, json!({}));
            assert!(run.error_text().contains("damaged"));
        }
    }
}

#[test]
fn stream_cut_anywhere_loads_whole_records_and_is_never_done() {
    let folder = Folder::new();
    let content = lines(200);
    let expected: Vec<String> = content.lines().map(str::to_owned).collect();
    for (suffix, pack) in PACKS {
        let packed = pack(content.as_bytes());
        let name = format!("a.ndjson.{suffix}");
        for cut in 0..packed.len() {
            let first = folder.read(&name, &packed[..cut], json!({})).ok();
            assert!(!first.objects[0].is_done, "{suffix} cut at {cut}");
            assert_eq!(first.remarks.len(), 1, "{suffix} cut at {cut}");
            assert!(first.remarks[0].contains("is cut short"), "{}", first.remarks[0]);
            let loaded = first.payloads();
            assert_eq!(loaded, expected[..loaded.len()], "{suffix} cut at {cut}");
            folder.write(&name, &packed);
            let second = folder.rerun(&name, json!({}), &first).ok();
            assert_eq!(second.payloads(), expected[loaded.len()..], "{suffix} cut at {cut}");
            assert!(second.objects[0].is_done, "{suffix} cut at {cut}");
        }
    }
}

#[test]
fn much_of_a_cut_stream_is_loaded() {
    let content = lines(100_000);
    // What is left of a chunk of xz is nothing, and this content is less than one.
    for (suffix, pack) in PACKS.into_iter().filter(|(suffix, _)| *suffix != "xz") {
        let packed = pack(content.as_bytes());
        let half = &packed[..packed.len() / 2];
        let run = read(&format!("a.ndjson.{suffix}"), half, json!({})).ok();
        assert!(run.records.len() > 15_000, "{suffix}: {}", run.records.len());
    }
}

#[test]
fn cut_stream_is_noticed_in_quarantine_mode_even_at_a_record_end() {
    for (suffix, pack) in PACKS {
        let packed = pack(b"{\"a\":1}\n");
        let cut = &packed[..packed.len() - 2];
        let run = read(&format!("a.ndjson.{suffix}"), cut, json!({"partial": "quarantine"})).ok();
        assert_eq!(run.faults().len(), 1, "{suffix}");
        assert!(run.remarks[0].contains("cut short"), "{suffix}");
    }
}

#[test]
fn damaged_stream_names_file_and_place() {
    let content = lines(50_000);
    let mut packed = gzip(content.as_bytes());
    let at = packed.len() - 6;
    packed[at] ^= 0xff; // in the checksum
    let run = read("a.ndjson.gz", packed, json!({}));
    let text = run.error_text();
    assert!(text.contains("a.ndjson.gz` is damaged: its gzip stream"), "{text}");
    assert!(text.contains(&format!("past byte {}", content.len())), "{text}");
    assert!(text.contains("cause:"), "{text}");
    assert!(text.contains("gzip -t"), "{text}");
    assert!(run.objects.is_empty());

    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content.as_bytes()).unwrap();
    let mut packed = encoder.finish().unwrap();
    let at = packed.len() - 2;
    packed[at] ^= 0xff;
    let run = read("a.ndjson.zst", packed, json!({}));
    assert!(run.error_text().contains("its zstd stream"));
}

#[test]
fn damage_inside_an_oversized_record_leaves_the_place_before_it() {
    let folder = Folder::new();
    let more = json!({"max_record_bytes": 100});
    let long = format!("{{}}\n\"{}", "x".repeat(1_000_000));
    let mut packed = gzip(long.as_bytes());
    let sound = packed.len();
    packed.extend_from_slice(b"damaged");
    folder.write("a.ndjson.gz", &packed);
    let first = folder.run_with("a.ndjson.gz", more.clone(), vec![], rows(1));
    assert!(first.error_text().contains("damaged"));
    assert_eq!(first.positions(), [1]);
    packed.truncate(sound);
    packed.extend(gzip(b"\"\n{}\n"));
    folder.write("a.ndjson.gz", &packed);
    let objects = vec![pgsluice::source::ObjectState {
        identity: {
            // As if the damage had not changed the first bytes, as in a larger file.
            let fresh = folder.run("a.ndjson.gz", more.clone()).ok();
            fresh.object("a.ndjson.gz").identity.clone()
        },
        ..first.objects[0].clone()
    }];
    let second = folder.run_with("a.ndjson.gz", more, objects, rows(100)).ok();
    assert_eq!(second.positions(), [2, 3]);
    assert_eq!(second.faults().len(), 1);
}

#[test]
fn last_row_of_a_compressed_csv_needs_no_settling() {
    for (suffix, pack) in PACKS {
        let run =
            read(&format!("a.csv.{suffix}"), pack(b"a,b\n1,2"), json!({"settle_seconds": 3600}))
                .ok();
        assert_eq!(run.records.len(), 1);
        assert!(run.objects[0].is_done);
    }
}

#[test]
fn progress_adds_up_to_the_size_on_disk() {
    let folder = Folder::new();
    let content = lines(30_000);
    folder.write("a.ndjson", &content);
    folder.write("b.ndjson.gz", gzip(content.as_bytes()));
    folder.write("c.ndjson.zst", pack(content.as_bytes()));
    let sizes: u64 = ["a.ndjson", "b.ndjson.gz", "c.ndjson.zst"]
        .iter()
        .map(|name| std::fs::metadata(folder.path(name)).unwrap().len())
        .sum();
    let settings = folder.settings("*", json!({}));
    let source = open(&settings, vec![], rows(7_000)).unwrap();
    assert_eq!(source.total_bytes(), Some(sizes));
    let run = super::support::drain(Ok(source), vec![]).ok();
    assert_eq!(run.records.len(), 90_000);
    assert_eq!(run.batches.iter().map(|b| b.bytes).sum::<u64>(), sizes);

    folder.append("a.ndjson", "{}\n");
    let source = open(&settings, run.objects.clone(), rows(7_000)).unwrap();
    assert_eq!(source.total_bytes(), Some(3));
    let again = super::support::drain(Ok(source), run.objects).ok();
    assert_eq!(again.batches.iter().map(|b| b.bytes).sum::<u64>(), 3);
}

#[test]
fn batch_with_damaged_content_is_not_handed_out_and_what_was_before_is_told() {
    let content: String = (0..3000).map(|i| format!("{{\"i\":{}}}\n", i * 7919 % 10_007)).collect();
    for (name, mut packed) in [
        ("a.ndjson.gz", gzip(content.as_bytes())),
        ("b.ndjson.zst", {
            let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
            encoder.include_checksum(true).unwrap();
            std::io::Write::write_all(&mut encoder, content.as_bytes()).unwrap();
            encoder.finish().unwrap()
        }),
    ] {
        // In the checksum, so that all of the content can be decoded.
        let at = packed.len() - if name.ends_with("gz") { 6 } else { 2 };
        packed[at] ^= 0x20;
        let folder = Folder::new();
        let run = folder.read(name, &packed, json!({}));
        assert!(run.batches.is_empty(), "{name}");
        assert!(run.error_text().contains("is damaged"), "{}", run.error_text());
        let run = folder.run_with(name, json!({}), vec![], rows(1000));
        let text = run.error_text();
        let records = run.records.len();
        assert!(records < 3000 && records.is_multiple_of(1000), "{name}: {records}");
        let told = format!(
            "{} committed its first {records} records",
            match records {
                1000 => "1 batch before this one has".to_owned(),
                n => format!("{} batches before this one have", n / 1000),
            }
        );
        assert_eq!(text.contains(&told), records > 0, "{text}");
    }
}

#[test]
fn zstd_with_a_long_window_is_read() {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.long_distance_matching(true).unwrap();
    encoder.window_log(30).unwrap();
    std::io::Write::write_all(&mut encoder, b"{\"a\":1}\n").unwrap();
    let run = read("a.ndjson.zst", encoder.finish().unwrap(), json!({})).ok();
    assert_eq!(run.payloads(), ["{\"a\":1}"]);
}

/// As those write that work with several threads (RFC 8878, 3.1.2).
#[test]
fn zstd_that_begins_with_a_frame_to_be_skipped_is_read() {
    let packed = [&b"\x50\x2a\x4d\x18\x04\0\0\0abcd"[..], &pack(b"{\"a\":1}\n")].concat();
    let run = read("a.ndjson.zst", packed, json!({})).ok();
    assert_eq!(run.payloads(), ["{\"a\":1}"]);
}

#[test]
fn content_that_is_compressed_twice_is_refused_by_name() {
    for pack in [gzip, xz] {
        let text = read("a.csv.gz", gzip(&pack(b"a\n1\n")), json!({})).error_text();
        assert!(text.contains("a.csv.gz` is compressed twice"), "{text}");
    }
}
