//! When the record arrived that made a row, however it was loaded.

use super::replay::{BY_ARRIVAL, assert_proven, register_version_2, replay, shop};
use crate::engine::Hand;
use crate::support::{TestDb, db};

/// Twice the same keys: loaded by a first replay, then replayed over by a second one. Returns what the second
/// called and read.
async fn second_replay(records: usize) -> (Vec<String>, usize) {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    register_version_2(&db, BY_ARRIVAL).await;
    for n in ["seven", "eight"] {
        let bad: Vec<String> =
            (0..records).map(|id| format!(r#"{{"id": {id}, "n": "{n}"}}"#)).collect();
        hand.load(&bad).await;
        if n == "seven" {
            assert_eq!(
                replay(&db, ", version => 2").await,
                [format!("replayed={records} inserted={records}")]
            );
        }
    }
    let session = db.connect().await;
    session.batch_execute("set track_functions = 'all'; begin").await.unwrap();
    let done =
        db::rows(&session, "select replayed, updated from sluice.replay('items', version => 2)")
            .await;
    assert_eq!(done, [format!("{records}|{records}")]);
    let called = db::rows(
        &session,
        "select funcname, calls from pg_stat_xact_user_functions where schemaname = 'sluice' and funcname <> '_is_text' order by 1",
    )
    .await;
    assert!(called.len() > 20, "{called:?}");
    let read = db::rows(
        &session,
        "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where schemaname = 'sluice' and relname = 'quarantine'",
    )
    .await;
    session.batch_execute("commit").await.unwrap();
    assert_proven(&db).await;
    (called, read[0].parse().unwrap())
}

#[tokio::test]
async fn replay_over_rows_of_a_replay_takes_the_same_steps_for_few_and_for_many() {
    let (few, _) = second_replay(5).await;
    let (many, read) = second_replay(400).await;
    assert_eq!(few, many, "no function is called for each record");
    assert!(read < 400 * 20, "{read} records read to replay 400");
}

/// The end of the migration that made the table: replays of before are to be noted.
fn migrated() -> String {
    let migration = include_str!("../../../migrations/V9__records.sql");
    let start =
        migration.find("insert into sluice.replayed_keys").expect("it notes the replays of before");
    let (note, _) = migration[start..].split_once(';').expect("a statement");
    format!("delete from sluice.replayed_keys; {note}")
}

#[tokio::test]
async fn replays_of_before_an_upgrade_are_noted_when_they_are_asked_for() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    register_version_2(&db, BY_ARRIVAL).await;
    let (old, new) = (r#"{"id": 1, "n": "seven"}"#, r#"{"id": 1, "n": "eight"}"#);
    // Both wait; the newer one is replayed first, by an engine that noted nothing.
    hand.load(&[old, r#"{"id": 2, "n": "seven"}"#]).await;
    hand.load(&[new]).await;
    replay(&db, ", version => 2, quarantine_ids => '{3}'").await;
    let noted = "select count(*), count(*) filter (where key_hash = ''), min(arrived_at) = (select min(committed_at) from sluice.batches where batch_seq = 2)
                 from sluice.replayed_keys";
    assert_eq!(db.value(noted).await, "1|0|t");
    db.execute(&migrated()).await;
    assert_eq!(db.value(noted).await, "1|1|f");
    assert_eq!(
        replay(&db, ", version => 2, quarantine_ids => '{1}'").await,
        ["replayed=1 stale=1"]
    );
    assert_eq!(
        db.rows("select id, n from shop.items").await,
        ["1|8"],
        "the older record has not come back"
    );
    assert_eq!(
        db.value(
            "select count(*), count(*) filter (where key_hash = '') from sluice.replayed_keys"
        )
        .await,
        "2|0"
    );
    assert_proven(&db).await;
}

#[tokio::test]
async fn notes_of_replays_go_with_their_pipeline() {
    let (db, mut hand): (TestDb, Hand) = shop(BY_ARRIVAL).await;
    register_version_2(&db, BY_ARRIVAL).await;
    hand.load(&[r#"{"id": 1, "n": "seven"}"#]).await;
    replay(&db, ", version => 2").await;
    db.execute("select sluice.drop_pipeline('items')").await;
    assert_eq!(db.value("select count(*) from sluice.replayed_keys").await, "0");
}
