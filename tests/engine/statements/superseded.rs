//! Several rows of one key in a batch: one of them counts.

use crate::engine::{Hand, items};
use crate::support::TestDb;

/// A record of one row for each of `xs`, over a table with a parent and a second unique key.
async fn lists() -> TestDb {
    let db = TestDb::new().await;
    db.execute("create schema shop; create table shop.parents (id bigint primary key); insert into shop.parents values (1)")
        .await;
    items(
        &db,
        "id bigint primary key, n integer, parent bigint references shop.parents, code text unique",
        "id bigint, n integer, parent bigint, code text",
        "(x->>'id')::bigint, (x->>'n')::integer, (x->>'parent')::bigint, x->>'code' from jsonb_array_elements(doc->'xs') x",
        "key => '{id}'",
    )
    .await;
    db
}

const TWICE: &str = r#"{"xs": [{"id": 1, "n": 10}, {"id": 1, "n": 20}]}"#;

#[tokio::test]
async fn of_two_rows_of_one_key_in_one_record_the_last_wins() {
    let db = lists().await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&[TWICE]).await,
        "extracted=1 transformed=1 produced=2 inserted=1 superseded=1"
    );
    assert_eq!(db.rows("select n from shop.items").await, ["20"]);
}

#[tokio::test]
async fn last_row_of_a_record_wins_whatever_else_leaves_the_batch() {
    for (other, books) in [
        (
            r#"{"xs": [{"id": 2, "n": 1, "parent": 7}]}"#,
            "extracted=4 transformed=3 quarantined=1 produced=4 inserted=3 superseded=1",
        ),
        (
            r#"{"xs": [{"id": 2, "n": 1, "code": "taken"}]}"#,
            "extracted=4 transformed=3 quarantined=1 produced=4 inserted=3 superseded=1",
        ),
    ] {
        let db = lists().await;
        let mut hand = Hand::start(&db).await;
        let taken = r#"{"xs": [{"id": 8, "code": "taken"}]}"#;
        let alone = r#"{"xs": [{"id": 9}]}"#;
        assert_eq!(hand.load(&[TWICE, taken, other, alone]).await, books, "{other}");
        assert_eq!(db.rows("select n from shop.items where id = 1").await, ["20"], "{other}");
    }
}

#[tokio::test]
async fn keys_of_a_quarantined_record_stand_in_the_order_of_its_rows() {
    let db = lists().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"xs": [{"id": 3}, {"id": 1}, {"id": 2, "parent": 7}]}"#]).await;
    assert_eq!(
        db.rows("select keys from sluice.quarantine").await,
        [r#"[{"id": 3}, {"id": 1}, {"id": 2}]"#]
    );
}

/// By the number of a row the last one of a record is told.
#[tokio::test]
async fn rows_are_numbered_unless_a_record_can_have_but_one() {
    let db = TestDb::new().await;
    db.execute("create schema shop; create type shop.item as (id bigint, lines jsonb)").await;
    for (is_one, argument, body) in [
        (true, "doc jsonb", "select (doc->>'id')::bigint"),
        (true, "doc jsonb", "select 1::bigint where doc ? 'id'"),
        (true, "r shop.item", "select r.id"),
        (false, "doc jsonb", "select jsonb_array_elements(doc)::bigint"),
        (false, "r shop.item", "select l::bigint from jsonb_array_elements(r.lines) l"),
        (false, "doc jsonb", "values (1::bigint), (2)"),
        (false, "doc jsonb", "select 1::bigint union all select (doc->>'id')::bigint"),
    ] {
        db.execute(&format!(
            "create or replace function shop.made({argument}) returns table (id bigint) language sql stable as $$ {body} $$"
        ))
        .await;
        let made = db
            .value("select sluice._makes_one_row('shop.made'::regproc, 'pg_catalog, pg_temp')")
            .await;
        assert_eq!(made, if is_one { "t" } else { "f" }, "{body}");
        db.execute("drop function shop.made").await;
    }
    db.execute(
        "create function shop.made(doc jsonb) returns table (id bigint) language plpgsql as $$ begin
           return query select 1::bigint; end $$",
    )
    .await;
    let made = "select sluice._makes_one_row('shop.made'::regproc, 'pg_catalog, pg_temp')";
    assert_eq!(db.value(made).await, "f");
}
