//! Singer taps.

use std::time::{Duration, Instant};

use pgsluice::source::Snapshot;
use serde_json::json;

use super::support::{Script, cursor, rows, state, whole};

fn record(i: usize) -> String {
    format!(r#"{{"type":"RECORD","stream":"items","record":{{"id":{i}}}}}"#)
}

fn with_version(i: usize, version: u64) -> String {
    format!(r#"{{"type":"RECORD","stream":"items","version":{version},"record":{{"id":{i}}}}}"#)
}

fn said(lines: &[&str]) -> String {
    format!("cat <<'END'\n{}\nEND\n", lines.join("\n"))
}

#[test]
fn state_is_kept_with_the_records_before_it_and_given_to_the_next_run() {
    let tap = Script::of(
        "singer",
        &said(&[
            r#"{"type":"SCHEMA","stream":"items","schema":{},"key_properties":["id"]}"#,
            &record(1),
            r#" {"type": "STATE", "value": {"at": 1.50, "big": 12345678901234567890123} }"#,
            &record(2),
        ]),
    );
    let first = tap.run(json!({})).ok();
    assert_eq!(first.payloads(), [r#"{"id":1}"#, r#"{"id":2}"#]);
    assert_eq!(first.positions(), [1, 2]);
    assert_eq!(first.records[0].origin, "sh:items");
    let kept = r#"{"at": 1.50, "big": 12345678901234567890123}"#;
    assert_eq!(state(&first).unwrap(), kept, "as it was written");
    tap.say("printf %s \"$state\" > given\n");
    let second = tap.rerun(&first).ok();
    assert!(second.batches.is_empty());
    assert_eq!(tap.text("given"), kept);
}

#[test]
fn a_batch_that_ends_between_two_states_has_the_one_before_it() {
    let mut lines: Vec<String> = (1..=3).map(record).collect();
    lines.insert(2, r#"{"type":"STATE","value":2}"#.to_owned());
    lines.push(r#"{"type":"STATE","value":3}"#.to_owned());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let tap = Script::of("singer", &said(&lines));
    for (size, states) in [
        (1, vec![None, Some("2"), Some("3")]),
        (2, vec![Some("2"), Some("3")]),
        (3, vec![Some("3")]),
    ] {
        let start = pgsluice::source::Start::default();
        let mut source = pgsluice::source::Driver::open(
            &tap.settings(json!({})),
            start,
            rows(size),
            &super::support::source_context(3),
        )
        .unwrap();
        let mut found = Vec::new();
        while let Some(batch) = source.next_batch().unwrap() {
            found.push(batch.cursor["state"].as_str().map(str::to_owned));
        }
        let states: Vec<Option<String>> =
            states.into_iter().map(|s| s.map(str::to_owned)).collect();
        assert_eq!(found, states, "by {size}");
    }
}

#[test]
fn exit_status_is_the_proof_and_a_failure_has_the_last_words() {
    let tap = Script::of(
        "singer",
        &(said(&[&record(1), r#"{"type":"STATE","value":1}"#, &record(2)])
            + "echo first >&2; echo 'no such host: shop.example' >&2; exit 3\n"),
    );
    let run = tap.run(json!({}));
    assert_eq!(run.payloads().len(), 2, "what came before is committed");
    assert_eq!(state(&run).unwrap(), "1");
    assert!(!run.is_complete);
    let text = run.error_text();
    assert!(text.starts_with("the program `sh` failed with exit status 3\n  stderr: first\n  stderr: no such host: shop.example\n"), "{text}");
    tap.say("kill -9 $$\n");
    let text = tap.run(json!({})).error_text();
    assert!(text.starts_with("the program `sh` was ended by signal 9"), "{text}");
}

#[test]
fn what_is_no_message_is_quoted() {
    for (line, what) in [
        ("Traceback: oh", "not a Singer message"),
        (r#"{"id": 1}"#, "not a Singer message"),
        (r#"{"type":"RECORD","stream":"items","record":{"id":1}"#, "not a Singer message"),
        (r#"{"type":"RECORD","stream":"items"}"#, "RECORD without a record"),
        (r#"{"type":"BATCH","stream":"items","manifest":["file:///x"]}"#, "batch_config"),
    ] {
        let tap = Script::of("singer", &said(&[&record(1), line, &record(2)]));
        let run = tap.run(json!({}));
        assert_eq!(run.payloads(), [r#"{"id":1}"#]);
        let text = run.error_text();
        assert!(
            text.contains(what) && text.contains(&format!("line 2 on stdout: {line}")),
            "{text}"
        );
    }
}

#[test]
fn silence_is_ended_and_so_is_what_the_program_started() {
    let tap = Script::of(
        "singer",
        &format!("{}sleep 1000 & echo $! > child; wait\n", said(&[&record(1)])),
    );
    let run = tap.run(json!({"silence": 1}));
    assert_eq!(run.payloads().len(), 1);
    assert!(run.error_text().contains("has printed nothing for 1 seconds"), "{}", run.error_text());
    ends(&tap);
}

#[test]
fn output_that_outlasts_the_program_is_read_and_proves_nothing_when_it_has_no_end() {
    let tap = Script::of("singer", "");
    tap.say(&format!("{}(sleep 1\n{}) &\n", said(&[&record(1)]), said(&[&record(2)])));
    let run = tap.run(json!({"complete": true})).ok();
    assert_eq!(run.payloads().len(), 2);
    assert!(whole(&run));

    let first = said(&[&record(1), r#"{"type":"STATE","value":1}"#, &record(2)]);
    tap.say(&format!("{first}sleep 1000 & echo $! > child\n"));
    let run = tap.run(json!({"complete": true}));
    assert_eq!(run.payloads().len(), 2, "what came is committed");
    assert_eq!(state(&run).unwrap(), "1");
    assert!(!whole(&run));
    let text = run.error_text();
    let says = "the program `sh` ended with exit status 0, and a process that it started holds its output open";
    assert!(text.starts_with(says), "{text}");
    ends(&tap);
}

/// Waits for the end of the process that the program has left behind.
fn ends(tap: &Script) {
    let child: i32 = tap.text("child").trim().parse().unwrap();
    let since = Instant::now();
    while std::path::Path::new(&format!("/proc/{child}")).exists() && !is_zombie(child) {
        assert!(since.elapsed() < Duration::from_secs(20), "{child} is still there");
        std::thread::yield_now();
    }
}

fn is_zombie(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

#[test]
fn records_of_other_streams_are_left_out_aloud() {
    let other = r#"{"type":"RECORD","stream":"users","record":{"id":9}}"#;
    let tap =
        Script::of("singer", &said(&[other, &record(1), other, r#"{"type":"STATE","value":1}"#]));
    let run = tap.run(json!({})).ok();
    assert_eq!(run.payloads(), [r#"{"id":1}"#]);
    assert!(
        run.remarks[0].starts_with("sh:items: 2 records of the stream users were left out"),
        "{:?}",
        run.remarks
    );
    let tap = Script::of("singer", &said(&[other]));
    let text = tap.run(json!({})).error_text();
    assert!(
        text.contains("said nothing of a stream `items`") && text.contains("it spoke of users"),
        "{text}"
    );
}

#[test]
fn a_read_is_whole_if_its_version_is_new_and_activated_behind_its_records() {
    let activate = |version: u64| {
        format!(r#"{{"type":"ACTIVATE_VERSION","stream":"items","version":{version}}}"#)
    };
    let tap = Script::of("singer", "");
    let say = |lines: &[String]| {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        tap.say(&said(&lines));
    };
    say(&[activate(1), with_version(1, 1), with_version(2, 1), activate(1)]);
    let first = tap.run(json!({})).ok();
    assert_eq!(first.batches[0].snapshot, Snapshot::Begin);
    assert!(whole(&first));
    // The version that is active is added to: the rows of it that do not come again are not gone.
    say(&[activate(1), with_version(3, 1), activate(1)]);
    let second = tap.rerun(&first).ok();
    assert_eq!(second.batches[0].snapshot, Snapshot::Continue);
    assert!(!whole(&second));
    // Announced, and broken off.
    tap.say(&(said(&[&activate(2), &with_version(1, 2)]) + "exit 1\n"));
    let third = tap.run_from(cursor(&first), json!({}));
    assert_eq!(third.batches[0].snapshot, Snapshot::Begin);
    assert!(third.error.is_some());
    // Gone on with.
    say(&[with_version(4, 2), activate(2)]);
    let fourth = tap.run_from(cursor(&third), json!({})).ok();
    assert_eq!(fourth.batches[0].snapshot, Snapshot::Continue);
    assert!(whole(&fourth));
    // Ended, and not said to be whole: what comes of it later does not stand for all of it.
    say(&[with_version(1, 9)]);
    let ended = tap.rerun(&fourth).ok();
    assert!(!whole(&ended));
    say(&[with_version(2, 9), activate(9)]);
    assert!(!whole(&tap.rerun(&ended).ok()));
    // Another one begins in the middle: a batch of its own.
    say(&[with_version(1, 3), with_version(1, 4), activate(4)]);
    let fifth = tap.rerun(&fourth).ok();
    assert_eq!(fifth.batches.len(), 2);
    assert!(fifth.batches.iter().all(|batch| batch.snapshot == Snapshot::Begin));
    assert!(whole(&fifth));
    // One that is not newer may be the rest of one before it.
    say(&[with_version(1, 5), with_version(2, 6), with_version(3, 5), activate(5)]);
    let sixth = tap.rerun(&fifth).ok();
    assert_eq!(sixth.payloads().len(), 3);
    assert_eq!(sixth.batches.len(), 2, "the last record begins no read");
    let why = sixth.batches[1].spoilt_by.as_deref();
    assert_eq!(why, Some("version 5 came after version 6, which is newer"));
    for version in [5, 6] {
        say(&[with_version(4, version), activate(version)]);
        let later = tap.rerun(&sixth).ok();
        assert_eq!(later.batches[0].snapshot, Snapshot::Continue);
        assert!(!whole(&later), "{version}");
    }
    say(&[with_version(1, 7), activate(7)]);
    assert!(whole(&tap.rerun(&sixth).ok()));
    // Without versions nobody can tell, unless the pipeline says so.
    say(&[record(1)]);
    assert!(!whole(&tap.run(json!({})).ok()));
    let run = tap.run(json!({"complete": true})).ok();
    assert!(whole(&run) && run.batches[0].snapshot == Snapshot::Begin);
}

#[test]
fn catalog_is_asked_for_and_only_the_stream_is_selected_in_it() {
    let catalog = r#"{"streams": [
      {"tap_stream_id": "items", "stream": "items", "schema": {"type": "object"}, "metadata": [{"breadcrumb": [], "metadata": {"inclusion": "available"}}]},
      {"tap_stream_id": "users", "stream": "users", "schema": {"selected": true}}]}"#;
    let body = format!(
        "if [ $command = discover ]; then\ncat <<'END'\n{catalog}\nEND\nexit; fi\ncat \"$catalog\" > given\n{}",
        said(&[&record(1)])
    );
    let tap = Script::of("singer", &body);
    let run = tap.run(json!({"discover": true})).ok();
    assert_eq!(run.payloads().len(), 1);
    let given: serde_json::Value = serde_json::from_str(&tap.text("given")).unwrap();
    let selected = |stream: usize| {
        let metadata = given["streams"][stream]["metadata"].as_array().unwrap();
        let own = metadata.iter().find(|entry| entry["breadcrumb"] == json!([])).unwrap();
        (
            own["metadata"]["selected"].clone(),
            given["streams"][stream]["schema"]["selected"].clone(),
        )
    };
    assert_eq!(selected(0), (json!(true), json!(true)));
    assert_eq!(selected(1), (json!(false), json!(false)));
    assert_eq!(given["streams"][0]["metadata"][0]["metadata"]["inclusion"], "available");
    let text = tap.run(json!({"discover": true, "stream": "orders"})).error_text();
    assert!(
        text.contains("has no stream `orders`") && text.contains("it has items, users"),
        "{text}"
    );
    tap.write("catalog.json", catalog);
    tap.say(&(said(&[&record(1)]) + "cat \"$catalog\" > given\n"));
    tap.run(json!({"catalog": tap.path("catalog.json")})).ok();
    assert!(tap.text("given").contains("\"selected\":false"));
    tap.say("echo 'usage: tap' >&2; exit 2\n");
    let text = tap.run(json!({"discover": true})).error_text();
    assert!(
        text.contains("--discover")
            && text.contains("discover => false")
            && text.contains("usage: tap"),
        "{text}"
    );
}

#[test]
fn a_tap_that_prints_something_else_than_its_catalog_is_ended() {
    let discover = json!({"discover": true});
    let tap = Script::of("singer", &(said(&[&record(1)]) + "sleep 1000\n"));
    let text = tap.run(discover.clone()).error_text();
    assert!(text.starts_with("the program `sh` printed a RECORD instead of an answer\n"), "{text}");
    assert!(text.contains("\n  it was asked for its catalog (--discover)\n"), "{text}");
    assert!(text.contains("knows no --discover: discover => false"), "{text}");
    // Without an end, as far as anybody can tell.
    tap.say("yes \"$(printf %4096s)\" | head -c 270000000\n");
    let text = tap.run(discover).error_text();
    assert!(
        text.starts_with("the program `sh` printed more than 256 MiB, and was ended"),
        "{text}"
    );
}

#[test]
fn a_record_that_is_too_long_costs_itself() {
    let long = format!(
        r#"{{"type": "RECORD", "stream": "items", "record": {{"id": 2, "pad": "{}"}}}}"#,
        "x".repeat(200_000)
    );
    let other = long.replace("items", "users");
    let tap = Script::of("singer", &said(&[&record(1), &long, &other, &record(3)]));
    let run = tap.run(json!({"max_record_bytes": 1000})).ok();
    assert_eq!(run.payloads(), [r#"{"id":1}"#, r#"{"id":3}"#]);
    assert!(run.remarks[0].contains("1 records of the stream users"), "{:?}", run.remarks);
    assert_eq!(run.faults()[0].fault.as_ref().unwrap().0, "54000");
    assert_eq!(run.positions(), [1, 2, 3]);
}

#[test]
fn what_the_program_was_given_is_not_quoted_not_even_in_part() {
    let tap = Script::of("singer", "");
    let say = |text: &str| {
        tap.say(text);
        tap.run(json!({"env": ["CARGO_PKG_NAME"]}))
    };
    let secret = env!("CARGO_PKG_NAME");
    for line in ["echo \"token $CARGO_PKG_NAME\"", "printf '%196s%s\\n' . $CARGO_PKG_NAME"] {
        let text = say(line).error_text();
        assert!(text.contains("[red") && !text.contains(&secret[..3]), "{text}");
    }
    let run = say(r#"printf '{"type": "%s"}\n' $CARGO_PKG_NAME"#).ok();
    assert!(run.remarks[0].starts_with("a message of type [redacted] means"), "{:?}", run.remarks);
    // Across the pieces in which a long line is read.
    let text = say("printf '%1995s%s, sure\\n' . $CARGO_PKG_NAME >&2; exit 3").error_text();
    assert!(text.contains("\n  stderr: [redacted], sure\n"), "{text}");
}

#[test]
fn of_the_environment_the_program_gets_what_is_given() {
    let tap = Script::of("singer", "env > environment\n");
    tap.run(json!({"env": ["CARGO_PKG_NAME"]})).ok();
    let names: Vec<String> = tap
        .text("environment")
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
        .collect();
    assert!(
        names.contains(&"CARGO_PKG_NAME".to_owned()) && names.contains(&"PATH".to_owned()),
        "{names:?}"
    );
    assert!(!names.iter().any(|name| name.starts_with("CARGO_PKG_VERSION")), "{names:?}");
}
