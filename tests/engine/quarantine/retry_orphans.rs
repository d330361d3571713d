//! Records whose parent row was missing.

use crate::engine::{Hand, items};
use crate::support::TestDb;

async fn shop(options: &str) -> (TestDb, Hand) {
    let db = TestDb::new().await;
    db.execute("create schema shop; create table shop.parents (id bigint primary key)").await;
    items(
        &db,
        "id bigint primary key, parent bigint references shop.parents, n integer",
        "id bigint, parent bigint, n integer",
        "(doc->>'id')::bigint, (doc->>'parent')::bigint, (doc->>'n')::integer",
        &format!("key => '{{id}}'{options}"),
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[
        r#"{"id": 1, "parent": 1}"#,
        r#"{"id": 2, "parent": 2}"#,
        r#"{"id": 3, "n": "x"}"#,
    ])
    .await;
    (db, hand)
}

const RETRY: &str = "select sluice.retry_orphans('items')";

#[tokio::test]
async fn orphans_are_loaded_once_their_parent_is_there() {
    let (db, _hand) = shop("").await;
    assert_eq!(db.value(RETRY).await, "0");
    // In vain leaves no trace.
    assert_eq!(
        db.value("select (select count(*) from sluice.quarantine_events), (select count(*) from sluice.batches)").await,
        "0|1"
    );
    db.execute("insert into shop.parents values (1)").await;
    assert_eq!(db.value(RETRY).await, "1");
    assert_eq!(db.value(RETRY).await, "0");
    assert_eq!(db.rows("select id, parent from shop.items").await, ["1|1"]);
    assert_eq!(
        db.rows("select quarantine_id, status, sqlstate from sluice.quarantine order by 1").await,
        ["1|replayed|23503", "2|open|23503", "3|open|22P02"]
    );
}

#[tokio::test]
async fn newer_row_is_left_alone_and_the_orphan_closed() {
    let (db, mut hand) = shop("").await;
    hand.load(&[r#"{"id": 1, "n": 5}"#]).await;
    db.execute("insert into shop.parents values (1)").await;
    assert_eq!(db.value(RETRY).await, "1");
    assert_eq!(db.rows("select id, parent, n from shop.items").await, ["1|-|5"]);
}

#[tokio::test]
async fn pipeline_may_decline() {
    let (db, _hand) = shop(", retry_orphans => false").await;
    db.execute("insert into shop.parents values (1), (2)").await;
    assert_eq!(db.value(RETRY).await, "0");
    assert_eq!(db.value("select count(*) from shop.items").await, "0");
    assert_eq!(db.value("select sum(replayed) from sluice.replay('items')").await, "2");
}
