//! Programs that print records and nothing else.

use pgsluice::source::Snapshot;
use serde_json::json;

use super::support::{Script, cursor, whole};

#[test]
fn output_is_read_in_every_format() {
    for (protocol, print, expected) in [
        ("ndjson", r#"echo '{"id":1}'; echo '{"id":2}'"#, [r#"{"id":1}"#, r#"{"id":2}"#]),
        ("json", r#"echo '[{"id":1},'; echo '{"id":2}]'"#, [r#"{"id":1}"#, r#"{"id":2}"#]),
        ("csv", "echo id; echo 1; printf 2", [r#"{"id":"1"}"#, r#"{"id":"2"}"#]),
        ("tsv", "printf 'id\\n1\\n2\\n'", [r#"{"id":"1"}"#, r#"{"id":"2"}"#]),
    ] {
        let run = Script::of(protocol, print).run(json!({})).ok();
        assert_eq!(run.payloads(), expected, "{protocol}");
        assert_eq!(run.records[0].origin, "sh");
        assert!(run.is_complete);
        assert_eq!(run.batches[0].snapshot, Snapshot::Begin);
    }
    let more = json!({"records": "/data"});
    let run = Script::of("json", r#"echo '{"data": [1, 2]}'"#).run(more).ok();
    assert_eq!(run.payloads(), ["1", "2"]);
    let more = json!({"require": ["id"]});
    let told = Script::of("csv", "echo no; echo 1").run(more).error_text();
    assert!(told.contains("program `sh`: the header in line 1 lacks `id`"), "{told}");
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
        assert_eq!(run.payloads(), [r#"{"id":"1"}"#], "{protocol}: what is cut may be anything");
        assert!(run.faults().is_empty());
        let text = run.error_text();
        assert!(text.contains("failed with exit status 7\n  stderr: oh"), "{text}");
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
    let run = Script::of("ndjson", "echo '{}'").run(json!({"complete": false})).ok();
    assert!(!whole(&run));
}

#[test]
fn what_is_no_program_is_named() {
    let text = Script::of("ndjson", "").run(json!({"program": "no-such-tap"})).error_text();
    assert!(text.contains("there is no program \"no-such-tap\""), "{text}");
    let text = Script::of("ndjson", "").run(json!({"arguments": ["/no/such/script"]})).error_text();
    assert!(text.contains("exit status") && text.contains("stderr: "), "{text}");
}

/// Each run prints what is not older than its argument, and is killed or fails where it is told to.
const SINCE: &str = r#"
for at in 2026-01-01 2026-01-02 2026-01-03; do
  [ "$at" = "$FAILS_AT" ] && exit 3
  expr "$at" ">=" "$command" >/dev/null && echo "{\"id\":\"$at\",\"at\":{\"time\":\"$at\"}}"
done
exit 0
"#;

fn since() -> (Script, serde_json::Value) {
    let script = Script::of("ndjson", SINCE);
    let tap = script.path("tap.sh").display().to_string();
    let more = json!({"cursor": "/at/time", "start": "1970-01-01", "arguments": [tap, "{cursor}", "a{cursor}b"]});
    (script, more)
}

#[test]
fn the_cursor_of_the_last_record_is_given_to_the_run_behind_one_that_came_to_its_end() {
    let (script, more) = since();
    let first = script.run(more.clone()).ok();
    assert_eq!(first.payloads().len(), 3);
    assert!(!whole(&first), "what is new is not all that there is");
    let second = script.run_from(cursor(&first), more.clone()).ok();
    assert_eq!(second.payloads(), [r#"{"id":"2026-01-03","at":{"time":"2026-01-03"}}"#]);
    assert_eq!(script.asked(), ["1970-01-01 a1970-01-01b", "2026-01-03 a2026-01-03b"]);

    // One that fails moves nothing, whatever of it was committed.
    script.say(&SINCE.replace("$FAILS_AT", "2026-01-03"));
    let failed = script.run(more.clone());
    assert_eq!(failed.payloads().len(), 2);
    assert_eq!(cursor(&failed).unwrap()["records"], 2);
    script.run_from(cursor(&failed), more.clone());
    assert_eq!(script.asked().last().unwrap(), "1970-01-01 a1970-01-01b");

    // Nothing new, or a cursor that stands elsewhere now.
    script.say("exit 0");
    assert!(script.run_from(cursor(&second), more.clone()).ok().batches.is_empty());
    let mut elsewhere = more;
    elsewhere["cursor"] = json!("/id");
    script.run_from(cursor(&second), elsewhere).ok();
    assert_eq!(script.asked().last().unwrap(), "1970-01-01 a1970-01-01b");
}

#[test]
fn a_last_record_without_a_cursor_leaves_it_where_it_was_aloud() {
    let (script, more) = since();
    let first = script.run(more.clone()).ok();
    for last in [
        r#"{"id":1}"#,
        r#"{"at":{"time":null}}"#,
        r#"{"at":{"time":""}}"#,
        r#"{"at":{"time":[1]}}"#,
        r#"{"at":{"time":"a\\u0000"}}"#,
    ] {
        script.say(&format!("echo '{{\"at\":{{\"time\":\"2027\"}}}}'; echo '{last}'"));
        let next = script.run_from(cursor(&first), more.clone()).ok();
        assert_eq!(cursor(&next).unwrap()["cursor"], "2026-01-03", "{last}");
        let told = next.remarks.join("\n");
        assert!(told.contains("no text or number at /at/time"), "{last}: {told}");
    }
    // A number is given as it stands there.
    script.say(r#"echo '{"at":{"time":12345678901234567890.10}}'"#);
    let next = script.run_from(cursor(&first), more).ok();
    assert_eq!(cursor(&next).unwrap()["cursor"], "12345678901234567890.10");
}
