//! The view people look at first.

use crate::engine::{Hand, items, items_of_ids};
use crate::support::TestDb;

const STATE: &str = "select state from sluice.status";

#[tokio::test]
async fn state_follows_the_life_of_a_run() {
    let db = items_of_ids().await;
    assert_eq!(
        db.value("select pipeline, state, version, target, run, started_at, batches, extracted, written, quarantined, open_quarantine, cursor from sluice.status_details").await,
        "items|new|1|shop.items|-|-|0|0|0|0|0|-"
    );
    let guard = db.connect().await;
    guard.batch_execute("begin; select sluice.hold_pipeline('items')").await.unwrap();
    let mut hand = Hand::start(&db).await;
    assert_eq!(db.value(STATE).await, "running");
    hand.load(&[r#"{"id": 1}"#, r#"{"id": 2}"#, "bad"]).await;
    guard.batch_execute("rollback").await.unwrap();
    // Nobody holds it, and it has no outcome.
    assert_eq!(db.value(STATE).await, "died");
    for outcome in ["ok", "failed", "threshold", "locked", "interrupted"] {
        let hand = Hand::start(&db).await;
        db.execute(&format!("select sluice.finish_run({}, '{outcome}')", hand.run)).await;
        assert_eq!(db.value(STATE).await, outcome);
    }
    assert_eq!(
        db.value("select batches, extracted, written, quarantined, open_quarantine, cursor from sluice.status_details").await,
        r#"1|0|0|0|1|{"batch": 1}"#
    );
    db.execute("select sluice.pause_pipeline('items')").await;
    assert_eq!(db.value(STATE).await, "paused");
}

#[tokio::test]
async fn pipeline_is_held_by_one_session_at_a_time() {
    let db = items_of_ids().await;
    let guard = db.connect().await;
    guard
        .batch_execute(
            "set application_name = 'sluice guard'; begin; select sluice.hold_pipeline('items')",
        )
        .await
        .unwrap();
    assert_eq!(db.value("select sluice.hold_pipeline('items')").await, "f");
    assert_eq!(
        db.value("select application_name, username = session_user, silent_seconds >= 0 from sluice.pipeline_holder('items')").await,
        "sluice guard|t|t"
    );
    // Another database of the cluster has pipelines of its own.
    let other = TestDb::new().await;
    items(&other, "id bigint primary key", "id bigint", "(doc->>'id')::bigint", "key => '{id}'")
        .await;
    assert_eq!(other.value("select sluice.hold_pipeline('items')").await, "t");
    assert_eq!(
        other.rows("select * from sluice.pipeline_holder('items')").await,
        Vec::<String>::new()
    );
    assert_eq!(db.value("select sluice.evict_loader('items')").await, "0");
    assert_eq!(db.value("select sluice.evict_loader('items', guard_too => true)").await, "1");
    while db.value("select sluice.hold_pipeline('items')").await == "f" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn only_sessions_of_loaders_are_evicted() {
    let db = items_of_ids().await;
    let by_hand = Hand::start(&db).await;
    by_hand.stage(&[r#"{"id": 1}"#]).await.unwrap();
    let loader = Hand::start(&db).await;
    loader.session.batch_execute("set application_name = 'sluice'").await.unwrap();
    loader.stage(&[r#"{"id": 2}"#]).await.unwrap();
    assert!(
        db.value("select string_agg(application_name, ',') from pg_stat_activity where application_name like 'sluice items%' and datname = current_database()").await
            .starts_with("sluice items run 2 batch ")
    );
    assert_eq!(db.value("select sluice.evict_loader('items')").await, "1");
    assert!(loader.session.simple_query("select 1").await.is_err());
    by_hand.transform().await.unwrap();
}

#[tokio::test]
async fn outcome_of_a_run_is_noted_once_and_has_to_be_known() {
    let db = items_of_ids().await;
    let hand = Hand::start(&db).await;
    crate::engine::problem(&db, &format!("select sluice.finish_run({}, 'fine')", hand.run))
        .await
        .is("23514", "runs_outcome_is_known");
    db.execute(&format!("select sluice.finish_run({}, 'failed', 'because')", hand.run)).await;
    db.execute(&format!("select sluice.finish_run({}, 'ok')", hand.run)).await;
    assert_eq!(db.value("select outcome, error from sluice.runs").await, "failed|because");
}
