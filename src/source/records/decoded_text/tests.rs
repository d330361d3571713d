use super::*;

/// Pseudo-random bytes that are text now and then.
fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2) + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let bytes = (0..len).map(|_| match next() % 3 {
        0 => b"ab\n,\"{}0"[(next() % 8) as usize],
        _ => next() as u8,
    });
    bytes.collect()
}

const NAMES: [&str; 9] = [
    "windows-1252",
    "iso-8859-15",
    "utf-16le",
    "utf-16be",
    "shift_jis",
    "gb18030",
    "big5",
    "euc-kr",
    "euc-jp",
];

/// All of the text, and where its faults are, if the content comes in chunks of `step` bytes.
fn whole(encoding: &'static Encoding, content: &[u8], step: usize) -> (Vec<u8>, Vec<usize>) {
    let mut decoded = DecodedText::new(encoding);
    let mut end = 0;
    while end < content.len() {
        end = (end + step).min(content.len());
        decoded.extend(&content[decoded.taken()..end]);
    }
    let rest = content.len() - decoded.taken();
    if rest > 0 {
        decoded.close(rest);
    }
    let mut faults = Vec::new();
    let mut from = 0;
    for piece in &decoded.pieces {
        faults.extend(piece.faults.iter().map(|at| from + at));
        from += piece.text;
    }
    (decoded.text().to_vec(), faults)
}

#[test]
fn text_does_not_depend_on_where_chunks_and_pieces_end() {
    for name in NAMES {
        let encoding = Encoding::for_label(name.as_bytes()).unwrap();
        for seed in 0..20 {
            let content = noise(seed, 300);
            let once = whole(encoding, &content, content.len());
            assert!(std::str::from_utf8(&once.0).is_ok(), "{name}");
            for step in [1, 2, 3, 5, 64] {
                assert_eq!(whole(encoding, &content, step), once, "{name} by {step}");
            }
            if name != "windows-1252" {
                let (text, _) = encoding.decode_without_bom_handling(&content);
                assert_eq!(String::from_utf8_lossy(&once.0), text, "{name} {seed}");
            }
        }
    }
}

#[test]
fn every_line_is_found_again_in_the_content() {
    for name in NAMES {
        let encoding = Encoding::for_label(name.as_bytes()).unwrap();
        let lines: String = (0..500).map(|i| format!("{i},h\u{e9}llo \u{e4}\n")).collect();
        let lines = match encoding.encode(&lines) {
            (bytes, _, false) if encoding.output_encoding() == encoding => bytes.into_owned(),
            _ if is_utf16(encoding) => {
                let units = lines.encode_utf16();
                let big = encoding == encoding_rs::UTF_16BE;
                let bytes =
                    units.map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
                bytes.collect::<Vec<_>>().concat()
            }
            _ => continue,
        };
        let mut decoded = DecodedText::new(encoding);
        decoded.extend(&lines);
        let (mut from, mut count) = (0, 0);
        while let Some(end) = memchr::memchr(b'\n', decoded.text()) {
            let line = decoded.text()[..=end].to_vec();
            let content = &lines[from..];
            let first = decoded.place(0, content);
            let last = decoded.place(end + 1, content);
            let (text, _) = encoding.decode_without_bom_handling(&content[first..last]);
            assert_eq!(text.as_bytes(), line, "{name}");
            from += decoded.advance(end + 1);
            count += 1;
        }
        assert_eq!((count, from), (500, lines.len()), "{name}");
    }
}

#[test]
fn bytes_without_a_meaning_are_told_from_those_that_have_one() {
    let mut decoded = DecodedText::new(WINDOWS_1252);
    decoded.extend(b"\x80uro\nf\x81r\n");
    assert_eq!(decoded.text(), "\u{20ac}uro\nf\u{fffd}r\n".as_bytes());
    assert_eq!(decoded.fault_before(7), None);
    assert_eq!(decoded.fault_before(12), Some(8));
    let mut decoded = DecodedText::new(encoding_rs::UTF_16LE);
    decoded.extend(b"\xfd\xff\n\0");
    assert_eq!(decoded.fault_before(4), None, "it was written so");
}
