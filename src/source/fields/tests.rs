//! Which fields a record has, and which records only the server can judge.

use super::slicer::MemberSlicer;

fn values<'j>(columns: &[&str], json: &'j str) -> Option<Vec<&'j str>> {
    let columns: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    let mut slicer = MemberSlicer::new(&columns);
    let is_sliced = slicer.slice(json);
    let values = slicer.values().iter();
    is_sliced.then(|| values.map(|value| &json[value.clone()]).collect())
}

#[test]
fn values_are_the_bytes_that_stand_there_and_the_last_of_a_name_counts() {
    let json = r#" { "b" : 1e400 , "a" : "x\n" ,"c":{"a" : [ 1 ] },"a":-0.10, "d": null, "\u0062": true }  "#;
    assert_eq!(
        values(&["a", "b", "c", "d", "e"], json),
        Some(vec!["-0.10", "true", r#"{"a" : [ 1 ] }"#, "null", ""])
    );
}

#[test]
fn what_may_not_be_an_object_to_postgres_is_left_to_it() {
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(1000), "]".repeat(1000));
    for json in [
        "",
        "null",
        "[1]",
        "7",
        r#"{"a": 1"#,
        r#"{"a": 1} {"a": 2}"#,
        r#"{"a": 01}"#,
        r#"{"a": 1.}"#,
        r#"{"a": NaN}"#,
        r#"{"a": "\x"}"#,
        "{\"a\": \"\u{1}\"}",
        r#"{"a": 1,}"#,
        r#"{"b": "\u0000"}"#,
        r#"{"b": "\ud83d"}"#,
        r#"{"b": "\ud83d\u0041"}"#,
        r#"{"b": "\ude00\ud83d"}"#,
        "\u{feff}{\"a\": 1}",
        &deep,
    ] {
        assert_eq!(values(&["a"], json), None, "{json}");
    }
    for json in [r#"{"b": "\ud83d\ude00\\u0000"}"#, r#"{"b": "\\\\\/"}"#, "{}"] {
        assert_eq!(values(&["a"], json), Some(vec![""]), "{json}");
    }
}
