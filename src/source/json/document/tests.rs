//! Looking into documents, whole, cut and spoilt.

use super::*;

fn look(json: &str, pointers: &[&str]) -> Vec<Option<String>> {
    let pointers: Vec<Pointer> = pointers.iter().map(|p| Pointer::parse(p).unwrap()).collect();
    let pointers: Vec<&Pointer> = pointers.iter().collect();
    find(json.as_bytes(), &pointers)
        .unwrap()
        .into_iter()
        .map(|span| span.map(|span| json[span].to_owned()))
        .collect()
}

#[test]
fn values_are_found_where_they_stand() {
    let json = r#" {"data" : [ {"id":1.50}, {"id":"]}"} ] , "meta":{"next":"a\"b","a/b":{"~":7}}, "x":null}"#;
    let found = look(
        json,
        &["/data", "/data/1/id", "/meta/next", "/meta/a~1b/~0", "/x", "/y", "/meta/next/z"],
    );
    let expected = [
        Some(r#"[ {"id":1.50}, {"id":"]}"} ]"#),
        Some(r#""]}""#),
        Some(r#""a\"b""#),
        Some("7"),
        Some("null"),
        None,
        None,
    ];
    assert_eq!(found, expected.map(|text| text.map(str::to_owned)));
    assert_eq!(
        look("[1, 2]", &["", "/1", "/2"]),
        [Some("[1, 2]".to_owned()), Some("2".to_owned()), None]
    );
}

#[test]
fn the_last_of_repeated_keys_counts_and_escaped_keys_are_the_same() {
    assert_eq!(look(r#"{"a":{"b":1},"\u0061":2}"#, &["/a", "/a/b"]), [Some("2".to_owned()), None]);
}

#[test]
fn every_prefix_of_a_document_is_incomplete() {
    let json = r#"{"a": [1, {"b": "c\\\"d"}, true], "e": -1.5e3}"#;
    let pointer = Pointer::parse("/e").unwrap();
    for end in 0..json.len() {
        assert_eq!(find(&json.as_bytes()[..end], &[&pointer]), Err(JsonError::Incomplete), "{end}");
        assert_eq!(find(&json.as_bytes()[..end], &[]), Err(JsonError::Incomplete), "{end}");
    }
    assert!(find(json.as_bytes(), &[&pointer]).is_ok());
}

#[test]
fn what_is_no_document_is_malformed() {
    for (json, at) in [
        ("{}x", 2),
        ("]", 0),
        (r#"{"a" 1}"#, 5),
        (r#"{1:2}"#, 1),
        ("[1] [2]", 4),
        (r#"{"a":1 ;}"#, 7),
    ] {
        let pointer = Pointer::parse("/a").unwrap();
        assert_eq!(find(json.as_bytes(), &[&pointer]), Err(JsonError::Malformed(at)), "{json}");
    }
}

#[test]
fn a_spoilt_record_does_not_hide_the_page() {
    let json = b"{\"data\": [{\"a\": NaN}, {\"b\": \"\xff\"}], \"next\": 3}";
    let pointers = [Pointer::parse("/data").unwrap(), Pointer::parse("/next").unwrap()];
    let (found, parts) = find_parts(json, &[&pointers[0], &pointers[1]], Container::Array).unwrap();
    assert_eq!(&json[found[1].clone().unwrap()], b"3");
    assert_eq!((parts.spans.len(), parts.faults.len()), (2, 0));
}

/// The parts at `/d`, and by index what is wrong with some.
fn parts(json: &str, shape: Container) -> (Vec<&str>, Vec<(usize, String)>) {
    let pointer = Pointer::parse("/d").unwrap();
    let other = Pointer::parse("/d/0/x").unwrap();
    let (_, parts) = find_parts(json.as_bytes(), &[&pointer, &other], shape).unwrap();
    let text = |span: Range<u32>| &json[span.start as usize..span.end as usize];
    (parts.spans.into_iter().map(text).collect(), parts.faults)
}

#[test]
fn elements_and_members_are_found_in_the_same_walk() {
    for (json, shape, expected) in [
        (r#"{"d":[]}"#, Container::Array, vec![]),
        (r#"{"d": [ ] }"#, Container::Array, vec![]),
        (
            r#"{"d":[ 1, [2,3] ,{"x":[]}], "e": [9]}"#,
            Container::Array,
            vec!["1", "[2,3]", r#"{"x":[]}"#],
        ),
        (r#"{"d": ["a,b"]}"#, Container::Array, vec![r#""a,b""#]),
        (r#"{"d":null}"#, Container::Array, vec![]),
        (
            r#"{"d":{"k1" : 1, "k2":{"x":2} }}"#,
            Container::Object,
            vec![r#""k1" : 1"#, r#""k2":{"x":2}"#],
        ),
        (r#"{"d":{}}"#, Container::Object, vec![]),
    ] {
        assert_eq!(parts(json, shape), (expected, vec![]), "{json}");
    }
}

#[test]
fn what_is_wrong_between_elements_spoils_neither() {
    for (array, expected, index, message) in [
        ("[1,,2]", vec!["1", "", "2"], 1, "the array has an empty element before byte 9"),
        ("[,1]", vec!["", "1"], 0, "the array has an empty element before byte 7"),
        ("[1, ]", vec!["1", ""], 1, "the array ends in a comma before byte 10"),
        (
            "[1 2, 3]",
            vec!["1", "2", "3"],
            1,
            "there must be `,` or `]` at byte 9, behind an element of the array",
        ),
        ("[}, 3]", vec!["}", "3"], 0, "`}` at byte 7 begins no value"),
    ] {
        let json = format!("{{\"d\":{array}}}");
        let (spans, faults) = parts(&json, Container::Array);
        assert_eq!(spans, expected, "{array}");
        assert_eq!(faults, [(index, message.to_owned())], "{array}");
    }
}
