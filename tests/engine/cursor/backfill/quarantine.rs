//! Bad records of a backfill wait with those of its pipeline, and are as old as they are.

use super::{Hand, ROWS, shop, start};
use crate::support::TestDb;

const OPEN: &str =
    "select pipeline, payload, batch, seen from sluice.quarantine_open_details order by id";

async fn loosen(db: &TestDb) {
    db.execute("alter table shop.items drop constraint items_n_check").await;
}

#[tokio::test]
async fn records_of_a_backfill_are_replayed_with_those_of_the_pipeline() {
    let db = shop("").await;
    let mut past = start(&db).await;
    past.load(&[r#"{"id": 1, "n": 0}"#]).await;
    assert_eq!(db.rows(OPEN).await, [r#"items|{"id": 1, "n": 0}|1|1"#]);
    loosen(&db).await;
    assert_eq!(db.value("select replayed, inserted from sluice.replay('items')").await, "1|1");
    assert_eq!(db.rows(ROWS).await, ["1|0"]);
    db.is_sound().await;
}

#[tokio::test]
async fn replayed_record_of_a_backfill_does_not_overwrite_a_row_that_came_before_it() {
    let db = shop("").await;
    let mut live = Hand::start(&db).await;
    live.load(&[r#"{"id": 1, "n": 5}"#]).await;
    start(&db).await.load(&[r#"{"id": 1, "n": 0}"#]).await;
    loosen(&db).await;
    assert_eq!(
        db.value(
            "select replayed, stale, unsure from sluice.replay('items', overwrite_unsure => true)"
        )
        .await,
        "1|1|0",
        "it is of the past, though it was read later"
    );
    assert_eq!(db.rows(ROWS).await, ["1|5"]);
}

#[tokio::test]
async fn replayed_record_of_the_pipeline_overwrites_a_row_that_a_backfill_added_later() {
    let db = shop("").await;
    let mut live = Hand::start(&db).await;
    live.load(&[r#"{"id": 1, "n": 0}"#]).await;
    start(&db).await.load(&[r#"{"id": 1, "n": 5}"#]).await;
    loosen(&db).await;
    assert_eq!(db.value("select replayed, updated from sluice.replay('items')").await, "1|1");
    assert_eq!(db.rows(ROWS).await, ["1|0"]);
}

#[tokio::test]
async fn record_that_a_backfill_finds_again_arrived_when_the_pipeline_read_it() {
    let db = shop("").await;
    let mut live = Hand::start(&db).await;
    live.load(&[r#"{"id": 1, "n": 5}"#]).await;
    live.load(&[r#"{"id": 1, "n": 0}"#]).await;
    start(&db).await.load(&[r#"{"id": 1, "n": 0}"#]).await;
    assert_eq!(db.rows(OPEN).await, [r#"items|{"id": 1, "n": 0}|2|2"#]);
    loosen(&db).await;
    db.execute("select sluice.replay('items')").await;
    assert_eq!(db.rows(ROWS).await, ["1|0"]);
    // The other way round: what the backfill set aside has come again since.
    start(&db).await.load(&[r#"{"id": 2, "n": "x"}"#]).await;
    live.load(&[r#"{"id": 2, "n": "x"}"#]).await;
    let last = db.value("select max(batch_id) from sluice.batches").await;
    assert_eq!(db.rows(OPEN).await, [format!(r#"items|{{"id": 2, "n": "x"}}|{last}|2"#)]);
}

#[tokio::test]
async fn open_record_is_closed_by_a_backfill_that_loads_it_and_not_by_one_that_leaves_it() {
    let db = shop("").await;
    let mut live = Hand::start(&db).await;
    live.load(&[r#"{"id": 1, "n": 5}"#]).await;
    live.load(&[r#"{"id": 1, "n": 0}"#, r#"{"id": 2, "n": 0}"#]).await;
    loosen(&db).await;
    assert_eq!(
        start(&db).await.load(&[r#"{"id": 1, "n": 0}"#, r#"{"id": 2, "n": 0}"#]).await,
        "extracted=2 transformed=2 produced=2 inserted=1 stale=1"
    );
    assert_eq!(
        db.rows("select status from sluice.quarantine order by quarantine_id").await,
        ["open", "loaded"]
    );
    db.execute("select sluice.replay('items')").await;
    assert_eq!(db.rows(ROWS).await, ["1|0", "2|0"]);
}

#[tokio::test]
async fn same_bytes_that_are_bad_in_one_place_of_a_batch_stay_open() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop; create table shop.items (id bigint primary key);
         create function shop.items_v1(doc jsonb, meta jsonb) returns table (id bigint) language sql stable as
           $$ select (doc->>'id')::bigint / ((meta->>'position')::integer - 1) $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', max_bad_ratio => 1, source => sluice.file_source(path => 'drop'))",
    )
    .await;
    Hand::start(&db).await.load(&[r#"{"id": 1}"#]).await;
    let mut past = start(&db).await;
    past.load(&[r#"{"id": 1}"#, r#"{"id": 1}"#]).await;
    assert_eq!(db.rows("select status, seen_count from sluice.quarantine").await, ["open|2"]);
}

#[tokio::test]
async fn orphans_of_a_backfill_are_tried_again_by_name_of_either() {
    let db = shop("").await;
    db.execute(
        "create table shop.parents (id integer primary key);
         alter table shop.items add foreign key (n) references shop.parents",
    )
    .await;
    let mut past = start(&db).await;
    past.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 2}"#]).await;
    for (parent, name) in [(1, "items"), (2, "items.backfill-1")] {
        db.execute(&format!("insert into shop.parents values ({parent})")).await;
        assert_eq!(
            db.value(&format!("select sluice.retry_orphans('{name}')")).await,
            "1",
            "{name}"
        );
    }
    assert_eq!(db.rows(ROWS).await, ["1|1", "2|2"]);
}
