//! SQLite files.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::support::{Runs, refusal};
use crate::sources::file::support::Folder;

struct File {
    folder: Folder,
    connection: Connection,
}

impl File {
    fn new(sql: &str) -> Self {
        let folder = Folder::new();
        let connection = Connection::open(folder.path("app.db")).unwrap();
        connection.execute_batch(sql).unwrap();
        File { folder, connection }
    }

    fn execute(&self, sql: &str) {
        self.connection.execute_batch(sql).unwrap();
    }

    fn settings(&self, more: Value) -> Value {
        let mut settings = json!({"kind": "sqlite", "path": self.folder.name("app.db")});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        settings
    }
}

/// A column takes what it is given, whatever it was declared to be.
#[test]
fn each_cell_is_what_it_is() {
    let cases = [
        ("9223372036854775807", "9223372036854775807"),
        ("0.1", "0.1"),
        ("5e-324", "5e-324"),
        ("1e999", "\"Infinity\""),
        ("-1e999", "\"-Infinity\""),
        ("'2026-03-01'", "\"2026-03-01\""),
        ("'12.50'", "\"12.50\""),
        ("x'00ff'", "\"\\\\x00ff\""),
        ("char(97, 0, 98)", "\"a\\u0000b\""),
        ("'\"\\'", "\"\\\"\\\\\""),
        ("null", "null"),
    ];
    let file = File::new("create table t (id integer primary key, v blob)");
    for (value, expected) in cases {
        file.execute(&format!("delete from t; insert into t values (1, {value})"));
        let payloads = Runs::default().run(&file.settings(json!({"table": "t"}))).ok().payloads();
        assert_eq!(payloads, [format!("{{\"id\":1,\"v\":{expected}}}")], "{value}");
    }
    file.execute("delete from t; insert into t values (1, cast(x'ff' as text))");
    let outcome = Runs::default().run(&file.settings(json!({"table": "t"}))).ok();
    assert_eq!(outcome.faults()[0].payload, b"{\"id\":1,\"v\":\"\xff\"}");
}

#[test]
fn keys_of_mixed_types_and_any_collation_are_read_once_from_every_place() {
    let file = File::new(
        "create table t (k collate nocase, id int, primary key (k)) without rowid;
         insert into t values (10, 1), (9.5, 2), ('a', 3), ('B', 4), (x'00', 5), ('it''s', 6), ('10', 7), ('', 8), (char(97, 0), 9), (x'', 10)",
    );
    let settings = file.settings(json!({"table": "t"}));
    let mut runs = Runs::default();
    let found: Vec<i64> = (0..10).flat_map(|_| runs.killed(&settings, 1)).collect();
    assert_eq!(found, [2, 1, 8, 7, 4, 3, 9, 6, 10, 5]);
}

#[test]
fn a_cursor_reads_what_is_new_and_the_future_hides_nothing() {
    let file = File::new(
        "create table t (id integer primary key, at text);
         insert into t values (1, '2026-01-01 10:00:00'), (2, '2026-01-01 10:00:00'), (3, '9999-01-01 00:00:00'), (4, null)",
    );
    let (settings, mut runs) =
        (file.settings(json!({"table": "t", "cursor": "at"})), Runs::default());
    assert_eq!(runs.ids(&settings), [4, 1, 2, 3]);
    file.execute("insert into t values (5, '2026-01-01 10:00:01')");
    assert_eq!(runs.ids(&settings), [4, 1, 2, 5, 3]);
    assert_eq!(runs.ids(&settings), [4, 5, 3]);
    let lag = file.settings(json!({"table": "t", "cursor": "at", "lag": 1}));
    assert_eq!(runs.ids(&lag), [4, 1, 2, 5, 3]);
    let by_id = file.settings(json!({"table": "t", "cursor": "id", "lag": 2}));
    let mut runs = Runs::default();
    runs.ids(&by_id);
    assert_eq!(runs.ids(&by_id), [3, 4, 5]);
    let range = file
        .settings(json!({"table": "t", "cursor": "at", "range": {"to": "2026-01-01 10:00:00"}}));
    assert_eq!(Runs::default().ids(&range), [1, 2]);
}

/// A run sees one state: what a writer commits meanwhile comes with the next.
#[test]
fn a_read_sees_one_state_beside_a_writer() {
    let file =
        File::new("pragma journal_mode = wal; create table t (id integer primary key, pad text)");
    file.execute("with recursive n (i) as (select 1 union all select i + 1 from n where i < 2000) insert into t select i, printf('%.10000c', 'x') from n");
    let settings = file.settings(json!({"table": "t"}));
    let mut driver = Runs::default().open(&settings, super::support::rows(10));
    let mut found = 0;
    while let Some(batch) = driver.next_batch().unwrap() {
        if found == 0 {
            file.execute("delete from t where id > 1000");
        }
        found += batch.rows;
    }
    assert_eq!(found, 2000);
    assert_eq!(Runs::default().ids(&settings).len(), 1000);
}

#[test]
fn what_cannot_be_read_is_refused() {
    let file = File::new(
        "create table t (id integer primary key, c); insert into t values (1, 5), (2, 'five'); create table heap (id int); insert into heap values (1), (1)",
    );
    for (more, message) in [
        (json!({"table": "nope"}), "the source has no table nope"),
        (json!({"table": "heap"}), "has no primary key"),
        (json!({"table": "heap", "key": ["id"]}), "two rows of the source have the key [\"1\"]"),
        (json!({"table": "t", "cursor": "no"}), "no such column"),
        (
            json!({"table": "t", "cursor": "c"}),
            "holds values of different types, such as 5 and 'five'",
        ),
        (json!({"query": "delete from t returning id", "key": ["id"]}), "syntax error"),
        (json!({"table": "t", "path": "/nowhere/app.db"}), "cannot be opened"),
    ] {
        let said = refusal(&file.settings(more.clone()));
        assert!(said.contains(message), "{more}: {said}");
    }
    file.execute("begin exclusive");
    let said = refusal(&file.settings(json!({"table": "t"})));
    assert!(
        said.contains("every retry of this run is used up") && said.contains("locked"),
        "{said}"
    );
}

#[test]
fn its_rows_are_compared_with_the_target_and_repaired() {
    let file = File::new(
        "create table t (id primary key, name text, at text);
         insert into t values ('a', 'ay', '2026-01-01'), ('B', 'Bee', '2026-01-01'), ('b', 'bee', '2026-01-02'), (5, 'five', '2026-01-03'), ('6', 'six', '2026-01-04'), (1.5, 'x', '2026-01-04')",
    );
    let settings = file.settings(json!({"table": "t", "cursor": "at"}));
    super::compare::finds_and_repairs(&settings, |sql| file.execute(sql), "5");
}
