//! Content in other encodings than UTF-8.

use serde_json::{Value, json};

use super::support::{Folder, Outcome, WIDE, drain, merge, open, open_stream, read, records, rows};

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let units = text.encode_utf16();
    let bytes = units.map(|unit| match big {
        true => unit.to_be_bytes(),
        false => unit.to_le_bytes(),
    });
    bytes.collect::<Vec<_>>().concat()
}

fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap()).collect()
}

fn csv(n: usize) -> String {
    let rows = (0..n).map(|i| format!("{i},\"Käse, {}\"\r\n", "ß\n".repeat(i % 3)));
    format!("id,name\r\n{}", rows.collect::<String>())
}

fn expected(n: usize) -> Vec<String> {
    let rows = (0..n).map(|i| {
        let name = format!("Käse, {}", "ß\\n".repeat(i % 3));
        format!("{{\"id\":\"{i}\",\"name\":\"{name}\"}}")
    });
    rows.collect()
}

fn in_encodings(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("windows-1252", latin1(text)),
        ("latin1", latin1(text)),
        ("utf-16le", utf16(text, false)),
        ("utf-16be", utf16(text, true)),
        ("utf-8", text.as_bytes().to_vec()),
    ]
}

#[test]
fn content_is_read_in_the_encoding_that_is_set() {
    for (encoding, content) in in_encodings(&csv(5000)) {
        let run = read("a.csv", content, json!({"encoding": encoding})).ok();
        assert_eq!(run.payloads(), expected(5000), "{encoding}");
        assert!(run.objects[0].is_done);
        assert!(run.remarks.is_empty(), "{encoding} {:?}", run.remarks);
    }
    for (format, content) in [("ndjson", "{\"a\":\"ü\"}\n"), ("json", "[{\"a\":\"ü\"}]")] {
        let more = json!({"encoding": "latin1", "format": format});
        let run = read("a.txt", latin1(content), more).ok();
        assert_eq!(run.payloads(), ["{\"a\":\"ü\"}"]);
    }
    let sjis = b"\x96\xbc|\x83\x5c\n\x83\x7c|x\n";
    let more = json!({"encoding": "shift_jis", "delimiter": "|"});
    let run = read("a.csv", sjis, more).ok();
    assert_eq!(
        run.payloads(),
        ["{\"名\":\"ポ\",\"ソ\":\"x\"}"],
        "a byte that looks like a delimiter is half of a character"
    );
}

#[test]
fn byte_order_mark_goes_before_the_setting() {
    for (content, settings) in [
        (utf16(&format!("\u{feff}{}", csv(9)), false), json!({})),
        (utf16(&format!("\u{feff}{}", csv(9)), true), json!({})),
        (utf16(&format!("\u{feff}{}", csv(9)), true), json!({"encoding": "utf-16le"})),
        (format!("\u{feff}{}", csv(9)).into_bytes(), json!({"encoding": "latin1"})),
    ] {
        let run = read("a.csv", content, settings).ok();
        assert_eq!(run.payloads(), expected(9));
    }
}

#[test]
fn encoding_that_the_content_belies_is_asked_for() {
    let content = utf16("id,name\n1,a\n", true);
    for settings in [json!({}), json!({"encoding": "utf-16le"}), json!({"encoding": "latin1"})] {
        let text = read("a.csv", &content, settings).error_text();
        assert!(
            text.contains("a.csv` looks like UTF-16BE") && text.contains("encoding => 'utf-16be'"),
            "{text}"
        );
    }
    let text = read("a.csv", latin1("id,größe\n1,2\n"), json!({})).error_text();
    assert!(text.contains("encoding => 'windows-1252'"), "{text}");
    let run = read("a.csv", latin1("id,name\n1,a\n2,Käse\n"), json!({})).ok();
    assert_eq!(run.faults()[0].payload, b"2,K\xe4se");
    assert!(
        run.remarks[0].ends_with(
            "line 3 is not UTF-8; if the file is in another encoding, say in which: encoding => 'windows-1252'"
        ),
        "{:?}",
        run.remarks
    );
}

#[test]
fn sequence_that_means_nothing_costs_its_record_with_its_exact_bytes() {
    let mut content = b"id,name\n1,a\n2,f\x81r\n3,\x80\n".to_vec();
    let run = read("a.csv", &content, json!({"encoding": "cp1252"})).ok();
    assert_eq!(run.payloads()[1], "{\"id\":\"3\",\"name\":\"€\"}");
    let bad = run.faults()[0];
    assert_eq!((bad.position, &bad.payload[..]), (3, &b"2,f\x81r"[..]));
    let (sqlstate, message) = bad.fault.clone().unwrap();
    assert_eq!(
        (sqlstate, message.as_str()),
        ("22021", "invalid byte sequence for encoding \"windows-1252\" at byte 4")
    );
    content = utf16("{\"a\":1}\n{\"a\":\"", false);
    content.extend(b"\x00\xdc");
    content.extend(utf16("\"}\n{\"a\":3}\n", false));
    let more = json!({"encoding": "utf-16le"});
    let run = read("a.ndjson", &content, more.clone()).ok();
    assert_eq!(run.payloads(), ["{\"a\":1}", "{\"a\":3}"]);
    assert_eq!(run.faults()[0].payload, content[16..34]);
    let text = read("b.csv", b"i\x81d,name\n1,a\n", json!({"encoding": "cp1252"})).error_text();
    assert!(text.contains("windows-1252"), "{text}");
}

/// Runs that end after each batch, as `open` begins them again from what was noted.
fn in_pieces(settings: &Value, n: usize) -> Vec<super::support::Record> {
    let (mut known, mut found) = (Vec::new(), Vec::new());
    while let Some(batch) = open(settings, known.clone(), rows(n)).unwrap().next_batch().unwrap() {
        found.extend(records(&batch));
        merge(&mut known, &batch.objects);
    }
    found
}

#[test]
fn reading_is_gone_on_with_at_the_place_in_the_content() {
    let mut all = in_encodings(&csv(40));
    all.push(("mark", utf16(&format!("\u{feff}{}", csv(40)), false)));
    for (encoding, content) in all {
        let folder = Folder::new();
        let more = match encoding {
            "mark" => json!({}),
            name => json!({"encoding": name}),
        };
        let whole = folder.read("a.csv", &content, more.clone()).ok();
        let bytes = &whole.objects[0].position["bytes"];
        assert_eq!(bytes, content.len(), "{encoding}");
        for n in 1..40 {
            let pieces = in_pieces(&folder.settings("a.csv", more.clone()), n);
            assert_eq!(pieces, whole.records, "{encoding} by {n}");
        }
    }
}

#[test]
fn content_that_ends_inside_a_character_waits_for_the_rest_of_it() {
    let content = utf16("\u{feff}{\"a\":1}\n{\"a\":\"\u{1f512}\"}\n", false);
    for cut in 3..content.len() {
        let folder = Folder::new();
        let first = folder.read("a.ndjson", &content[..cut], json!({})).ok();
        folder.write("a.ndjson", &content);
        let second = folder.rerun("a.ndjson", json!({}), &first).ok();
        let found = [first.payloads(), second.payloads()].concat();
        assert_eq!(found, ["{\"a\":1}", "{\"a\":\"\u{1f512}\"}"], "cut at {cut}");
        assert!(second.objects[0].is_done);
    }
    let run = stream(&content[..content.len() - 1], json!({}));
    assert_eq!(run.payloads(), ["{\"a\":1}"]);
    assert_eq!(run.faults()[0].payload, content[18..content.len() - 1]);
}

fn stream(content: &[u8], mut more: Value) -> Outcome {
    more["path"] = json!("-");
    let input = Box::new(std::io::Cursor::new(content.to_vec()));
    drain(open_stream(&more, input, WIDE), vec![])
}
