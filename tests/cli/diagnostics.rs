//! What is said on stderr, and on stdout where JSON is asked for: by whatever goes wrong.

use crate::support::{Sluice, TestDb};
use serde_json::Value;

const ITEMS: &str = "
  create schema shop;
  create table shop.items (id bigint primary key, name text not null);
  create function shop.items_v1(doc jsonb) returns table (id bigint, name text)
  language sql stable as $$ select (doc->>'id')::bigint, doc->>'name' $$;
  select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
    key => '{id}', source => sluice.file_source(path => '-', format => 'ndjson'));";

async fn shop() -> TestDb {
    let db = TestDb::new().await;
    db.execute(ITEMS).await;
    db
}

/// Every line as JSON.
#[track_caller]
fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

#[tokio::test]
async fn every_line_on_stderr_is_json_whatever_goes_wrong() {
    let db = shop().await;
    let nowhere = "postgres://nobody@127.0.0.1:1/nothing?connect_timeout=2";
    for (args, code, message) in [
        (&["run", "items"][..], 3, "stopped at batch 1"),
        (&["run", "nothing"], 2, "is not defined"),
        (&["run"], 2, "required arguments were not provided"),
        (&["run", "items", "--workers", "many"], 2, "many"),
        (&["nonsense"], 2, "nonsense"),
        (&["set", "items", "max_bad_ratio=2"], 2, "is not between 0 and 1"),
        (&["apply", "no-such-file.sql"], 2, "no-such-file.sql"),
        (&["amend", "7", "--reason", "x", "--payload", "no-such-file"], 2, "cannot be read"),
        (&["drop", "items"], 2, "cannot be undone"),
        (&["status", "--database-url", nowhere], 1, "could not connect"),
        (&["run", "items", "--database-url", nowhere, "--retries", "0"], 75, "could not connect"),
        (&["run", "items", "--database-url", "postgres://a:b@c@d/e"], 2, "\"@\" too many"),
    ] {
        let done = Sluice::on(&db)
            .args(["--log-format", "json"])
            .args(args)
            .run_with_input(b"{\"id\": \"x\"}\n")
            .exits(code);
        let lines = lines(&done.stderr);
        let error = lines
            .iter()
            .find(|line| line["level"] == "ERROR")
            .unwrap_or_else(|| panic!("{args:?}: {}", done.stderr));
        for name in ["timestamp", "target"] {
            assert!(error[name].is_string(), "{args:?}: {error}");
        }
        let text = error["fields"]["text"].as_str().unwrap();
        assert!(text.contains(message), "{args:?}: {text}");
        assert_eq!(error["fields"]["exit_code"], code, "{args:?}: {error}");
    }
}

#[tokio::test]
async fn notes_and_notices_are_lines_like_any_other() {
    let db = shop().await;
    let file = tempfile::NamedTempFile::with_suffix(".sql").unwrap();
    std::fs::write(file.path(), "do $$ begin raise notice 'hello'; end $$").unwrap();
    let done =
        Sluice::on(&db).args(["apply", "--log-format", "json"]).args([file.path()]).run().exits(0);
    assert_eq!(lines(&done.stderr)[0]["fields"]["message"], "hello");
    let done = Sluice::on(&db)
        .args(["run", "items", "--log-format=json"])
        .run_with_input(b"{\"id\": 1, \"name\": \"a\"")
        .exits(3);
    lines(&done.stderr);
}

#[tokio::test]
async fn with_json_an_error_is_json_on_stdout_as_well() {
    let db = shop().await;
    for args in [
        &["set", "items", "max_bad_ratio=2"][..],
        &["status", "nothing"],
        &["why", "items", "{\"x\": 1}"],
        &["run", "items", "--workers", "many"],
        &["apply", "no-such-file.sql"],
    ] {
        let done = Sluice::on(&db).args(args).args(["--json"]).run().exits(2);
        let report: Value = serde_json::from_str(&done.stdout)
            .unwrap_or_else(|error| panic!("{args:?}: {error}: {}", done.stdout));
        let error = &report["error"];
        assert_eq!(error["exit_code"], 2, "{args:?}: {report}");
        assert!(!error["message"].as_str().unwrap().is_empty(), "{report}");
    }
}

#[tokio::test]
async fn a_record_of_a_run_says_when_it_began() {
    let db = shop().await;
    let done = Sluice::on(&db)
        .args(["run", "items", "--json"])
        .run_with_input(b"{\"id\": 1, \"name\": \"a\"}\n")
        .exits(0);
    let report: Value = serde_json::from_str(&done.stdout).unwrap();
    let began = report["started_at"].as_str().unwrap();
    assert_eq!(
        db.value(&format!(
            "select abs(extract(epoch from started_at - '{began}')) < 60 from sluice.runs"
        ))
        .await,
        "t"
    );
}

#[tokio::test]
async fn a_table_that_exists_already_is_no_news_at_a_deploy() {
    let db = TestDb::new().await;
    let file = tempfile::NamedTempFile::with_suffix(".sql").unwrap();
    std::fs::write(
        file.path(),
        "create schema if not exists shop; create table if not exists shop.items (id bigint primary key, name text);
         alter table shop.items add column if not exists name text; create index if not exists by_name on shop.items (name);",
    )
    .unwrap();
    for _ in 0..2 {
        let done = Sluice::on(&db).args(["apply"]).args([file.path()]).run().exits(0);
        assert_eq!(done.stderr, "");
    }
}

#[tokio::test]
async fn a_call_with_a_wrong_argument_is_told_which_there_are() {
    let db = shop().await;
    let file = tempfile::NamedTempFile::with_suffix(".sql").unwrap();
    for (call, message, next) in [
        (
            "sluice.define_pipeline(\n  nme => 'x', version => 1)",
            "sluice.define_pipeline has no argument nme",
            "its arguments are name, version, transform",
        ),
        (
            "sluice.file_source(path => 'drop', delimeter => ';')",
            "sluice.file_source has no argument delimeter",
            "delimiter",
        ),
        (
            "sluice.define_pipeline(name => 'x', version => 1, transform => 'x', target => 'x', key => 'id', source => '{}')",
            "malformed array literal: \"id\"",
            "a list stands in braces: '{one,two}'",
        ),
    ] {
        std::fs::write(file.path(), format!("select 1;\n\nselect {call};\n")).unwrap();
        let done = Sluice::on(&db).args(["apply"]).args([file.path()]).run().exits(2);
        assert!(done.stderr.contains(message) && done.stderr.contains(next), "{}", done.stderr);
        assert!(done.stderr.contains(".sql:3: "), "{}", done.stderr);
        assert!(done.stderr.contains("nothing of this file was applied"), "{}", done.stderr);
    }
}

#[tokio::test]
async fn the_threshold_names_the_first_bad_record_and_how_to_go_on_from_this_call() {
    let db = shop().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a b.csv"), "id;name\n1;a\n2;b\n").unwrap();
    let done = Sluice::on(&db)
        .args(["run", "items", "--path", "a b.csv", "--format", "csv"])
        .current_dir(folder.path())
        .run();
    // The header alone is one field with a semicolon in it.
    assert!(done.stderr.contains("delimiter => ';'"), "{}", done.stderr);

    std::fs::write(folder.path().join("a b.csv"), "id,name\n1,a\n2x,b\n3x,c\n").unwrap();
    let done = Sluice::on(&db)
        .args(["run", "items", "--path", "a b.csv", "--format", "csv"])
        .current_dir(folder.path())
        .run()
        .exits(3);
    for part in [
        "most:  2 × 22P02 invalid input syntax for type bigint: \"2x\" (shop.items_v1, column id)",
        "first: a b.csv:3  {\"id\":\"2x\",\"name\":\"b\"}",
        "\"sluice run items --path 'a b.csv' --format csv --dry-run\" shows all that is bad",
    ] {
        assert!(done.stderr.contains(part), "{part}\n{}", done.stderr);
    }
    // With all without which it would be refused, or read something else.
    let done = Sluice::bare()
        .args(["run", "items", "--path", "a b.csv", "--format", "csv", "--max-delete-ratio", "1"])
        .args(["--allow-files", "/srv it", "--allow-hosts", "*", "--database-url", &db.url])
        .current_dir(folder.path())
        .run()
        .exits(3);
    let typed = format!(
        "\"sluice run items --database-url '{}' --allow-files '/srv it' --path 'a b.csv' --format csv --max-delete-ratio 1 --dry-run\"",
        db.url
    );
    assert!(done.stderr.contains(&typed), "{typed}\n{}", done.stderr);
    let secret = format!("{}&password=secret", db.url);
    let done = Sluice::bare()
        .args(["run", "items", "--path", "a b.csv", "--format", "csv", "--database-url", &secret])
        .current_dir(folder.path())
        .run()
        .exits(3);
    assert!(
        done.stderr.contains("\"sluice run items --database-url ... --path")
            && !done.stderr.contains("secret"),
        "{}",
        done.stderr
    );
    let done = Sluice::on(&db)
        .args(["run", "items", "--path", "-"])
        .run_with_input(b"{\"id\": \"x\"}\n")
        .exits(3);
    assert!(
        done.stderr.contains("\"... | sluice run items --path - --dry-run\""),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn a_dry_run_lists_what_it_found_before_a_file_that_cannot_be_read() {
    let db = shop().await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("1.ndjson"), "{\"id\": 1, \"name\": \"a\"}\n{\"id\": 2}\n")
        .unwrap();
    std::fs::write(folder.path().join("2.ndjson.gz"), b"\x1f\x8b\x08\0no gzip stream").unwrap();
    let done = Sluice::on(&db)
        .args(["run", "items", "--dry-run", "--path", "."])
        .current_dir(folder.path())
        .run()
        .exits(1);
    for part in ["would insert id=1", "would quarantine 1 × 23502", "items failed extracted=2 "] {
        assert!(done.stdout.contains(part), "{part}\n{}", done.stdout);
    }
    assert!(done.stderr.contains("2.ndjson.gz"), "{}", done.stderr);
    assert_eq!(db.value("select count(*) from sluice.runs").await, "0");
}

#[tokio::test]
async fn with_several_pipelines_every_error_names_its_own() {
    let db = shop().await;
    db.execute(
        "create table shop.more (like shop.items including all);
         select sluice.define_pipeline(name => 'more', version => 1, transform => 'shop.items_v1', target => 'shop.more',
           key => '{id}', source => sluice.file_source(path => 'nowhere'));
         select sluice.define_pipeline(name => 'other', version => 1, transform => 'shop.items_v1', target => 'shop.more',
           key => '{id}', source => sluice.file_source(path => 'nothing'))",
    )
    .await;
    let done = Sluice::on(&db).args(["run", "--all"]).run();
    let errors: Vec<&str> =
        done.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(
        errors,
        [
            "error: pipeline more: there is no file `nowhere`",
            "error: pipeline other: there is no file `nothing`"
        ],
        "{}",
        done.stderr
    );
}
