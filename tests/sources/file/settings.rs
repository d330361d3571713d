use pgsluice::error::Kind;
use serde_json::{Value, json};

use super::support::{Folder, WIDE, open};

fn refusal(more: Value) -> String {
    let folder = Folder::new();
    folder.write("a.csv", "a\n1\n");
    let outcome = folder.run("a.csv", more.clone());
    let text = outcome.error_text();
    assert_eq!(outcome.error.unwrap().kind(), Kind::Usage, "{more}");
    assert!(text.contains("next:"), "{text}");
    text
}

#[test]
fn unknown_keys_and_values_are_named() {
    assert!(refusal(json!({"delimeter": ","})).contains("`delimeter`"));
    assert!(refusal(json!({"format": "xml"})).contains("`xml`"));
    assert!(refusal(json!({"compression": "lzma"})).contains("`lzma`"));
    assert!(refusal(json!({"partial": "skip"})).contains("`skip`"));
    assert!(refusal(json!({"on_replace": "ignore"})).contains("`ignore`"));
}

#[test]
fn senseless_values_are_named() {
    for (key, value) in [
        ("delimiter", json!("")),
        ("delimiter", json!("||")),
        ("delimiter", json!("\n")),
        ("delimiter", json!("é")),
        ("delimiter", json!("\"")),
        ("quote", json!("''")),
        ("max_record_bytes", json!(0)),
        ("max_record_bytes", json!(1_000_000_000)),
        ("settle_seconds", json!(-1)),
        ("settle_seconds", json!(1e9)),
        ("columns", json!([])),
        ("columns", json!(["a", "a"])),
        ("columns", json!(["a", ""])),
        ("header", json!(false)),
        ("path", json!("")),
    ] {
        let text = refusal(json!({ key: value }));
        let named = key == "delimiter" && value == "\"";
        assert!(named || text.contains(&format!("`{key}`")), "{key} {value}: {text}");
    }
}

#[test]
fn null_counts_as_absent() {
    let folder = Folder::new();
    folder.write("a.csv", "a\n1\n");
    let more = json!({"delimiter": null, "format": null, "null": null, "columns": null});
    assert_eq!(folder.run("a.csv", more).ok().payloads(), ["{\"a\":\"1\"}"]);
}

#[test]
fn everything_but_the_path_is_optional() {
    let folder = Folder::new();
    folder.write("a.ndjson", "{}\n");
    let settings = json!({"kind": "file", "path": folder.name("a.ndjson")});
    assert!(open(&settings, vec![], WIDE).is_ok());
    assert!(open(&json!({"kind": "file"}), vec![], WIDE).is_err());
}
