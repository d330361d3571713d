//! Who waits for whom, and who does not.

use super::replay::{BY_ARRIVAL, assert_proven, register_version_2, shop};
use crate::engine::Problem;
use crate::support::db;

#[tokio::test]
async fn dropping_a_pipeline_waits_for_a_replay_and_does_not_deadlock_with_it() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    register_version_2(&db, BY_ARRIVAL).await;
    hand.load(&[r#"{"id": 1, "n": "seven"}"#]).await;
    let replay = db.connect().await;
    // A replay that has the target and its records, and is about to write the ledger.
    replay
        .batch_execute(
            "set deadlock_timeout = '10ms'; begin;
             select sluice._lock_target('shop.items'::regclass);
             select from sluice.quarantine for no key update",
        )
        .await
        .unwrap();
    let ((), ()) = tokio::join!(
        db.execute("set deadlock_timeout = '60s'; select sluice.drop_pipeline('items')"),
        async {
            db.wait_until("select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%drop_pipeline%' and pid <> pg_backend_pid())").await;
            let done =
                db::rows(&replay, "select replayed from sluice.replay('items', version => 2)")
                    .await;
            assert_eq!(done, ["1"]);
            replay.batch_execute("commit").await.unwrap();
        }
    );
    assert_eq!(
        db.value("select (select count(*) from shop.items), count(*) from sluice.pipelines").await,
        "1|0"
    );
}

#[tokio::test]
async fn work_on_records_keeps_nobody_from_referring_to_them() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    register_version_2(&db, BY_ARRIVAL).await;
    hand.load(&[r#"{"id": 1, "n": "seven"}"#]).await;
    for work in [
        "select sluice.amend(1, '{\"id\": 1, \"n\": \"seven\" }', 'x')",
        "select sluice.replay('items', version => 2)",
        "select sluice.discard('items', '{1}', 'x')",
    ] {
        let session = db.connect().await;
        session.batch_execute(&format!("begin; {work}")).await.unwrap();
        db.execute("select from sluice.quarantine for key share nowait").await;
        session.batch_execute("rollback").await.unwrap();
    }
    assert_proven(&db).await;
}

/// Nobody can read which constraints a transaction has deferred, so nobody could defer them again.
#[tokio::test]
async fn replay_checks_the_deferred_constraints_of_its_caller_at_once_and_blames_no_record() {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    register_version_2(&db, BY_ARRIVAL).await;
    hand.load(&[r#"{"id": 1, "n": "seven"}"#]).await;
    db.execute(
        "insert into shop.items values (5); create table shop.notes (item bigint constraint notes_are_about_items references shop.items deferrable initially deferred)",
    )
    .await;
    let session = db.connect().await;
    let replayed = "select replayed from sluice.replay('items', version => 2)";
    for (item, is_there) in [(5, true), (2, false)] {
        session
            .batch_execute(&format!("begin; insert into shop.notes values ({item})"))
            .await
            .unwrap();
        let done = session.simple_query(replayed).await;
        if let Err(error) = done {
            Problem::of(&error).is("23503", "notes_are_about_items");
            assert!(!is_there, "{error:?}");
        } else {
            assert!(is_there, "accepted");
            let late =
                session.batch_execute("insert into shop.notes values (3)").await.unwrap_err();
            assert_eq!(late.code().unwrap().code(), "23503", "still immediate");
        }
        session.batch_execute("rollback").await.unwrap();
    }
}
