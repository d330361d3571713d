//! Ledger, runs and closed quarantine that are old enough go, and what is left proves itself.

use crate::engine::retained::raw_records::shop;
use crate::engine::{Hand, problem};
use crate::support::TestDb;

const PRUNE: &str = "select batches, runs, records from sluice.prune('items')";
const LEDGER: &str = "select batch_seq, kind, carried from sluice.batches order by batch_seq";
const BROKEN: &str =
    "select check_name, detail from sluice.verify(deep => true) where is_ok is not true";
const NOTHING: [&str; 0] = [];

/// As if all there is had been done so many days ago.
async fn age(db: &TestDb, days: u32) {
    db.execute(&format!(
        "update sluice.batches set started_at = started_at - interval '{days} days', committed_at = committed_at - interval '{days} days';
         update sluice.runs set started_at = started_at - interval '{days} days', finished_at = finished_at - interval '{days} days';
         update sluice.quarantine set first_seen_at = first_seen_at - interval '{days} days',
           last_seen_at = last_seen_at - interval '{days} days', closed_at = closed_at - interval '{days} days'"
    ))
    .await;
}

async fn finish(db: &TestDb, hand: &Hand) {
    db.execute(&format!("select sluice.finish_run({}, 'ok')", hand.run)).await;
}

/// Three batches of a run of long ago, with a record in quarantine that was discarded and one that is open.
async fn aged() -> (TestDb, Hand) {
    let db = shop("retain_history => '1 year'").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 0}"#]).await;
    hand.load(&[r#"{"id": 2, "n": 2}"#, r#"{"id": 3, "n": -3}"#]).await;
    hand.load(&[r#"{"id": 4, "n": 4}"#]).await;
    finish(&db, &hand).await;
    db.execute("select sluice.discard('items', '{1}', 'never mind')").await;
    age(&db, 400).await;
    (db, hand)
}

#[tokio::test]
async fn one_entry_stands_for_those_that_are_old_and_verify_balances() {
    let (db, _) = aged().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 5, "n": 5}"#]).await;
    finish(&db, &hand).await;
    let dry = "select batches, runs, records from sluice.prune('items', dry_run => true)";
    assert_eq!(db.rows(dry).await, ["3|1|1"]);
    assert_eq!(db.rows(LEDGER).await.len(), 4);
    assert_eq!(db.rows(PRUNE).await, ["3|1|1"]);
    assert_eq!(db.rows(PRUNE).await, NOTHING);
    assert_eq!(db.rows(LEDGER).await, ["3|carried|3", "4|load|-"]);
    assert_eq!(db.rows(BROKEN).await, NOTHING);
    assert_eq!(
        db.rows(
            "select extracted, quarantined, inserted from sluice.batches where kind = 'carried'"
        )
        .await,
        ["5|2|3"]
    );
    assert_eq!(
        db.rows("select q.status, q.payload = '{\"id\": 3, \"n\": -3}' from sluice.quarantine q")
            .await,
        ["open|t"]
    );
    // What it stands for is added to what comes to stand behind it.
    age(&db, 400).await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 6}"#]).await;
    finish(&db, &hand).await;
    assert_eq!(db.rows(PRUNE).await, ["1|1|0"]);
    assert_eq!(db.rows(LEDGER).await, ["4|carried|4", "5|load|-"]);
    assert_eq!(db.rows(BROKEN).await, NOTHING);
    assert_eq!(
        db.rows("select batches, runs, records, seen_count from sluice.pruned").await,
        ["4|2|1|1"]
    );
}

#[tokio::test]
async fn a_forged_carry_is_found_out() {
    let (db, _) = aged().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 5, "n": 5}"#]).await;
    db.rows(PRUNE).await;
    for (forged, check) in [
        ("update sluice.batches set carried = 2 where kind = 'carried'", "cursor chain"),
        ("update sluice.batches set cursor_after = '{}' where kind = 'carried'", "cursor chain"),
        ("update sluice.pruned set seen_count = 0", "books"),
        (
            "update sluice.batches set inserted = 4, produced = produced + 1 where kind = 'carried'",
            "row count",
        ),
        ("delete from sluice.pruned_batches", "lineage"),
    ] {
        let found = format!(
            "begin; {forged}; select check_name from sluice.verify(deep => true) where is_ok is false; rollback"
        );
        let found = db.connect().await.simple_query(&found).await.unwrap();
        let found = found.iter().any(|message| {
            matches!(message, tokio_postgres::SimpleQueryMessage::Row(row) if row.get(0) == Some(check))
        });
        assert!(found, "{forged}");
    }
}

#[tokio::test]
async fn edits_and_deletions_of_rows_from_before_are_still_found() {
    let (db, _) = aged().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 5, "n": 5}"#]).await;
    db.rows(PRUNE).await;
    db.execute("update shop.items set n = 11 where id = 1; delete from shop.items where id = 4")
        .await;
    let found =
        "select check_name from sluice.verify(deep => true) where is_ok is false order by 1";
    assert_eq!(db.rows(found).await, ["row count", "row hashes"]);
    let why =
        "select value from sluice.why('items', '2') where fact in ('row', 'batch') order by fact";
    let why = db.rows(why).await;
    assert!(why[0].contains("the rest was pruned from the ledger"), "{why:?}");
}

#[tokio::test]
async fn a_record_from_before_replays_as_if_its_batch_were_there() {
    // Between the batch that set the record aside and now its row was written anew, or not.
    for (later, loaded) in [(true, false), (false, true)] {
        let db = shop("retain_history => '1 year'").await;
        let mut hand = Hand::start(&db).await;
        hand.load(&[r#"{"id": 1, "n": 1}"#]).await;
        hand.load(&[r#"{"id": 1, "n": 0}"#]).await;
        if later {
            hand.load(&[r#"{"id": 1, "n": 3}"#]).await;
        }
        finish(&db, &hand).await;
        age(&db, 400).await;
        let mut hand = Hand::start(&db).await;
        hand.load(&[r#"{"id": 9, "n": 9}"#]).await;
        assert_ne!(db.rows(PRUNE).await, NOTHING);
        db.execute("alter table shop.items drop constraint items_n_check").await;
        assert_eq!(
            db.rows("select updated, stale, unsure from sluice.replay('items')").await,
            [if loaded { "1|0|0" } else { "0|1|0" }]
        );
        assert_eq!(
            db.rows("select n from shop.items where id = 1").await,
            [if later { "3" } else { "0" }]
        );
        assert_eq!(db.rows("select sum(seen_count) from sluice.quarantine").await, ["1"]);
    }
}

#[tokio::test]
async fn a_cursor_is_not_set_back_behind_what_was_pruned_but_to_the_start() {
    let (db, _) = aged().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 5, "n": 5}"#]).await;
    hand.load(&[r#"{"id": 6, "n": 6}"#]).await;
    db.rows(PRUNE).await;
    for goal in ["to_batch => 2", "to_time => now() - interval '500 days'"] {
        problem(&db, &format!("select sluice.rewind('items', {goal})")).await.refuses(
            "was pruned from the ledger",
            "to_start => true (--to-start) reads everything again",
        );
    }
    let carry = db.value("select batch_id from sluice.batches where kind = 'carried'").await;
    db.execute(&format!("select sluice.rewind('items', to_batch => {carry})")).await;
    assert_eq!(
        db.rows("select cursor, batch_seq from sluice.etl_state").await,
        [r#"{"batch": 3}|6"#]
    );
    assert_eq!(db.rows(BROKEN).await, NOTHING);
    db.execute("select sluice.rewind('items', to_start => true)").await;
    assert_eq!(db.rows(BROKEN).await, NOTHING);
    // From here nobody knows any more how far files had been read when it was pruned.
    problem(&db, &format!("select sluice.rewind('items', to_batch => {carry})"))
        .await
        .refuses("was pruned from the ledger", "to_start");
}

#[tokio::test]
async fn goals_of_rewinds_snapshots_and_retained_payloads_hold_the_ledger() {
    let (db, _) = aged().await;
    db.execute(
        "select sluice.rewind('items', to_batch => 2);
         update sluice.batches set committed_at = now() - interval '1 day' where kind = 'rewind'",
    )
    .await;
    assert_eq!(db.rows("select batches from sluice.prune('items')").await, ["2"]);
    assert_eq!(db.rows(LEDGER).await, ["2|carried|2", "3|load|-", "4|rewind|-"]);
    assert_eq!(db.rows(BROKEN).await, NOTHING);

    let (db, _) = aged().await;
    db.execute(
        "update sluice.pipelines set retain_raw = '5 years';
         insert into sluice.raw_days values (1, (now() at time zone 'UTC')::date - 1000)",
    )
    .await;
    assert_eq!(db.rows("select batches, records from sluice.prune('items')").await, ["0|1"]);
}

#[tokio::test]
async fn each_call_prunes_so_many_and_waits_for_no_batch() {
    let (db, _) = aged().await;
    let loading = db.connect().await;
    loading.batch_execute("begin; select from sluice.etl_state for update").await.unwrap();
    assert_eq!(db.rows(PRUNE).await, NOTHING);
    loading.batch_execute("rollback").await.unwrap();
    let some = "select batches, runs, records from sluice.prune('items', max_rows => 1)";
    assert_eq!(db.rows(some).await, ["2|0|1"]);
    assert_eq!(db.rows(some).await, NOTHING);
    assert_eq!(db.rows(LEDGER).await, ["2|carried|2", "3|load|-"]);
    problem(&db, "select sluice.prune('items', history_before => now() + interval '1 day')")
        .await
        .refuses("has not come yet", "1 year");
}
