//! What keeps missing rows from going.

use super::{DELETE, TABLE, finish, ids, is_forgotten, puts, read, shop, try_finish};
use crate::engine::Hand;

#[tokio::test]
async fn more_than_max_delete_ratio_is_refused_and_the_read_can_be_ended_later() {
    let (db, mut hand) = shop(TABLE, "missing => 'delete', max_delete_ratio => 0.2").await;
    read(&mut hand, &puts(1..=10)).await;
    assert_eq!(read(&mut hand, &puts(1..=8)).await, "deleted=2 updated=0");
    hand.load(&puts(1..=6)).await;
    let refused = try_finish(&mut hand, None).await.unwrap_err();
    refused.is(
        "SL008",
        "pipeline \"items\": 2 of its 8 rows in shop.items are not in the source any more: 25.0% (limit 20%)",
    );
    assert!(refused.detail.contains("none of them was deleted"));
    assert!(refused.hint.contains("sluice run items --max-delete-ratio 1"), "{refused:?}");
    assert_eq!(ids(&db).await, "1 2 3 4 5 6 7 8");
    db.is_sound().await;
    // Once, or from now on.
    let mut hand = Hand::start(&db).await;
    assert!(try_finish(&mut hand, Some(0.24)).await.is_err());
    assert_eq!(try_finish(&mut hand, Some(0.25)).await.unwrap(), "deleted=2 updated=0");
    hand.load(&puts(1..=4)).await;
    assert!(try_finish(&mut hand, None).await.is_err());
    db.execute(
        "select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => '-'), max_bad_ratio => 1, missing => 'delete', max_delete_ratio => 0.4)",
    )
    .await;
    assert_eq!(finish(&mut hand).await, "deleted=2 updated=0");
    is_forgotten(&db).await;
    db.is_sound().await;
}

/// The new rows do not outweigh those that go.
#[tokio::test]
async fn a_source_that_was_exchanged_is_refused() {
    let (db, mut hand) = shop(TABLE, "missing => 'delete', max_delete_ratio => 0.5").await;
    read(&mut hand, &puts(1..=3)).await;
    hand.load(&puts(100..200)).await;
    try_finish(&mut hand, None).await.unwrap_err().is("SL008", "3 of its 3 rows");
    assert_eq!(db.value("select count(*) from shop.items").await, "103");
}

#[tokio::test]
async fn a_reference_that_forbids_the_delete_fails_it_whole() {
    for deferrable in ["", "deferrable initially deferred"] {
        let (db, mut hand) = shop(TABLE, DELETE).await;
        read(&mut hand, &puts(1..=5)).await;
        db.execute(&format!(
            "create table shop.parts (item bigint constraint part_of_item references shop.items {deferrable}); insert into shop.parts values (4)"
        ))
        .await;
        hand.load(&puts([1])).await;
        try_finish(&mut hand, None).await.unwrap_err().is("23503", "part_of_item");
        assert_eq!(ids(&db).await, "1 2 3 4 5");
        db.execute("delete from shop.parts").await;
        assert_eq!(finish(&mut hand).await, "deleted=4 updated=0");
    }
}

#[tokio::test]
async fn a_trigger_that_swallows_the_delete_is_named() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=3)).await;
    db.execute(
        "create function shop.keep() returns trigger language plpgsql as $$ begin return null; end $$;
         create trigger keep_rows before delete on shop.items for each row execute function shop.keep()",
    )
    .await;
    hand.load(&puts([1])).await;
    let problem = try_finish(&mut hand, None).await.unwrap_err();
    problem.is("SL004", "2 missing rows were to be written to shop.items, but 0 were");
    assert!(problem.detail.contains("keep_rows"), "{problem:?}");
    assert_eq!(ids(&db).await, "1 2 3");
}

#[tokio::test]
async fn a_row_that_somebody_changes_at_that_moment_is_tried_again() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=3)).await;
    hand.load(&puts([1, 2])).await;
    let rival = db.connect().await;
    rival.batch_execute("begin; update shop.items set n = 7 where id = 3").await.unwrap();
    let waiting = async {
        db.wait_until("select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%finish_snapshot%')").await;
        rival.batch_execute("commit").await.unwrap();
    };
    let (done, ()) = tokio::join!(try_finish(&mut hand, None), waiting);
    done.unwrap_err().is("40001", "changed by another session meanwhile");
    assert_eq!(finish(&mut hand).await, "deleted=1 updated=0");
    db.is_sound().await;
}

#[tokio::test]
async fn a_run_that_was_deposed_cannot_end_the_read() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=3)).await;
    hand.load(&puts([1])).await;
    hand.seq += 1;
    try_finish(&mut hand, None).await.unwrap_err().is("SL002", "expects batch 4, not 5");
    hand.seq -= 1;
    let mut next = Hand::start(&db).await;
    try_finish(&mut hand, None).await.unwrap_err().is("SL001", "deposed");
    assert_eq!(ids(&db).await, "1 2 3");
    assert_eq!(
        finish(&mut next).await,
        "deleted=2 updated=0",
        "the next run goes on with the read"
    );
    db.execute("select sluice.drop_pipeline('items')").await;
    try_finish(&mut next, None).await.unwrap_err().is("SL001", "is not known any more");
}
