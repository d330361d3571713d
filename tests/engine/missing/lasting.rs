//! Tombstones and stops hold when types, order_by or key of their pipeline change.

use crate::engine::{Hand, items};
use crate::support::TestDb;

fn put(id: &str, n: i64) -> String {
    format!(r#"{{"id": "{id}", "n": {n}}}"#)
}

fn del(id: &str, n: i64) -> String {
    format!(r#"{{"id": "{id}", "n": {n}, "del": true}}"#)
}

/// A table in which key 12345 was deleted at n = 5, and 54321 erased and stopped.
async fn deleted_and_stopped(table: &str, id: &str) -> TestDb {
    let db = TestDb::new().await;
    items(
        &db,
        table,
        &format!("id {id}, n bigint, r text, sluice_deleted boolean"),
        &format!(
            "(doc->>'id')::{id}, (doc->>'n')::bigint, 'r' || (doc->>'id'), (doc->>'del')::boolean"
        ),
        "key => '{id}', order_by => 'n'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[put("12345", 1), put("54321", 1)]).await;
    hand.load(&[del("12345", 5)]).await;
    db.execute(
        "select sluice.erase('items', '{\"id\": \"54321\"}', reason => 'request', rows => true, stop => true)",
    )
    .await;
    db
}

/// Version 2, which returns these columns under these names.
async fn second_version(db: &TestDb, returns: &str, select: &str, options: &str) -> Vec<String> {
    let (session, notices) = db.connect_hearing().await;
    session
        .batch_execute(&format!(
            "create function shop.items_v2(doc jsonb) returns table ({returns}, sluice_deleted boolean)
             language sql stable as $$ select {select}, (doc->>'del')::boolean $$;
             select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2',
               target => 'shop.items', source => sluice.file_source(path => '-'), {options})"
        ))
        .await
        .unwrap();
    notices.lock().unwrap().clone()
}

#[tokio::test]
async fn they_outlive_the_type_of_a_key_column() {
    for (was, is) in [
        ("integer", "bigint"),
        ("integer", "numeric"),
        ("varchar(20)", "text"),
        ("text", "varchar(40)"),
        ("char(8)", "text"),
    ] {
        let table = format!("id {was} primary key, n bigint, r text");
        let db = deleted_and_stopped(&table, was).await;
        db.execute(&format!("alter table shop.items alter column id type {is}")).await;
        let mut hand = Hand::start(&db).await;
        assert_eq!(
            hand.load(&[put("12345", 3), put("54321", 9)]).await,
            "extracted=2 transformed=2 produced=2 stale=2",
            "{was} to {is}"
        );
        assert_eq!(
            hand.load(&[put("12345", 6)]).await,
            "extracted=1 transformed=1 produced=1 inserted=1",
            "{was} to {is}"
        );
        let left = "select key from sluice.tombstones";
        assert_eq!(db.rows(left).await, ["{}"], "{was} to {is}");
        db.execute("select sluice.lift_stop('items', '{\"id\": \"54321\"}', 'request')").await;
        hand.load(&[put("54321", 9)]).await;
        assert_eq!(db.value("select count(*) from shop.items").await, "2", "{was} to {is}");
        db.is_sound().await;
    }
}

/// Nobody can tell which of the two is newer, so the one that comes later is.
#[tokio::test]
async fn a_value_of_another_order_by_is_not_compared() {
    for at in ["bigint", "timestamptz"] {
        let table = format!("id bigint primary key, n bigint, r text, at {at}");
        let db = deleted_and_stopped(&table, "bigint").await;
        let said = second_version(
            &db,
            &format!("id bigint, at {at}"),
            &format!("(doc->>'id')::bigint, (doc->>'at')::{at}"),
            "key => '{id}', order_by => 'at'",
        )
        .await;
        assert_eq!(said, [""; 0]);
        let value = |n: i64| match at {
            "bigint" => n.to_string(),
            _ => format!("\"2026-01-0{n}\""),
        };
        let record = |n, rest| format!(r#"{{"id": 12345, "at": {}{rest}}}"#, value(n));
        let mut hand = Hand::start(&db).await;
        for (record, outcome) in [
            (record(3, ""), "inserted=1"),
            (record(4, r#", "del": true"#), "deleted=1"),
            (record(3, ""), "stale=1"),
            (r#"{"id": 54321, "at": null}"#.to_owned(), "stale=1"),
        ] {
            assert_eq!(
                hand.load(&[&record]).await,
                format!("extracted=1 transformed=1 produced=1 {outcome}"),
                "{at}: {record}"
            );
        }
        db.is_sound().await;
    }
}

#[tokio::test]
async fn an_order_by_whose_type_was_widened_is_compared_still() {
    let db = deleted_and_stopped("id bigint primary key, n integer, r text", "bigint").await;
    db.execute("alter table shop.items alter column n type numeric").await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(hand.load(&[put("12345", 4)]).await, "extracted=1 transformed=1 produced=1 stale=1");
}

#[tokio::test]
async fn they_hold_under_another_key_if_the_columns_of_theirs_are_returned() {
    let table = "id bigint primary key, n bigint, r text not null unique, unique (id, r)";
    for key in ["{id,r}", "{r}"] {
        let db = deleted_and_stopped(table, "bigint").await;
        let said = second_version(
            &db,
            "id bigint, n bigint, r text",
            "(doc->>'id')::bigint, (doc->>'n')::bigint, 'r' || (doc->>'id')",
            &format!("key => '{key}', order_by => 'n'"),
        )
        .await;
        assert_eq!(said, [""; 0], "{key}");
        let mut hand = Hand::start(&db).await;
        assert_eq!(
            hand.load(&[put("12345", 3), put("54321", 9)]).await,
            "extracted=2 transformed=2 produced=2 stale=2",
            "{key}"
        );
        hand.load(&[put("12345", 6)]).await;
        assert_eq!(db.rows("select id, n from shop.items").await, ["12345|6"], "{key}");
        db.is_sound().await;
    }
}

#[tokio::test]
async fn a_version_that_cannot_recognise_them_is_told_so() {
    let table = "id bigint primary key default 1, n bigint, r text not null unique";
    let db = deleted_and_stopped(table, "bigint").await;
    let said = second_version(
        &db,
        "n bigint, r text",
        "(doc->>'n')::bigint, 'r' || (doc->>'id')",
        "key => '{r}', order_by => 'n'",
    )
    .await;
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains(
            "2 deleted or stopped keys of shop.items are of (id), which version 2 does not return"
        ),
        "{said:?}"
    );
}

#[tokio::test]
async fn stops_stay_when_the_pipeline_is_dropped_and_defined_anew() {
    let db = deleted_and_stopped("id bigint primary key, n bigint, r text", "bigint").await;
    let said = db.value("select sluice.drop_pipeline('items')").await;
    assert!(said.ends_with("; 1 erased keys stay stopped there"), "{said}");
    db.execute(
        "select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{id}', order_by => 'n', source => sluice.file_source(path => '-'))",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&[put("12345", 3), put("54321", 9)]).await,
        "extracted=2 transformed=2 produced=2 inserted=1 stale=1"
    );
}
