//! The payloads of batches once more.

use crate::engine::retained::raw_records::shop;
use crate::engine::{Hand, WAITS_FOR_TARGET, problem};
use crate::support::TestDb;

/// Version 2 adds 100; an `n` of 7 is bad in it, and what is skipped in version 1 is not.
async fn with_v2() -> TestDb {
    let db = shop("retain_raw => '7 days'").await;
    db.execute(
        "create function shop.items_v2(doc jsonb) returns table (id bigint, n integer, sluice_reject text) language sql stable as $$
           select (doc->>'id')::bigint, coalesce((doc->>'n')::integer, 0) + 100, case when doc->>'n' = '7' then 'seven' end $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items', key => '{id}',
           source => sluice.file_source(path => '-'), max_bad_ratio => 1, retain_raw => '7 days', activate => false)",
    )
    .await;
    db
}

/// The batches, from the first.
async fn batches(db: &TestDb) -> Vec<String> {
    db.rows("select batch_id from sluice.batches where kind = 'load' order by 1").await
}

const ITEMS: &str = "select id, n from shop.items order by id";
const BOOKS: &str =
    "extracted, quarantined, filtered, inserted, updated, deleted, unchanged, stale, superseded";

#[tokio::test]
async fn reload_puts_the_same_records_through_another_version() {
    let db = with_v2().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[
        r#"{"id": 1, "n": 1}"#,
        "bad",
        r#"{"id": 2, "n": 2}"#,
        r#"{"id": 3, "skip": true}"#,
    ])
    .await;
    let first = batches(&db).await.remove(0);
    assert_eq!(
        db.rows(&format!("select reloads, version_used, {BOOKS} from sluice.reload('items', '{{{first}}}', version => 2)")).await,
        [format!("{first}|2|3|0|0|1|2|0|0|0|0")]
    );
    assert_eq!(db.rows(ITEMS).await, ["1|101", "2|102", "3|100"]);
    // A batch of the ledger beside the chain of cursors, which the rows name.
    assert_eq!(
        db.rows("select distinct b.kind, b.reloads, b.version, b.batch_seq, b.origins = o.origins from shop.items i
                 join sluice.batches b on b.batch_id = i.sluice_batch join sluice.batches o on o.batch_id = b.reloads").await,
        [format!("replay|{first}|2|-|t")]
    );
    // What it had set aside is left to replays.
    assert_eq!(db.rows("select id, seen from sluice.quarantine_open_details").await, ["1|1"]);
    db.is_sound().await;
    // Once more: the same rows.
    assert_eq!(
        db.rows(&format!(
            "select {BOOKS} from sluice.reload('items', '{{{first}}}', version => 2)"
        ))
        .await,
        ["3|0|0|0|0|0|3|0|0"]
    );
    // The active version is the one that is used when none is named.
    assert_eq!(
        db.rows(&format!(
            "select version_used, {BOOKS} from sluice.reload('items', '{{{first}}}')"
        ))
        .await,
        ["1|3|0|1|0|2|0|0|0|0"]
    );
}

#[tokio::test]
async fn rows_of_later_batches_stay() {
    let db = with_v2().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 2}"#]).await;
    hand.load(&[r#"{"id": 1, "n": 11}"#]).await;
    let ids = batches(&db).await;
    assert_eq!(
        db.rows(&format!(
            "select {BOOKS} from sluice.reload('items', '{{{}}}', version => 2)",
            ids[0]
        ))
        .await,
        ["2|0|0|0|1|0|0|1|0"]
    );
    assert_eq!(db.rows(ITEMS).await, ["1|11", "2|102"]);
    // A range, in order: the later one wins, whatever the order they are named in.
    for which in
        [format!("from_batch => {}", ids[0]), format!("batches => '{{{},{}}}'", ids[1], ids[0])]
    {
        db.execute(&format!("select * from sluice.reload('items', {which}, version => 2)")).await;
        assert_eq!(db.rows(ITEMS).await, ["1|111", "2|102"], "{which}");
    }
    // A reload has the age of what it reloads: the live stream goes on over it, and a reload of
    // the older batch does not.
    db.execute(&format!("select * from sluice.reload('items', '{{{}}}')", ids[0])).await;
    assert_eq!(db.rows(ITEMS).await, ["1|111", "2|2"]);
}

#[tokio::test]
async fn records_that_are_bad_now_go_to_quarantine_with_the_age_of_their_batch() {
    let db = with_v2().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 7}"#, r#"{"id": 2, "n": 2}"#]).await;
    let first = batches(&db).await.remove(0);
    hand.load(&[r#"{"id": 1, "n": 3}"#]).await;
    assert_eq!(
        db.rows(&format!(
            "select {BOOKS} from sluice.reload('items', '{{{first}}}', version => 2)"
        ))
        .await,
        ["2|1|0|0|1|0|0|0|0"]
    );
    assert_eq!(
        db.rows("select q.message, q.version, q.origin, q.position, b.reloads = f.id from sluice.quarantine_open_details q
                 join sluice.batches b on b.batch_id = q.batch, (select min(batch_id) as id from sluice.batches) f").await,
        ["seven|2|hand|1|t"]
    );
    // Replayed, it is as old as the batch it came with first.
    assert_eq!(
        db.rows("select replayed, stale, updated from sluice.replay('items', version => 1)").await,
        ["1|1|0"]
    );
    assert_eq!(db.rows(ITEMS).await, ["1|3", "2|102"]);
}

#[tokio::test]
async fn what_is_open_already_keeps_its_age() {
    let db = with_v2().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 7}"#]).await;
    db.execute("select sluice.activate_version('items', 2)").await;
    hand.load(&[r#"{"id": 1, "n": 7}"#]).await;
    let before = "select batch, seen, last_seen_at, origin from sluice.quarantine_open_details";
    let open = db.rows(before).await;
    let first = batches(&db).await.remove(0);
    db.execute(&format!("select sluice.reload('items', '{{{first}}}')")).await;
    assert_eq!(db.rows(before).await, open);
}

#[tokio::test]
async fn too_many_bad_records_change_nothing() {
    let db = with_v2().await;
    db.execute("update sluice.pipelines set max_bad_ratio = 0.4").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 7}"#, r#"{"id": 2, "n": 2}"#]).await;
    let first = batches(&db).await.remove(0);
    let refused =
        problem(&db, &format!("select sluice.reload('items', '{{{first}}}', version => 2)")).await;
    refused.is("SL003", "reload of pipeline \"items\": 50.0% of records are bad (limit 40%)");
    assert_eq!(refused.detail, "1 × SL100 seven");
    assert_eq!(db.rows(ITEMS).await, ["1|7", "2|2"]);
    assert_eq!(
        db.rows(&format!("select {BOOKS} from sluice.reload('items', '{{{first}}}', version => 2, max_bad_ratio => 1)")).await,
        ["2|1|0|0|1|0|0|0|0"]
    );
}

#[tokio::test]
async fn what_is_not_retained_is_named() {
    let db = with_v2().await;
    db.execute("update sluice.pipelines set retain_raw = null").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 1}"#]).await;
    let first = batches(&db).await.remove(0);
    let reload = format!("select sluice.reload('items', '{{{first}}}')");
    problem(&db, &reload).await.refuses(
        &format!("the payloads of batch {first} are not retained"),
        "nothing is retained: define_pipeline(..., retain_raw => '7 days')",
    );
    db.execute("update sluice.pipelines set retain_raw = '3 days'").await;
    problem(&db, &reload).await.refuses(&format!("batch {first} "), "are kept for 3 days");
    hand.load(&[r#"{"id": 2, "n": 1}"#]).await;
    let second = batches(&db).await.remove(1);
    problem(&db, "select sluice.reload('items', to_batch => 100)").await.refuses(
        &format!("batch {first} "),
        &format!("retained are batches {second} to {second}, since "),
    );
    // A rewind loads nothing and lacks nothing.
    db.execute("select sluice.rewind('items', to_start => true)").await;
    assert_eq!(
        db.rows(&format!("select reloads from sluice.reload('items', from_batch => {second})"))
            .await,
        [second.as_str()]
    );
    let replay = db.value("select max(batch_id) from sluice.batches").await;
    problem(&db, &format!("select sluice.reload('items', '{{{replay}}}')"))
        .await
        .refuses(&format!("the payloads of batch {replay} are not retained"), "");
    for (which, message) in [
        ("", "reload needs batches"),
        (", batches => '{1}', from_batch => 1", "reload needs batches"),
        (", batches => '{999}'", "pipeline items has no batch 999"),
        (", batches => '{null}'", "pipeline items has no batch null"),
    ] {
        problem(&db, &format!("select sluice.reload('items'{which})")).await.refuses(message, "");
    }
    problem(&db, &format!("select sluice.reload('items', '{{{second}}}', version => 9)"))
        .await
        .refuses("pipeline items has no version 9", "it has 1, 2");
}

#[tokio::test]
async fn order_by_decides_where_there_is_one() {
    let db = TestDb::new().await;
    crate::engine::items(
        &db,
        "id bigint primary key, n integer, at integer",
        "id bigint, n integer, at integer",
        "(doc->>'id')::bigint, (doc->>'n')::integer, (doc->>'at')::integer",
        "key => '{id}', order_by => 'at', retain_raw => '7 days'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 1, "at": 5}"#]).await;
    hand.load(&[r#"{"id": 1, "n": 2, "at": 4}"#]).await;
    db.execute("update shop.items set at = 3, sluice_hash = null").await;
    let ids = batches(&db).await;
    db.execute(&format!("select sluice.reload('items', '{{{}}}')", ids[1])).await;
    assert_eq!(db.rows("select n, at from shop.items").await, ["2|4"]);
    db.execute(&format!("select sluice.reload('items', '{{{}}}')", ids[0])).await;
    assert_eq!(db.rows("select n, at from shop.items").await, ["1|5"]);
}

#[tokio::test]
async fn reload_waits_for_whoever_writes_to_the_target() {
    let db = with_v2().await;
    Hand::start(&db).await.load(&[r#"{"id": 1, "n": 1}"#]).await;
    let writer = db.connect().await;
    writer
        .batch_execute("begin; select sluice._lock_target('shop.items'::regclass)")
        .await
        .unwrap();
    let reload = "select updated from sluice.reload('items', from_batch => 1, version => 2)";
    let (updated, ()) = tokio::join!(db.value(reload), async {
        db.wait_until(WAITS_FOR_TARGET).await;
        writer.batch_execute("commit").await.unwrap();
    });
    assert_eq!(updated, "1");
}
