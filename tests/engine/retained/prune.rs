//! Getting rid of retained payloads.

use crate::engine::retained::raw_records::shop;
use crate::engine::{Hand, problem};
use crate::support::TestDb;
use crate::support::db::rows;

/// As if something had been retained so many days ago.
async fn day(db: &TestDb, days_ago: u32) {
    db.execute(&format!(
        "insert into sluice.raw_days values (1, (now() at time zone 'UTC')::date - {days_ago})"
    ))
    .await;
}

const DAYS: &str = "select (now() at time zone 'UTC')::date - retained_on from sluice.retained('items') order by 1";
const PRUNE: &str = "select pipeline_name, (now() at time zone 'UTC')::date - retained_on, bytes > 0, tombstones from sluice.prune() order by 2";

#[tokio::test]
async fn days_go_once_their_last_moment_is_old_enough() {
    let db = shop("retain_raw => '7 days'").await;
    Hand::start(&db).await.load(&[r#"{"id": 1, "n": 1}"#]).await;
    for days_ago in [7, 8, 9, 400] {
        day(&db, days_ago).await;
    }
    assert_eq!(db.rows(PRUNE).await, ["items|8|t|-", "items|9|t|-", "items|400|t|-"]);
    assert_eq!(db.rows(DAYS).await, ["0", "7"]);
    assert_eq!(db.rows(PRUNE).await, Vec::<String>::new());
    db.execute("update sluice.pipelines set retain_raw = '1 hour'").await;
    assert_eq!(db.rows(PRUNE).await, ["items|7|t|-"]);
}

#[tokio::test]
async fn everything_goes_once_retention_is_turned_off_or_the_pipeline_dropped() {
    let db = shop("retain_raw => '7 days'").await;
    Hand::start(&db).await.load(&[r#"{"id": 1, "n": 1}"#]).await;
    day(&db, 3).await;
    db.execute(
        "select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => '-'), retain_raw => '0')",
    )
    .await;
    assert_eq!(db.rows(PRUNE).await, ["items|0|t|-", "items|3|t|-"]);
    assert_eq!(db.rows(DAYS).await, Vec::<String>::new());

    day(&db, 0).await;
    db.execute("select sluice.drop_pipeline('items')").await;
    assert_eq!(
        db.rows("select relname from pg_class where relname ~ '^raw_[0-9c]' and relkind = 'r'")
            .await,
        ["raw_chunks"]
    );
}

#[tokio::test]
async fn what_is_being_read_stays_and_nobody_waits() {
    let db = shop("retain_raw => '7 days'").await;
    day(&db, 20).await;
    day(&db, 30).await;
    let reader = db.connect().await;
    let table = db.value("select max(relation::text) from sluice._raw_tables(1)").await;
    reader.batch_execute(&format!("begin; select from {table}")).await.unwrap();
    assert_eq!(db.rows(PRUNE).await, ["items|30|t|-"]);
    reader.batch_execute("commit").await.unwrap();
    assert_eq!(db.rows(PRUNE).await, ["items|20|t|-"]);
}

#[tokio::test]
async fn prune_and_batches_do_not_hold_up_each_other() {
    let db = shop("retain_raw => '7 days'").await;
    day(&db, 20).await;
    let mut hand = Hand::start(&db).await;
    hand.stage(&[r#"{"id": 1, "n": 1}"#]).await.unwrap();
    hand.transform().await.unwrap();
    hand.merge().await.unwrap();
    // A batch that has kept its payloads and is not committed.
    let pruner = db.connect().await;
    pruner.batch_execute("set lock_timeout = '1s'; begin").await.unwrap();
    assert_eq!(rows(&pruner, PRUNE).await, ["items|20|t|-"]);
    hand.session.batch_execute("commit").await.unwrap();
    hand.seq += 1;
    // And the other way round.
    hand.session.batch_execute("set lock_timeout = '1s'").await.unwrap();
    hand.load(&[r#"{"id": 2, "n": 1}"#]).await;
    pruner.batch_execute("commit").await.unwrap();
    assert_eq!(db.value("select records from sluice.retained()").await, "2");
}

#[tokio::test]
async fn old_tombstones_go_only_when_asked_for() {
    let db = shop("retain_raw => '7 days'").await;
    db.execute(
        r#"insert into sluice.tombstones (target, key_hash, key, batch_id, deleted_at) values
           ('shop.items', '\x01', '{"id": 1}', 1, '2026-01-01'), ('shop.items', '\x02', '{"id": 2}', 1, '2026-02-01'),
           ('shop.others', '\x01', '{"id": 1}', 1, '2026-01-01')"#,
    )
    .await;
    assert_eq!(db.rows(PRUNE).await, Vec::<String>::new());
    assert_eq!(
        db.rows("select * from sluice.prune(tombstones_before => '2026-01-15')").await,
        ["items|-|-|1|-|-|-|-"]
    );
    assert_eq!(
        db.rows("select target, key from sluice.tombstones order by 1").await,
        [r#"shop.items|{"id": 2}"#, r#"shop.others|{"id": 1}"#]
    );
    problem(&db, "select sluice.prune('nothing')")
        .await
        .refuses("pipeline nothing is not defined", "");
}
