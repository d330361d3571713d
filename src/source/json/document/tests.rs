//! Looking into documents, whole, cut and spoilt.
#![allow(clippy::unwrap_used)]

use super::*;

fn look(json: &str, pointers: &[&str]) -> Vec<Option<String>> {
    let pointers: Vec<Pointer> = pointers
        .iter()
        .map(|p| Pointer::parse(p).unwrap())
        .collect();
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
        &[
            "/data",
            "/data/1/id",
            "/meta/next",
            "/meta/a~1b/~0",
            "/x",
            "/y",
            "/meta/next/z",
        ],
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
    assert_eq!(
        look(r#"{"a":{"b":1},"\u0061":2}"#, &["/a", "/a/b"]),
        [Some("2".to_owned()), None]
    );
}

#[test]
fn every_prefix_of_a_document_is_incomplete() {
    let json = r#"{"a": [1, {"b": "c\\\"d"}, true], "e": -1.5e3}"#;
    let pointer = Pointer::parse("/e").unwrap();
    for end in 0..json.len() {
        assert_eq!(
            find(&json.as_bytes()[..end], &[&pointer]),
            Err(Fault::Incomplete),
            "{end}"
        );
        assert_eq!(
            find(&json.as_bytes()[..end], &[]),
            Err(Fault::Incomplete),
            "{end}"
        );
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
        assert_eq!(
            find(json.as_bytes(), &[&pointer]),
            Err(Fault::Malformed(at)),
            "{json}"
        );
    }
}

#[test]
fn a_spoilt_record_does_not_hide_the_page() {
    let json = b"{\"data\": [{\"a\": NaN}, {\"b\": \"\xff\"}], \"next\": 3}";
    let pointers = [
        Pointer::parse("/data").unwrap(),
        Pointer::parse("/next").unwrap(),
    ];
    let found = find(json, &[&pointers[0], &pointers[1]]).unwrap();
    assert_eq!(&json[found[1].clone().unwrap()], b"3");
    assert_eq!(count_elements(&json[found[0].clone().unwrap()]), 2);
}

#[test]
fn elements_are_counted() {
    for (array, count) in [
        ("[]", 0),
        ("[ ]", 0),
        ("[1]", 1),
        ("[1, [2,3] ,{\"a\":[]}]", 3),
        ("null", 0),
        ("[\"a,b\"]", 1),
    ] {
        assert_eq!(count_elements(array.as_bytes()), count, "{array}");
    }
}
