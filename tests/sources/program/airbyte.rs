//! Airbyte connectors.

use pgsluice::source::Snapshot;
use serde_json::{Value, json};

use super::support::{Outcome, Script, state, whole};

const CATALOG: &str = r#"{"type":"CATALOG","catalog":{"streams":[
 {"name":"items","json_schema":{},"supported_sync_modes":["full_refresh","incremental"],"source_defined_cursor":true,"default_cursor_field":["id"],"source_defined_primary_key":[["id"]]},
 {"name":"users","namespace":"crm","json_schema":{},"supported_sync_modes":["full_refresh"]}]}}"#;

/// A connector that reads so.
fn connector(read: &str) -> Script {
    let script = Script::of("airbyte", "");
    say(&script, read);
    script
}

fn say(script: &Script, read: &str) {
    let catalog = CATALOG.replace('\n', " ");
    script.say(&format!(
        "if [ $command = discover ]; then\ncat <<'END'\n{catalog}\nEND\nexit; fi\ncp \"$catalog\" given.json\nprintf %s \"$state\" > given.state\n{read}"
    ));
}

fn said(lines: &[&str]) -> String {
    format!("cat <<'END'\n{}\nEND\n", lines.join("\n"))
}

const ONE: &str =
    r#"{"type":"RECORD","record":{"stream":"items","data":{"id": 1.0},"emitted_at":1}}"#;
const TWO: &str = r#"{"type":"RECORD","record":{"stream":"items","emitted_at":1,"data":{"id":2}}}"#;
const STATE: &str = r#"{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"items"},"stream_state":{"id":2}},"sourceStats":{"recordCount":2.0}}}"#;

fn status(status: &str) -> String {
    format!(
        r#"{{"type":"TRACE","trace":{{"type":"STREAM_STATUS","emitted_at":1,"stream_status":{{"stream_descriptor":{{"name":"items"}},"status":"{status}"}}}}}}"#
    )
}

fn ids(run: &Outcome) -> Vec<String> {
    run.payloads()
}

#[test]
fn records_and_state_are_those_of_the_stream_in_the_configured_catalog() {
    let source = connector(&said(&["a word for the log", ONE, TWO, STATE]));
    let first = source.run(json!({})).ok();
    assert_eq!(ids(&first), [r#"{"id": 1.0}"#, r#"{"id":2}"#]);
    let given: Value = serde_json::from_str(&source.text("given.json")).unwrap();
    let stream = &given["streams"][0];
    assert_eq!(given["streams"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&stream["stream"]["name"], &stream["sync_mode"]),
        (&json!("items"), &json!("incremental"))
    );
    assert_eq!(stream["primary_key"], json!([["id"]]));
    assert!(!whole(&first), "what is new is not all");
    let second = source.rerun(&first).ok();
    let again: Value = serde_json::from_str(&source.text("given.state")).unwrap();
    assert_eq!(again[0]["stream"]["stream_state"], json!({"id": 2}));
    assert_eq!(second.positions(), [3, 4]);
    let asked = source.asked();
    assert!(
        asked[0].starts_with("discover") && asked[1].starts_with("read --catalog"),
        "{asked:?}"
    );
}

#[test]
fn line_that_holds_a_message_and_is_not_exactly_one_fails_the_run() {
    let cut = &ONE[..60];
    for line in [
        format!("progress 50%{ONE}"),
        format!("{ONE}{TWO}"),
        format!("{ONE} trailing"),
        format!("\u{feff}{ONE}"),
        format!("[{ONE}]"),
        format!("{cut}{TWO}"),
        cut.to_owned(),
        r#"{"type":"REC"#.to_owned(),
    ] {
        let run = connector(&said(&[&line])).run(json!({}));
        let error = run.error_text();
        assert!(error.contains("line 1"), "{line}: {error}");
        assert!(error.contains("not exactly one"), "{line}: {error}");
    }
    let run = connector(&said(&[r#"{"type":"RECORD","record":{"data":{"id":1}}}"#])).run(json!({}));
    assert!(run.error_text().contains("RECORD without a stream"), "{}", run.error_text());
}

#[test]
fn line_for_the_log_and_message_of_an_unknown_type_are_passed_over() {
    let lower = ONE.replace("RECORD", "record");
    let logged = r#"{"level":"info","event":"STATE"}"#;
    let run = connector(&said(&[
        "Traceback {",
        logged,
        &lower,
        r#"{"type":"NEWS"}"#,
        STATE.replace("2.0", "1").as_str(),
    ]))
    .run(json!({}))
    .ok();
    assert_eq!(ids(&run), [r#"{"id": 1.0}"#]);
    assert_eq!(run.remarks, ["a message of type NEWS means nothing here, and was passed over"]);
}

#[test]
fn every_kind_of_state_is_given_back_as_it_is_read() {
    for (message, given) in [
        (
            r#"{"type":"STATE","state":{"type":"GLOBAL","global":{"shared_state":{"lsn":9},"stream_states":[]}}}"#,
            r#"[{"type":"GLOBAL","global":{"shared_state":{"lsn":9},"stream_states":[]}}]"#,
        ),
        (
            r#"{"type":"STATE","state":{"type":"LEGACY","data":{"items": {"id": 2}}}}"#,
            r#"{"items": {"id": 2}}"#,
        ),
        (r#"{"type":"STATE","state":{"data":{"id": 7}}}"#, r#"{"id": 7}"#),
    ] {
        let source = connector(&said(&[ONE, message]));
        let first = source.run(json!({})).ok();
        assert_eq!(state(&first).unwrap(), given);
        source.rerun(&first).ok();
        assert_eq!(source.text("given.state"), given);
    }
}

#[test]
fn a_state_that_counts_other_records_than_came_is_not_kept() {
    let source = connector(&said(&[ONE, STATE]));
    let run = source.run(json!({}));
    assert!(
        run.error_text()
            .contains("says that it printed 2 records since its last state, and 1 came"),
        "{}",
        run.error_text()
    );
    assert_eq!(state(&run), None);
}

#[test]
fn what_the_connector_says_of_itself_counts_whatever_its_exit_status() {
    let error = r#"{"type":"TRACE","trace":{"type":"ERROR","emitted_at":1,"error":{"message":"token expired","internal_message":"401"}}}"#;
    for (lines, what) in [
        (vec![ONE, error], "says that it failed: token expired".to_owned()),
        (vec![&status("STARTED"), ONE], "ended while the stream `items` was STARTED".to_owned()),
        (vec![ONE, &status("INCOMPLETE")], "was INCOMPLETE, and not COMPLETE".to_owned()),
    ] {
        let source = connector(&said(&lines));
        let run = source.run(json!({}));
        assert_eq!(run.payloads().len(), 1);
        assert!(run.error_text().contains(&what), "{}", run.error_text());
    }
    let lines = [&status("STARTED"), ONE, &status("COMPLETE")];
    connector(&said(&lines.map(|line| line as &str))).run(json!({})).ok();
}

#[test]
fn a_full_refresh_is_everything_and_begins_anew_when_it_is_whole() {
    let resume = r#"{"type":"STATE","state":{"type":"STREAM","stream":{"stream_descriptor":{"name":"items"},"stream_state":{"page":1}}}}"#;
    let source = connector(&(said(&[ONE, resume, TWO]) + "exit 1\n"));
    let full = json!({"sync_mode": "full_refresh"});
    let first = source.run(full.clone());
    assert_eq!(first.batches[0].snapshot, Snapshot::Begin);
    assert!(first.error.is_some() && !whole(&first));
    say(&source, &said(&[TWO, resume]));
    let second = source.run_from(super::support::cursor(&first), full.clone()).ok();
    assert!(source.text("given.state").contains("\"page\":1"), "gone on with");
    assert_eq!(second.batches[0].snapshot, Snapshot::Continue);
    assert!(whole(&second));
    let third = source.run_from(super::support::cursor(&second), full).ok();
    assert_eq!(source.text("given.state"), "", "begun anew");
    assert_eq!(third.batches[0].snapshot, Snapshot::Begin);
    assert_eq!(third.positions(), [1]);
}

#[test]
fn a_changed_configuration_is_written_before_anything_else_is_read() {
    let control = r#"{"type":"CONTROL","control":{"type":"CONNECTOR_CONFIG","emitted_at":1,"connectorConfig":{"config":{"token":"t0k3n"}}}}"#;
    let source = connector(&(said(&[control]) + "exit 1\n"));
    let text = source.run(json!({})).error_text();
    assert!(
        text.contains("there is no `config` to write that to") && !text.contains("t0k3n"),
        "{text}"
    );
    source.write("config.json", r#"{"token": "old"}"#);
    let run = source.run(json!({"config": source.path("config.json")}));
    assert_eq!(source.text("config.json"), r#"{"token":"t0k3n"}"#);
    assert!(run.remarks[0].contains("was written anew"), "{:?}", run.remarks);
    assert!(!format!("{:?} {}", run.remarks, run.error_text()).contains("t0k3n"));
    // Whoever logs in for the catalog uses a token up, too.
    source.write("config.json", r#"{"token": "old"}"#);
    source.say(&format!(
        "if [ $command = discover ]; then\n{}{}exit; fi\n",
        said(&[control]),
        said(&[&CATALOG.replace('\n', " ")]),
    ));
    let run = source.run(json!({"config": source.path("config.json")})).ok();
    assert_eq!(source.text("config.json"), r#"{"token":"t0k3n"}"#);
    assert!(run.remarks[0].contains("was written anew"), "{:?}", run.remarks);
    // What is no configuration does not take its place.
    let nothing = control.replace(r#"{"token":"t0k3n"}"#, "null");
    say(&source, &said(&[&nothing]));
    let run = source.run(json!({"config": source.path("config.json")}));
    assert!(run.error_text().contains("to what is no object"), "{}", run.error_text());
    assert_eq!(source.text("config.json"), r#"{"token":"t0k3n"}"#);
}

#[test]
fn streams_are_named_with_or_without_their_namespace() {
    let record =
        r#"{"type":"RECORD","record":{"stream":"users","namespace":"crm","data":{"id":1}}}"#;
    let bare = r#"{"type":"RECORD","record":{"stream":"users","data":{"id":2}}}"#;
    let long = format!(
        r#"{{"type":"RECORD","record":{{"namespace":"crm","stream":"users","data":{{"pad":"{}"}}}}}}"#,
        "x".repeat(100_000)
    );
    let source = connector(&said(&[record, bare, &long]));
    for name in ["users", "crm.users"] {
        let run = source.run(json!({"stream": name, "max_record_bytes": 1000})).ok();
        assert_eq!(run.payloads().len(), 2, "{name}");
        assert_eq!(run.faults()[0].fault.as_ref().unwrap().0, "54000");
    }
    // Where another stream has the name, the namespace counts.
    let users =
        json!({"name": "users", "json_schema": {}, "supported_sync_modes": ["full_refresh"]});
    let mut of_crm = users.clone();
    of_crm["namespace"] = json!("crm");
    source.write("catalog.json", &json!({"streams": [users, of_crm]}).to_string());
    let catalog = source.path("catalog.json");
    let run = source.run(json!({"stream": "crm.users", "catalog": catalog})).ok();
    assert_eq!(run.positions(), [1, 2], "not the second, which is of the other stream");
    let read = |long: &str| {
        say(&source, &said(&[record, long]));
        let catalog = source.path("catalog.json");
        source.run(json!({"stream": "crm.users", "catalog": catalog, "max_record_bytes": 1000}))
    };
    let run = read(&long.replace("crm", "sales")).ok();
    assert_eq!(run.payloads().len(), 1);
    assert!(run.remarks[0].contains("1 records of the stream sales.users"), "{:?}", run.remarks);
    let text = read(&long.replace(r#""namespace":"crm","#, "")).error_text();
    assert!(text.contains("cannot be told to be a record of `crm.users`"), "{text}");
    let text = connector("").run(json!({"stream": "orders"})).error_text();
    assert!(text.contains("has no stream `orders`") && text.contains("items, crm.users"), "{text}");
    let text =
        connector("").run(json!({"stream": "users", "sync_mode": "incremental"})).error_text();
    assert!(text.contains("cannot be read incrementally"), "{text}");
}

#[test]
fn what_the_configuration_lacks_by_the_specification_is_named_and_nothing_of_it_shown() {
    let connector = Script::of(
        "airbyte",
        r#"case "$command" in
spec) echo '{"type":"SPEC","spec":{"connectionSpecification":{"required":["region","api_key","since"]}}}';;
*) echo "KeyError" >&2; exit 1;;
esac
"#,
    );
    connector.write("config.json", r#"{"region": "very secret", "since": null}"#);
    let config = connector.path("config.json").display().to_string();
    let told = connector.run(json!({ "config": config })).error_text();
    assert!(
        told.contains("lacks `api_key`, `since`, which the connector requires (spec)")
            && told.contains("stderr: KeyError")
            && !told.contains("very secret"),
        "{told}"
    );
    let told = connector.run(json!({})).error_text();
    assert!(told.contains("there is no config, and it has to have `region`"), "{told}");
}

#[test]
fn a_connector_that_reads_when_it_is_asked_for_its_catalog_is_ended() {
    let connector = Script::of("airbyte", &(said(&[ONE]) + "sleep 1000\n"));
    let text = connector.run(json!({})).error_text();
    assert!(text.starts_with("the program `sh` printed a RECORD instead of an answer\n"), "{text}");
    assert!(text.contains("it was asked for its catalog (discover)"), "{text}");
}
