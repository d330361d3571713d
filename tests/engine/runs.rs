//! Runs: how they begin and end.

use super::{Hand, items_of_ids as shop};

#[tokio::test]
async fn a_run_that_never_ended_is_interrupted_once_the_next_begins() {
    let db = shop().await;
    let mut killed = Hand::start(&db).await;
    killed.load(&[r#"{"id": 1}"#]).await;
    let ended = "select outcome, error, finished_at = (select max(committed_at) from sluice.batches) from sluice.runs where run_id = 1";
    assert_eq!(db.value("select state from sluice.status").await, "died");
    assert_eq!(db.value(ended).await, "-|-|-");
    Hand::start(&db).await;
    assert_eq!(
        db.value(ended).await,
        "interrupted|the loader died, or lost the pipeline to run 2; what it committed stands|t"
    );
    assert_eq!(
        db.rows("select run, outcome from sluice.recent_runs").await,
        ["2|-", "1|interrupted"]
    );
    // It has no last word, should it live on.
    db.execute("select sluice.finish_run(1, 'ok')").await;
    assert_eq!(
        db.value("select outcome from sluice.runs where run_id = 1")
            .await,
        "interrupted"
    );
}

#[tokio::test]
async fn a_run_that_ended_keeps_its_outcome() {
    let db = shop().await;
    Hand::start(&db).await;
    db.execute("select sluice.finish_run(1, 'threshold', 'too many')")
        .await;
    Hand::start(&db).await;
    assert_eq!(
        db.value("select outcome, error from sluice.runs where run_id = 1")
            .await,
        "threshold|too many"
    );
}

#[tokio::test]
async fn a_run_that_waited_for_the_state_goes_on_from_what_it_finds() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#]).await;
    let holder = db.connect().await;
    holder
        .batch_execute("begin; update sluice.etl_state set epoch = epoch + 5, batch_seq = 7")
        .await
        .unwrap();
    let waiting = db.connect().await;
    let pid: i32 = waiting
        .query_one("select pg_backend_pid()", &[])
        .await
        .unwrap()
        .get(0);
    let start = async {
        waiting
            .query_one(
                "select epoch, batch_seq from sluice.start_run('items', 'me')",
                &[],
            )
            .await
            .unwrap()
    };
    let release = async {
        while db
            .value(&format!(
                "select exists (select from pg_locks where pid = {pid} and not granted)"
            ))
            .await
            != "t"
        {}
        holder.batch_execute("commit").await.unwrap();
    };
    let (row, ()) = tokio::join!(start, release);
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (7, 7));
}
