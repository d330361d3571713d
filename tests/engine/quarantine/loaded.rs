//! Quarantined records that the source brings again and that load now are closed.

use crate::engine::{Hand, items};
use crate::support::TestDb;

const BAD: &str = r#"{"id": 1, "n": "12,5"}"#;
const OPEN: &str = "select status, seen_count from sluice.quarantine where payload <> '{}'";

/// A record of an earlier run is open; the transform is mended.
async fn mended() -> (TestDb, Hand) {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, n text check (n !~ ',')",
        "id bigint, n text",
        "(doc->>'id')::bigint, doc->>'n'",
        "key => '{id}'",
    )
    .await;
    // Another one stays open, and old.
    Hand::start(&db).await.load(&[BAD, "{}"]).await;
    db.execute("alter table shop.items drop constraint items_n_check").await;
    let hand = Hand::start(&db).await;
    (db, hand)
}

async fn load(hand: &mut Hand, meanwhile: &str) {
    hand.stage(&[BAD, r#"{"id": 2, "n": "xxxx"}"#]).await.unwrap();
    hand.session.batch_execute(meanwhile).await.unwrap();
    hand.transform().await.unwrap();
    hand.merge().await.unwrap();
    hand.session.batch_execute("commit").await.unwrap();
    hand.seq += 1;
}

#[tokio::test]
async fn record_that_loads_now_is_closed_with_and_without_digests() {
    for digests in ["select", "update pg_temp.sluice_staging set digest = null"] {
        let (db, mut hand) = mended().await;
        load(&mut hand, digests).await;
        assert_eq!(db.rows(OPEN).await, ["loaded|1"], "{digests}");
    }
}

/// Payloads are hashed once, by the loader: what it says they are is not computed again.
#[tokio::test]
async fn digests_that_came_with_the_records_tell_which_are_open() {
    let (db, mut hand) = mended().await;
    load(&mut hand, "update pg_temp.sluice_staging set digest = gen_random_uuid()").await;
    assert_eq!(db.rows(OPEN).await, ["open|1"]);
}

#[tokio::test]
async fn record_that_is_bad_again_stays_open() {
    let (db, mut hand) = mended().await;
    db.execute("alter table shop.items add constraint n_is_plain check (n !~ ',')").await;
    load(&mut hand, "select").await;
    assert_eq!(db.rows(OPEN).await, ["open|2"]);
    // Good in one place and bad in another.
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.items (id bigint primary key, place bigint check (place <> 1));
         create function shop.items_v1(doc jsonb, meta jsonb) returns table (id bigint, place bigint)
         language sql stable as $$ select (doc->>'id')::bigint, (meta->>'position')::bigint $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           source => sluice.file_source(path => '-'), key => '{id}', max_bad_ratio => 1)",
    )
    .await;
    Hand::start(&db).await.load(&[BAD, "{}"]).await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&[BAD, BAD]).await,
        "extracted=2 transformed=1 quarantined=1 produced=1 inserted=1"
    );
    assert_eq!(db.rows(OPEN).await, ["open|2"]);
}
