//! Behind PgBouncer in transaction mode a session belongs to nobody for longer than a transaction.

use super::replays::{REPLAY, check, held_in_its_second_batch, quarantined};
use super::steps::{gate, waiting_in};
use crate::support::pooler::Pooler;
use crate::support::workload::TWO_WORKERS;
use crate::support::{Loader, Sluice, Workload, loader};

/// As many as a run of two workers holds at a time: each of them one, and one the pipeline.
const SESSIONS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_killed_behind_a_transaction_pooler_is_gone_on_with() {
    let Some(pooler) = Pooler::start(SESSIONS) else {
        return;
    };
    let load = Workload::of(6).await;
    let db = pooler.before(&load.database().await);
    let gate = gate(&db, 2).await;
    let run = Loader::start(&db, TWO_WORKERS);
    waiting_in(&db, "transform_batch").await;
    run.kill();
    let _ = run.wait();
    gate.close().await;
    loader::rerun(&db, TWO_WORKERS).exits(0);
    load.check_thoroughly(&db).await;
    for look in [
        &["status"][..],
        &["status", "orders"],
        &["quarantine", "orders"],
        &["quarantine", "orders", "--by-error"],
        &["verify", "orders", "--deep"],
        &["doctor"],
    ] {
        Sluice::on(&db).args(look).run().exits(0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn replay_killed_behind_a_transaction_pooler_is_gone_on_with() {
    let Some(pooler) = Pooler::start(SESSIONS) else {
        return;
    };
    let db = pooler.before(&quarantined().await);
    let (replay, lock) = held_in_its_second_batch(&db, &[]).await;
    replay.kill();
    let _ = replay.wait();
    lock.close().await;
    Sluice::on(&db).args(REPLAY).run().exits(0);
    check(&db, "behind the pooler").await;
}
