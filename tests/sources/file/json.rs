use serde_json::json;

use super::support::{Outcome, read};

fn array(content: &str) -> Outcome {
    read("a.json", content, json!({})).ok()
}

#[test]
fn array_elements_are_sliced_without_being_rewritten() {
    let run = array("[ {\"a\" : 1.00} ,\n[1, 2],\"x,]\\\"\", -0.10e5,null ]\n");
    assert_eq!(run.payloads(), ["{\"a\" : 1.00}", "[1, 2]", "\"x,]\\\"\"", "-0.10e5", "null"]);
    assert_eq!(run.positions(), [1, 2, 3, 4, 5]);
    assert!(run.object("a.json").is_done);
}

#[test]
fn single_object_is_one_record() {
    let run = array("{\n  \"a\": [1]\n}\n");
    assert_eq!(run.payloads(), ["{\n  \"a\": [1]\n}"]);
    assert!(run.object("a.json").is_done);
}

#[test]
fn values_may_be_concatenated() {
    let run = array("{\"a\":1}{\"a\":2}\n{\"a\":3} 4 \"five\"[6,7]\n[8]\n");
    assert_eq!(
        run.payloads(),
        ["{\"a\":1}", "{\"a\":2}", "{\"a\":3}", "4", "\"five\"", "6", "7", "8"]
    );
}

#[test]
fn empty_array_and_empty_file_are_done() {
    for content in ["[]", " [ ] \n", "", "\u{feff}[]"] {
        let run = array(content);
        assert!(run.records.is_empty(), "{content}");
        assert!(run.object("a.json").is_done, "{content}");
    }
}

#[test]
fn array_that_never_closes_loads_its_whole_elements_and_is_not_done() {
    for (content, expected, byte) in [
        ("[{\"a\":1},{\"a\":2}", 2, 16),
        ("[{\"a\":1},{\"a\":2},", 2, 17),
        ("[{\"a\":1},{\"a\":2},{\"a\"", 2, 17),
        ("[{\"a\":1},3", 1, 9),
        ("[", 0, 1),
    ] {
        let run = array(content);
        assert_eq!(run.records.len(), expected, "{content}");
        assert!(!run.object("a.json").is_done, "{content}");
        let remark = format!("at byte {byte} (record {})", expected + 1);
        assert!(run.remarks[0].contains(&remark), "{}", run.remarks[0]);
    }
}

#[test]
fn array_that_never_closes_goes_to_quarantine_if_so_set() {
    for (content, payload) in [("[1,{\"a\":", "{\"a\":"), ("[1,", ""), ("[1", "1")] {
        let run = read("a.json", content, json!({"partial": "quarantine"})).ok();
        let fault = run.faults()[0];
        assert_eq!(fault.payload, payload.as_bytes(), "{content}");
        assert_eq!(fault.fault.as_ref().unwrap().0, "22P02");
        assert!(run.object("a.json").is_done);
    }
}

#[test]
fn garbage_behind_the_closing_bracket_is_noticed() {
    let run = array("[1,2]]\n");
    assert_eq!(run.payloads(), ["1", "2"]);
    assert_eq!(run.faults()[0].payload, b"]");
    assert!(run.faults()[0].fault.as_ref().unwrap().1.contains("byte 6"));
    // A word is handed to Postgres, which will not take it for JSON.
    assert_eq!(array("[1,2] trailing\n").payloads(), ["1", "2", "trailing"]);
}

#[test]
fn missing_and_surplus_commas_are_noticed() {
    let run = array("[1 2, 3]\n");
    assert_eq!(run.payloads(), ["1", "3"]);
    assert_eq!(run.faults()[0].payload, b"2");
    assert_eq!(run.positions(), [1, 2, 3]);
    let run = array("[1,,2]\n");
    assert_eq!(run.payloads(), ["1", "2"]);
    assert!(run.faults()[0].fault.as_ref().unwrap().1.contains("empty element"));
    let run = array("[1,]\n");
    assert_eq!(run.payloads(), ["1"]);
    assert!(run.faults()[0].fault.as_ref().unwrap().1.contains("ends in a comma"));
    assert!(run.object("a.json").is_done);
}

#[test]
fn brackets_and_quotes_within_strings_do_not_count() {
    let element = r#"{"a":"]}[{\\","b":"\"]"}"#;
    let run = array(&format!("[{element},{element}]"));
    assert_eq!(run.payloads(), [element, element]);
}

#[test]
fn json_text_in_an_unknown_suffix_is_recognised() {
    let run = read("dump", "\n [1,2]", json!({})).ok();
    assert_eq!(run.payloads(), ["1", "2"]);
    let run = read("dump.txt", "{\"a\":1}\n{\"a\":2}\n", json!({})).ok();
    assert_eq!(run.positions(), [1, 2]);
    assert_eq!(run.payloads(), ["{\"a\":1}", "{\"a\":2}"]);
}
