use serde_json::json;

use super::support::{Folder, Outcome, read};

fn csv(content: impl AsRef<[u8]>) -> Outcome {
    read("a.csv", content, json!({})).ok()
}

#[test]
fn row_becomes_an_object_of_strings_in_header_order() {
    let run = csv("z,a,n\n1,x y,\n2,,0.10\n");
    assert_eq!(run.payloads(), [r#"{"z":"1","a":"x y","n":""}"#, r#"{"z":"2","a":"","n":"0.10"}"#]);
    assert_eq!(run.positions(), [2, 3]);
    assert!(run.object("a.csv").is_done);
}

#[test]
fn quoted_newline_stays_in_its_row() {
    let run = csv("a,b\n\"1\n2\r\n3\",x\n4,y\n");
    assert_eq!(run.payloads(), [r#"{"a":"1\n2\r\n3","b":"x"}"#, r#"{"a":"4","b":"y"}"#]);
    assert_eq!(run.positions(), [2, 5], "the line in which a row begins");
}

#[test]
fn doubled_quotes_and_delimiters_in_quotes_are_text() {
    let run = csv("a,b\n\"say \"\"hi\"\", you\",\"\"\n\"\"\"\",\"\"\"\"\"\"\n");
    assert_eq!(run.payloads(), [r#"{"a":"say \"hi\", you","b":""}"#, r#"{"a":"\"","b":"\"\""}"#]);
}

#[test]
fn quote_inside_an_unquoted_field_is_itself() {
    let run = csv("a,b\n5\" pipe,x\n6,y\"z\n7,w\n");
    assert_eq!(
        run.payloads(),
        [r#"{"a":"5\" pipe","b":"x"}"#, r#"{"a":"6","b":"y\"z"}"#, r#"{"a":"7","b":"w"}"#]
    );
}

#[test]
fn characters_that_json_escapes_survive() {
    let run = csv("a\nback\\slash\ttab\u{1}é€\u{7f}\n");
    let value: serde_json::Value = serde_json::from_str(&run.payloads()[0]).unwrap();
    assert_eq!(value["a"], "back\\slash\ttab\u{1}é€\u{7f}");
}

#[test]
fn ragged_rows_go_to_quarantine_with_their_exact_bytes() {
    let run = csv("a,b,c\n1,2,3\n1,\"2\"\r\n1,2,3,4\n5,6,7\nx\n");
    assert_eq!(run.payloads().len(), 2);
    let faults = run.faults();
    assert_eq!(faults[0].payload, b"1,\"2\"");
    let text = |i: usize| faults[i].fault.clone().unwrap();
    assert_eq!(text(0), ("22P04", "row has 2 fields, header has 3 (line 3)".to_owned()));
    assert_eq!(text(1).1, "row has 4 fields, header has 3 (line 4)");
    assert_eq!(text(2).1, "row has 1 field, header has 3 (line 6)");
    assert_eq!(run.positions(), [2, 3, 4, 5, 6]);
}

#[test]
fn unquoted_null_text_becomes_null_and_quoted_stays_text() {
    let content = "a,b,c\n,\"\",x\n\\N,\"\\N\",\\N2\n";
    let run = read("a.csv", content, json!({"null_string": ""})).ok();
    assert_eq!(run.payloads()[0], r#"{"a":null,"b":"","c":"x"}"#);
    let run = read("a.csv", content, json!({"null_string": "\\N"})).ok();
    assert_eq!(run.payloads()[1], r#"{"a":null,"b":"\\N","c":"\\N2"}"#);
    assert_eq!(run.payloads()[0], r#"{"a":"","b":"","c":"x"}"#);
}

#[test]
fn duplicate_and_empty_header_names_refuse_the_file() {
    let run = read("a.csv", "\nid,name,,id\n1,2,3,4\n", json!({}));
    let text = run.error_text();
    assert!(text.contains("a.csv"), "{text}");
    assert!(text.contains("line 2"), "{text}");
    assert!(text.contains("`id` is there more than once"), "{text}");
    assert!(text.contains("column 3 has no name"), "{text}");
    assert!(run.records.is_empty());
}

#[test]
fn columns_override_the_header_or_stand_in_for_it() {
    let run = read("a.csv", "x,x\n1,2\n", json!({"columns": ["p", "q"]})).ok();
    assert_eq!(run.payloads(), [r#"{"p":"1","q":"2"}"#]);
    let more = json!({"columns": ["p", "q"], "header": false});
    let run = read("a.csv", "x,x\n1,2\n", more).ok();
    assert_eq!(run.payloads(), [r#"{"p":"x","q":"x"}"#, r#"{"p":"1","q":"2"}"#]);
    assert_eq!(run.positions(), [1, 2]);
    let run = read("a.csv", "x,y,z\n", json!({"columns": ["p", "q"]}));
    assert!(run.error_text().contains("has 3: x, y, z"));
}

#[test]
fn backslash_dot_is_an_ordinary_line() {
    let run = csv("a\n1\n\\.\n2\n");
    assert_eq!(run.payloads(), [r#"{"a":"1"}"#, r#"{"a":"\\."}"#, r#"{"a":"2"}"#]);
}

#[test]
fn byte_order_mark_is_no_part_of_the_first_name() {
    let run = csv("\u{feff}\"a\",b\n1,2\n");
    assert_eq!(run.payloads(), [r#"{"a":"1","b":"2"}"#]);
}

#[test]
fn line_ends_may_be_mixed() {
    let run = csv("a,b\r\n1,2\n3,4\r\n\r\n5,6\n");
    assert_eq!(
        run.payloads(),
        [r#"{"a":"1","b":"2"}"#, r#"{"a":"3","b":"4"}"#, r#"{"a":"5","b":"6"}"#]
    );
    assert_eq!(run.positions(), [2, 3, 5]);
}

#[test]
fn header_alone_and_empty_file_are_done_without_records() {
    for content in ["a,b\n", "a,b", "", "\n\n", "\u{feff}"] {
        let run = csv(content);
        assert!(run.records.is_empty(), "{content:?}");
        assert!(run.object("a.csv").is_done, "{content:?}");
    }
}

#[test]
fn tsv_and_other_delimiters_and_quotes_are_understood() {
    let run = read("a.tsv", "a\tb\n1,5\t\"x\ty\"\n", json!({})).ok();
    assert_eq!(run.payloads(), [r#"{"a":"1,5","b":"x\ty"}"#]);
    let run = read("a.tab", "a\n\"1\n", json!({"quote": ""})).ok();
    assert_eq!(run.payloads(), [r#"{"a":"\"1"}"#]);
    let more = json!({"delimiter": ";", "quote": "'"});
    let run = read("a.csv", "a;b\n'1;''2';\"3\n", more).ok();
    assert_eq!(run.payloads(), [r#"{"a":"1;'2","b":"\"3"}"#]);
}

#[test]
fn unreadable_bytes_are_set_aside_as_the_row_not_its_encoding() {
    let run = csv(b"a,b\n1,\xff\n\"2\0\",x\n3,ok\n");
    assert_eq!(run.payloads(), [r#"{"a":"3","b":"ok"}"#]);
    assert_eq!(run.faults()[0].payload, b"1,\xff");
    assert_eq!(run.faults()[1].payload, b"\"2\0\",x");
    assert!(run.faults().iter().all(|r| r.fault.as_ref().unwrap().0 == "22021"));
}

#[test]
fn quote_that_is_never_closed_spoils_one_line_once_the_file_has_settled() {
    let content = "a,b\n1,2\n3,\"4\n5,6\n7,8\n";
    let run = read("a.csv", content, json!({})).ok();
    assert_eq!(
        run.payloads(),
        [r#"{"a":"1","b":"2"}"#, r#"{"a":"5","b":"6"}"#, r#"{"a":"7","b":"8"}"#]
    );
    let fault = run.faults()[0];
    assert_eq!(fault.payload, b"3,\"4");
    let message = &fault.fault.as_ref().unwrap().1;
    assert!(message.contains("quote opened in the row at line 3 is never closed"));
    assert_eq!(run.positions(), [2, 3, 4, 5]);
    assert!(run.object("a.csv").is_done);
}

#[test]
fn settled_last_row_without_newline_is_whole() {
    let run = csv("a,b\n1,2\n3,4");
    assert_eq!(run.payloads()[1], r#"{"a":"3","b":"4"}"#);
    assert!(run.object("a.csv").is_done);
}

#[test]
fn last_row_with_too_few_fields_waits() {
    let run = csv("a,b\n1,2\n3");
    assert_eq!(run.records.len(), 1);
    assert!(!run.object("a.csv").is_done);
    assert!(run.remarks[0].contains("(line 3)"));
}

#[test]
fn old_file_counts_as_settled_without_waiting() {
    // An hour of settling would be noticed.
    let folder = Folder::new();
    folder.write("a.csv", "a,b\n1,2");
    folder.age("a.csv", 3700);
    let run = folder.run("a.csv", json!({"settle_seconds": 3600})).ok();
    assert_eq!(run.records.len(), 1);
    assert!(run.object("a.csv").is_done);
}

#[test]
fn young_file_is_whole_if_it_does_not_grow_meanwhile() {
    let folder = Folder::new();
    folder.write("a.csv", "a,b\n1,2");
    let run = folder.run("a.csv", json!({"settle_seconds": 0.2})).ok();
    assert_eq!(run.records.len(), 1);
    assert!(run.object("a.csv").is_done);
}

#[test]
fn a_last_row_without_line_end_that_has_too_many_fields_is_set_aside() {
    let run = csv("a,b\n1,2\n3,4,5").ok();
    assert_eq!(run.payloads(), [r#"{"a":"1","b":"2"}"#]);
    assert_eq!(run.faults()[0].payload, b"3,4,5");
    assert!(run.object("a.csv").is_done);
}

#[test]
fn columns_that_the_header_has_in_another_order_and_lines_that_are_all_passed_over_are_told() {
    let columns = json!({"columns": ["id", "name"]});
    let run = read("a.csv", "name,id\nx,1\n", columns.clone()).ok();
    assert_eq!(run.payloads(), [r#"{"id":"x","name":"1"}"#]);
    assert!(
        run.remarks[0].contains("names those of the header in another order (name,id)"),
        "{:?}",
        run.remarks
    );
    for other in ["id,name\n", "nr,name\n"] {
        assert!(read("a.csv", other, columns.clone()).ok().remarks.is_empty());
    }
    let run = read("a.csv", "a,b\n1,2\n", json!({"skip_lines": 5})).ok();
    assert!(
        run.remarks[0].contains("within the 5 lines that skip_lines passes over"),
        "{:?}",
        run.remarks
    );
}
