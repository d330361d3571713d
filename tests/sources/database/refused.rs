//! What cannot be read is refused, and the refusal says what to do.

use serde_json::json;

use super::support::{Runs, Shop, drain, refusal};
use crate::sources::support::{WIDE, source_context};
use pgsluice::source::{Driver, Start};

#[test]
fn what_the_source_does_not_have_or_cannot_tell_apart_is_refused() {
    let shop = Shop::new(
        "create table heap (id int, at timestamptz); create table t (id int primary key, j json, p point);
         create schema shop; create table shop.\"Orders\" (id int primary key);
         create table twins (id int); insert into twins values (1), (2), (2); insert into heap values (null, now())",
    );
    let cases = [
        (json!({"table": "orders"}), "the source has no table orders", "'shop.\"Orders\"'"),
        (json!({"table": "heap"}), "table heap has no primary key", "key => '{id}'"),
        (json!({"table": "t", "cursor": "nope"}), "column q.nope does not exist", ""),
        (
            json!({"table": "t", "cursor": "j"}),
            "could not identify an ordering operator",
            "columns that have an order",
        ),
        (
            json!({"table": "t", "key": ["p"]}),
            "could not identify an ordering operator",
            "columns that have an order",
        ),
        (json!({"query": "select 1 as id, 2 as id", "key": ["id"]}), "\"id\" is ambiguous", ""),
        (
            json!({"query": "select 1 as id, 2 as a, 3 as a", "key": ["id"]}),
            "has two columns \"a\"",
            "another name",
        ),
        (
            json!({"query": "select 1 as id) q; drop table t; select * from (select 1 as id", "key": ["id"]}),
            "syntax error",
            "",
        ),
        (json!({"query": "select 1 as id; drop table t", "key": ["id"]}), "syntax error", ""),
        (json!({"query": "delete from t returning id", "key": ["id"]}), "syntax error", ""),
        (
            json!({"query": "select nextval('pg_temp.s') as id", "key": ["id"]}),
            "does not exist",
            "",
        ),
        (
            json!({"table": "twins", "key": ["id"]}),
            "two rows of the source have the key [\"2\"]",
            "tell rows apart",
        ),
        (
            json!({"table": "heap", "key": ["id"]}),
            "a row of the source has a null in its key",
            "never null",
        ),
    ];
    for (more, message, step) in cases {
        let said = refusal(&shop.settings(more.clone()));
        assert!(said.contains(message), "{more}: {said}");
        assert!(said.contains(step), "{more}: {said}");
    }
    assert_eq!(
        Runs::default().ids(&shop.settings(json!({"table": "shop.\"Orders\""}))),
        [] as [i64; 0]
    );
    assert_eq!(
        Runs::default().ids(&shop.settings(json!({"table": "t"}))),
        [] as [i64; 0],
        "t is there still"
    );
}

/// Two rows of one key, one on each side of the place where a read is broken off.
#[test]
fn equal_keys_are_told_even_where_a_read_was_broken_off_between_them() {
    let shop =
        Shop::new("create table twins (id int); insert into twins values (1), (2), (2), (3)");
    let settings = shop.settings(json!({"table": "twins", "key": ["id"]}));
    let mut runs = Runs::default();
    assert_eq!(runs.killed(&settings, 2), [1, 2]);
    let said = runs.run(&settings).error_text();
    assert!(said.contains("two rows of the source have the key [\"2\"]"), "{said}");
}

/// A source is read, whatever its query says.
#[test]
fn a_query_cannot_write() {
    let shop = Shop::new(
        "create table t (id int primary key);
         create function sneak() returns int language sql volatile as 'insert into t values (1) returning id'",
    );
    let said = refusal(&shop.settings(json!({"query": "select sneak() as id", "key": ["id"]})));
    assert!(said.contains("read-only transaction"), "{said}");
}

/// A role that would see only some of the rows would make the others look deleted.
#[test]
fn rows_that_a_policy_hides_fail_the_run_unless_that_is_meant() {
    let shop = Shop::new(
        "create table t (id int primary key, tenant text); insert into t values (1, 'a'), (2, 'b')",
    );
    let role = format!("reader_{}", shop.db.name);
    shop.execute(&format!(
        "create role {role} login; grant select on t to {role}; alter table t enable row level security;
         create policy p on t to {role} using (tenant = 'a')"
    ));
    shop.move_to(&shop.db.seen_as(&role).url);
    let said = refusal(&shop.settings(json!({"table": "t"})));
    assert!(said.contains("row-level security") && said.contains("row_security => true"), "{said}");
    assert_eq!(
        Runs::default().ids(&shop.settings(json!({"table": "t", "row_security": true}))),
        [1]
    );
    shop.execute("create table hidden (id int primary key)");
    let said = refusal(&shop.settings(json!({"table": "hidden"})));
    assert!(said.contains("permission denied") && said.contains("grant select"), "{said}");
}

#[test]
fn a_cursor_of_another_source_is_not_taken_for_ones_own() {
    let shop = Shop::new("create table t (id int primary key)");
    let start = Start { cursor: Some(json!({"object": "a.csv", "bytes": 3})), ..Start::default() };
    let said = drain(
        Driver::open(&shop.settings(json!({"table": "t"})), start, WIDE, &source_context(0)),
        Vec::new(),
    )
    .error_text();
    assert!(
        said.contains("is not one of a database") && said.contains("rewind PIPELINE --to-start"),
        "{said}"
    );
}
