//! Summary lines, JSON, logs, streams and exit codes.

use crate::support::sluice::Done;
use crate::support::{Sluice, TestDb};
use serde_json::Value;
use std::fs::File;
use std::io::PipeWriter;
use std::process::{Command, Stdio};

const PIPELINE: &str = "
  create schema shop;
  create table shop.items (id bigint primary key, name text not null);
  create function shop.items_v1(doc jsonb) returns table (id bigint, name text)
  language sql stable as $$ select (doc->>'id')::bigint, doc->>'name' $$;
  select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
    key => '{id}', source => sluice.file_source(path => '-', format => 'ndjson'), max_bad_ratio => 0.5);";

const RECORDS: &[u8] = b"{\"id\":1,\"name\":\"a\"}\n{\"id\":2}\n{\"id\":3,\"name\":\"c\"}\n";

async fn items_db() -> TestDb {
    let db = TestDb::new().await;
    db.execute(PIPELINE).await;
    db
}

#[tokio::test]
async fn the_summary_is_the_only_line_on_stdout_and_has_every_counter() {
    let db = items_db().await;
    let done = Sluice::on(&db).args(["run", "items"]).run_with_input(RECORDS).exits(0);
    let (start, _) = done.stdout.split_once(" seconds=").unwrap();
    assert_eq!(
        start,
        "items ok extracted=3 transformed=2 filtered=0 quarantined=1 inserted=2 updated=0 deleted=0 unchanged=0 stale=0 superseded=0 retried=0 batches=1"
    );
    assert!(done.stdout.ends_with(" version=1 run=1 waiting=0\n"), "{}", done.stdout);
    assert_eq!(done.stderr, "");
}

#[tokio::test]
async fn json_output_is_json_whatever_happens() {
    let db = items_db().await;
    let done = Sluice::on(&db).args(["run", "items", "--json"]).run_with_input(RECORDS).exits(0);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["outcome"], "ok");
    assert_eq!(report["inserted"], 2);
    assert_eq!(report["error"], Value::Null);

    let done = Sluice::on(&db).args(["run", "nothing", "--json"]).run().exits(2);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!(report["outcome"], "failed");
    assert_eq!(report["error"]["sqlstate"], "SL005");
    assert_eq!(report["error"]["next"], "defined are: items");

    for args in [
        &["status"][..],
        &["quarantine", "items"],
        &["quarantine", "items", "--by-error"],
        &["verify"],
        &["doctor"],
        &["rewind", "items", "--to-start"],
        &["migrate"],
        &["apply", "sql/examples/airlines.sql"],
    ] {
        let done = Sluice::on(&db).args(args).args(["--json"]).run().exits(0);
        let value: Value =
            serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}"));
        assert!(value.is_array() || value.is_object());
    }
}

#[tokio::test]
async fn json_logs_carry_run_and_batch() {
    let db = items_db().await;
    let done = Sluice::on(&db)
        .args(["run", "items", "--log-format", "json"])
        .run_with_input(RECORDS)
        .exits(0);
    let lines: Vec<Value> =
        done.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let committed = lines
        .iter()
        .find(|line| line["fields"]["message"] == "batch committed")
        .unwrap_or_else(|| panic!("{}", done.stderr));
    assert_eq!(committed["fields"]["inserted"], 2);
    assert_eq!(committed["spans"][0]["pipeline"], "items");
    assert_eq!(committed["spans"][0]["run"], 1);
    assert_eq!(committed["spans"][1]["seq"], 1);
}

#[tokio::test]
async fn the_threshold_exits_with_3_and_commits_nothing() {
    let db = items_db().await;
    let done = Sluice::on(&db)
        .args(["run", "items"])
        .run_with_input(b"{\"id\":\"x\"}\n{\"id\":\"y\"}\n{\"id\":1,\"name\":\"a\"}\n")
        .exits(3);
    assert_eq!(done.summary().outcome, "threshold");
    assert!(
        done.stderr.contains(
            "error: pipeline \"items\" stopped at batch 1: 66.7% of records are bad (limit 50%)"
        ),
        "{}",
        done.stderr
    );
    assert!(
        done.stderr.contains("most:  2 × 22P02 invalid input syntax for type bigint"),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("next:  nothing of this batch was committed"), "{}", done.stderr);
    assert_eq!(db.value("select count(*) from shop.items").await, "0");
    assert_eq!(db.value("select count(*) from sluice.quarantine").await, "0");
    assert_eq!(db.value("select state from sluice.status").await, "threshold");
}

#[tokio::test]
async fn several_pipelines_run_in_turn_and_the_first_failure_names_the_exit_code() {
    let db = items_db().await;
    let done = Sluice::on(&db).args(["run", "nothing", "items"]).run_with_input(RECORDS).exits(2);
    let lines: Vec<&str> = done.stdout.lines().collect();
    assert!(lines[0].starts_with("nothing failed "), "{}", done.stdout);
    assert!(lines[1].starts_with("items ok "), "{}", done.stdout);
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_does_not() {
    let db = items_db().await;
    let done = Sluice::on(&db).args(["run", "items", "--dry-run"]).run_with_input(RECORDS).exits(0);
    assert!(
        done.stdout.contains("\nwould quarantine 1 × 23502 null value in column \"name\""),
        "{}",
        done.stdout
    );
    assert_eq!(done.summary().count("inserted"), 2);
    assert_eq!(done.summary().values["dry_run"], "true");
    assert_eq!(db.value("select count(*) from shop.items").await, "0");
    assert_eq!(db.value("select count(*) from sluice.quarantine").await, "0");
}

#[tokio::test]
async fn a_replaced_transform_stops_the_run_with_the_two_ways_on() {
    let db = items_db().await;
    Sluice::on(&db).args(["run", "items"]).run_with_input(RECORDS).exits(0);
    db.execute("create or replace function shop.items_v1(doc jsonb) returns table (id bigint, name text) language sql stable as $$ select 1::bigint, 'x' $$").await;
    let done = Sluice::on(&db).args(["run", "items"]).run_with_input(RECORDS).exits(2);
    assert!(
        done.stderr
            .contains("transform shop.items_v1(jsonb) is not what version 1 was registered with"),
        "{}",
        done.stderr
    );
    assert!(done.stderr.contains("put the registered text back"), "{}", done.stderr);
    let done = Sluice::on(&db).args(["verify", "items"]).run().exits(1);
    assert!(
        done.stdout.contains("version 1: shop.items_v1(jsonb) is not what was registered"),
        "{}",
        done.stdout
    );
}

#[tokio::test]
async fn a_paused_pipeline_does_not_run() {
    let db = items_db().await;
    db.execute("select sluice.pause_pipeline('items')").await;
    let done = Sluice::on(&db).args(["run", "items"]).run_with_input(RECORDS).exits(1);
    assert!(done.stderr.contains("pipeline items is paused"), "{}", done.stderr);
    assert!(
        done.stderr
            .contains("next:  sluice resume items, or select sluice.resume_pipeline('items')"),
        "{}",
        done.stderr
    );
    // All pipelines are those that are meant to run.
    let done = Sluice::on(&db).args(["run", "--all"]).run().exits(0);
    assert!(done.stderr.contains("left out, as they are paused: items"), "{}", done.stderr);
    assert_eq!(db.value("select count(*) from sluice.runs").await, "0");
}

#[tokio::test]
async fn quarantine_shows_the_record_with_its_payload_and_place() {
    let db = items_db().await;
    Sluice::on(&db).args(["run", "items"]).run_with_input(RECORDS).exits(0);
    let done = Sluice::on(&db).args(["quarantine", "items"]).run().exits(0);
    assert!(done.stdout.contains("{\"id\":2}"), "{}", done.stdout);
    assert!(done.stdout.contains("-:2"), "{}", done.stdout);
    let done = Sluice::on(&db).args(["quarantine", "items", "--by-error"]).run().exits(0);
    assert!(done.stdout.contains("23502"), "{}", done.stdout);
}

#[tokio::test]
async fn max_bad_ratio_can_be_raised_for_once() {
    let db = items_db().await;
    let records = b"{\"id\":\"x\"}\n{\"id\":\"y\"}\n{\"id\":1,\"name\":\"a\"}\n";
    let done = Sluice::on(&db)
        .args(["run", "items", "--max-bad-ratio", "0.7"])
        .run_with_input(records)
        .exits(0);
    assert_eq!(done.summary().count("quarantined"), 2);
    Sluice::on(&db).args(["run", "items"]).run_with_input(records).exits(3);
    Sluice::on(&db).args(["run", "items", "--max-bad-ratio", "2"]).run_with_input(records).exits(2);
}

#[tokio::test]
async fn a_dry_run_looks_past_the_limit_and_then_says_that_a_real_run_stops() {
    let db = items_db().await;
    let done = Sluice::on(&db)
        .args(["run", "items", "--dry-run"])
        .run_with_input(b"{\"id\":\"x\"}\n{\"id\":2}\n{\"id\":1,\"name\":\"a\"}\n")
        .exits(3);
    assert!(done.stdout.contains("would quarantine 1 × 22P02"), "{}", done.stdout);
    assert!(done.stdout.contains("would quarantine 1 × 23502"), "{}", done.stdout);
    assert!(
        done.stderr
            .contains("2 of 3 records of pipeline items are bad (limit 50%): a real run stops"),
        "{}",
        done.stderr
    );
    assert_eq!(done.summary().outcome, "threshold");
}

#[tokio::test]
async fn standard_input_can_be_csv_for_once() {
    let db = items_db().await;
    let done = Sluice::on(&db)
        .args(["run", "items", "--format", "csv"])
        .run_with_input(b"id,name\n1,a\n2,b\n")
        .exits(0);
    assert_eq!(done.summary().count("inserted"), 2);
}

#[tokio::test]
async fn a_reader_sees_status_and_quarantine_and_an_outsider_neither() {
    let db = items_db().await;
    Sluice::on(&db).args(["run", "items"]).run_with_input(RECORDS).exits(0);
    let as_role = |role: &str| {
        Sluice::on(&db).env("DATABASE_URL", format!("{}&options=-crole%3D{role}", db.url))
    };
    for args in [&["status", "items"][..], &["quarantine", "items"]] {
        as_role("sluice_reader").args(args).run().exits(0);
    }
    for args in [&["status"][..], &["doctor"], &["run", "items"]] {
        let done = as_role("pg_monitor").args(args).run();
        let said = format!("{}{}", done.stdout, done.stderr);
        assert!(said.contains("none of the engine's roles"), "{said}");
        assert!(said.contains("grant sluice_operator to pg_monitor"), "{said}");
        assert_ne!(done.code, Some(0), "{said}");
    }
}

#[tokio::test]
async fn options_that_mean_nothing_are_refused_without_naming_those_of_the_environment() {
    let db = items_db().await;
    for (args, says) in [
        (&["quarantine", "items", "--limit", "0"][..], "'--limit <N>'"),
        (&["run", "items", "--max-batches", "0"], "'--max-batches <N>'"),
        (
            &["run", "items", "--format", "xml"],
            "[possible values: ndjson, json, csv, tsv, parquet]",
        ),
        (&["run"], "Usage: sluice run <PIPELINE>..."),
    ] {
        let command = Sluice::on(&db).env("SLUICE_ALLOW_ENV", "A").args(args);
        let said = command.run().exits(2).stderr;
        assert!(said.contains(says), "{said}");
    }
}

#[tokio::test]
async fn what_cannot_be_written_to_stdout_stops_no_pipeline_and_is_said_once() {
    let db = items_db().await;
    let others = PIPELINE.replace("create schema shop;", "").replace("items", "others");
    db.execute(&others).await;
    let done = Sluice::on(&db).args(["run", "items", "others"]).stdout(full()).run().exits(1);
    assert_eq!(
        done.stderr,
        "error: stdout cannot be written: No space left on device (os error 28)\n"
    );
    let runs = "select p.name, r.outcome from sluice.runs r join sluice.pipelines p using (pipeline_id) order by 1";
    assert_eq!(db.rows(runs).await, ["items|ok", "others|ok"]);

    let done = Sluice::on(&db).args(["run", "items", "others"]).stdout(unread()).run().exits(0);
    assert_eq!(done.stderr, "", "nobody reads any more");
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_no_run() {
    let db = items_db().await;
    for args in [&["-v"][..], &["-vv"], &["--log-format", "json"]] {
        for stderr in [Stdio::from(full()), Stdio::from(unread())] {
            let run = Sluice::on(&db).args(["run", "items"]).args(args).stderr(stderr);
            let done = run.run_with_input(RECORDS).exits(0);
            assert_eq!(done.summary().outcome, "ok");
        }
    }
    assert_eq!(db.value("select count(*) from sluice.runs where outcome = 'ok'").await, "6");
    Sluice::bare().args(["run"]).stderr(full()).run().exits(2);
}

#[test]
fn help_that_cannot_be_written_is_an_error() {
    let done = Sluice::bare().args(["run", "--help"]).stdout(full()).run().exits(1);
    assert!(done.stderr.starts_with("error: stdout cannot be written\n"), "{}", done.stderr);
    Sluice::bare().args(["run", "--help"]).stdout(unread()).run().exits(0);
}

/// There is room for one stack of two.
#[test]
fn threads_that_cannot_be_made_are_an_error() {
    let script = format!("ulimit -v 8000000; exec '{}' status", env!("CARGO_BIN_EXE_sluice"));
    let mut shell = Command::new("sh");
    let done = shell.args(["-c", &script]).env("RUST_MIN_STACK", "6000000000").output().unwrap();
    let said = Done::of(done).exits(1).stderr;
    assert!(said.starts_with("error: the threads of a run cannot be started\n"), "{said}");
}

/// A file on a full disk.
fn full() -> File {
    File::options().write(true).open("/dev/full").unwrap()
}

/// A pipe that nobody reads.
fn unread() -> PipeWriter {
    std::io::pipe().unwrap().1
}
