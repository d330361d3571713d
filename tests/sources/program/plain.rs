//! Programs that print records and nothing else.

use pgsluice::source::Snapshot;
use serde_json::json;

use super::support::{Script, whole};

#[test]
fn output_is_read_in_every_format() {
    for (protocol, print, expected) in [
        (
            "ndjson",
            r#"echo '{"id":1}'; echo '{"id":2}'"#,
            [r#"{"id":1}"#, r#"{"id":2}"#],
        ),
        (
            "json",
            r#"echo '[{"id":1},'; echo '{"id":2}]'"#,
            [r#"{"id":1}"#, r#"{"id":2}"#],
        ),
        (
            "csv",
            "echo id; echo 1; printf 2",
            [r#"{"id":"1"}"#, r#"{"id":"2"}"#],
        ),
        (
            "tsv",
            "printf 'id\\n1\\n2\\n'",
            [r#"{"id":"1"}"#, r#"{"id":"2"}"#],
        ),
    ] {
        let run = Script::of(protocol, print).run(json!({})).ok();
        assert_eq!(run.payloads(), expected, "{protocol}");
        assert_eq!(run.records[0].origin, "sh");
        assert!(run.is_complete);
        assert_eq!(run.batches[0].snapshot, Snapshot::Begin);
    }
    let more = json!({"records": "/data"});
    let run = Script::of("json", r#"echo '{"data": [1, 2]}'"#)
        .run(more)
        .ok();
    assert_eq!(run.payloads(), ["1", "2"]);
    let more = json!({"require": ["id"]});
    let told = Script::of("csv", "echo no; echo 1").run(more).error_text();
    assert!(
        told.contains("program `sh`: the header in line 1 lacks `id`"),
        "{told}"
    );
    let more = json!({"encoding": "latin1", "delimiter": ";"});
    let run = Script::of("csv", r"printf 'a;b\n\344;1\n'").run(more).ok();
    assert_eq!(run.payloads(), ["{\"a\":\"\u{e4}\",\"b\":\"1\"}"]);
}

#[test]
fn a_program_that_fails_has_no_last_line() {
    for (protocol, print) in [
        ("csv", "printf 'id\\n\\n\\n\\n1\\n12'"),
        ("ndjson", r#"printf '{"id":"1"}\n{"id":"12"}'"#),
        ("ndjson", r#"printf '{"id":"1"}\n{"id":'"#),
    ] {
        let run = Script::of(protocol, &format!("{print}; echo oh >&2; exit 7")).run(json!({}));
        assert_eq!(
            run.payloads(),
            [r#"{"id":"1"}"#],
            "{protocol}: what is cut may be anything"
        );
        assert!(run.faults().is_empty());
        let text = run.error_text();
        assert!(
            text.contains("failed with exit status 7\n  stderr: oh"),
            "{text}"
        );
        assert!(!run.is_complete);
    }
}

#[test]
fn a_program_that_prints_nothing_has_nothing() {
    for protocol in ["ndjson", "json", "csv"] {
        let run = Script::of(protocol, "exit 0").run(json!({})).ok();
        assert!(run.batches.is_empty() && run.is_complete);
        let run = Script::of(protocol, "exit 1").run(json!({}));
        assert!(run.error_text().contains("exit status 1"));
    }
    let run = Script::of("ndjson", "echo '{}'")
        .run(json!({"complete": false}))
        .ok();
    assert!(!whole(&run));
}

#[test]
fn what_is_no_program_is_named() {
    let text = Script::of("ndjson", "")
        .run(json!({"program": "no-such-tap"}))
        .error_text();
    assert!(
        text.contains("there is no program \"no-such-tap\""),
        "{text}"
    );
    let text = Script::of("ndjson", "")
        .run(json!({"arguments": ["/no/such/script"]}))
        .error_text();
    assert!(
        text.contains("exit status") && text.contains("stderr: "),
        "{text}"
    );
}
