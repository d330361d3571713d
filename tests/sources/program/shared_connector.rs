//! Several streams of one run of an Airbyte connector.

use crate::support::sluice::{Done, write_program};
use crate::support::{Sluice, TestDb};
use serde_json::{Value, json};

use super::support::Folder;

/// A connector with two streams, which puts what it is given into `given`.
const CONNECTOR: &str = r#"#!/bin/sh
if [ "$1" = discover ]; then
  echo '{"type":"CATALOG","catalog":{"streams":[{"name":"a","json_schema":{},"supported_sync_modes":["full_refresh","incremental"],"source_defined_cursor":true},{"name":"b","json_schema":{},"supported_sync_modes":["full_refresh","incremental"],"source_defined_cursor":true}]}}'
  exit
fi
echo >> starts
rm -f given.state
while [ $# -gt 0 ]; do
  case "$1" in --state) cp "$2" given.state;; --catalog) cp "$2" given.catalog;; esac
  shift
done
"#;

struct Shop {
    db: TestDb,
    folder: Folder,
}

impl Shop {
    async fn new() -> Self {
        let db = TestDb::new().await;
        db.execute(
            "create function number_v1(doc jsonb) returns table (id bigint) language sql immutable
               as $$ select (doc ->> 'id')::bigint $$",
        )
        .await;
        for stream in ["a", "b"] {
            db.execute(&format!(
                "create table {stream} (id bigint primary key);
                 select sluice.define_pipeline(name => '{stream}', version => 1, transform => 'number_v1', target => '{stream}',
                   key => '{{id}}', source => sluice.program_source(program => 'source', protocol => 'airbyte', stream => '{stream}'))"
            ))
            .await;
        }
        let folder = Folder::new();
        Shop { db, folder }
    }

    fn run(&self, lines: &[String]) -> Done {
        let body = format!("cat <<'END'\n{}\nEND\n", lines.join("\n"));
        write_program(&self.folder.path("source"), &(CONNECTOR.to_owned() + &body));
        Sluice::on(&self.db)
            .env("SLUICE_ALLOW_PROGRAMS", self.folder.path("source"))
            .current_dir(&self.folder.path(""))
            .args(["run", "--all", "--together"])
            .run()
    }

    fn starts(&self) -> usize {
        self.text("starts").len()
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path(name)).unwrap_or_default()
    }

    fn state(&self) -> Value {
        serde_json::from_str(&self.text("given.state")).unwrap_or_default()
    }
}

fn record(stream: &str, id: i32) -> String {
    json!({"type": "RECORD", "record": {"stream": stream, "data": {"id": id}, "emitted_at": 1}})
        .to_string()
}

fn state(stream: &str, at: i32, count: i32) -> String {
    json!({"type": "STATE", "state": {
        "type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": {"at": at}},
        "sourceStats": {"recordCount": count}}})
    .to_string()
}

fn global(at: i32) -> String {
    json!({"type": "STATE", "state": {"type": "GLOBAL", "global": {"shared_state": {"at": at}, "stream_states": []}}})
        .to_string()
}

fn status(stream: &str, status: &str) -> String {
    json!({"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1, "stream_status": {
        "stream_descriptor": {"name": stream}, "status": status}}})
    .to_string()
}

#[tokio::test]
async fn each_stream_has_its_own_state_and_all_of_them_are_given_to_the_next_run() {
    let shop = Shop::new().await;
    let lines = [
        record("a", 1),
        record("b", 1),
        record("b", 2),
        state("b", 2, 2),
        record("b", 3),
        state("a", 1, 1),
        state("b", 3, 1),
    ];
    shop.run(&lines).exits(0);
    assert_eq!(shop.starts(), 1);
    let given: Value = serde_json::from_str(&shop.text("given.catalog")).unwrap();
    let names = given["streams"].as_array().unwrap().iter();
    let names: Vec<&Value> = names.map(|one| &one["stream"]["name"]).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(shop.state(), Value::Null);
    shop.db.execute("select sluice.rewind('a', to_start => true)").await;
    shop.run(&[record("a", 2), state("a", 2, 1)]).exits(0);
    let of = |stream: &str, at: i32| json!({"type": "STREAM", "stream": {"stream_descriptor": {"name": stream}, "stream_state": {"at": at}}});
    let without_counts = |mut given: Value| {
        for state in given.as_array_mut().unwrap() {
            state.as_object_mut().unwrap().remove("sourceStats");
        }
        given
    };
    assert_eq!(without_counts(shop.state()), json!([of("b", 3)]));
    shop.run(&[]).exits(0);
    assert_eq!(without_counts(shop.state()), json!([of("a", 2), of("b", 3)]));
    assert_eq!(shop.starts(), 3);
}

#[tokio::test]
async fn a_stream_that_is_not_complete_fails_its_own_pipeline() {
    let shop = Shop::new().await;
    let lines =
        [record("a", 1), status("a", "INCOMPLETE"), record("b", 1), status("b", "COMPLETE")];
    let done = shop.run(&lines).exits(1);
    let told: Vec<&str> =
        (done.stdout.lines()).map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(told, ["failed", "ok"]);
    let why = "ended while the stream `a` was INCOMPLETE";
    assert_eq!(done.stderr.matches(why).count(), 1, "{}", done.stderr);
}

#[tokio::test]
async fn a_state_of_all_streams_is_gone_on_from_by_all_of_them_or_apart() {
    let shop = Shop::new().await;
    shop.run(&[record("a", 1), global(1), record("b", 1), global(2)]).exits(0);
    shop.run(&[record("a", 2), global(3)]).exits(0);
    assert_eq!(shop.state()[0]["global"]["shared_state"]["at"], 2);
    assert_eq!(shop.starts(), 2);
    shop.db.execute("select sluice.rewind('a', to_start => true)").await;
    let done = shop.run(&[global(4)]).exits(0);
    assert!(
        done.stderr.contains("a begins at the start, and b go on from a state"),
        "{}",
        done.stderr
    );
    assert_eq!(shop.starts(), 4);
}

#[tokio::test]
async fn a_state_that_counts_other_records_of_its_stream_is_not_kept() {
    let shop = Shop::new().await;
    let done = shop.run(&[record("a", 1), record("b", 1), state("a", 1, 2)]).exits(1);
    let why = "says that it printed 2 records since its last state, and 1 came";
    assert!(done.stderr.contains(why), "{}", done.stderr);
    assert_eq!(shop.db.rows("select cursor from sluice.etl_state").await, ["null", "null"],);
}
