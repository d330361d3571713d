//! Others who want the same pipeline, the same target, the same rows.

use super::steps::{Held, Step, gate, load_first_batch, row_lock, waiting_in};
use crate::support::workload::{ONE_WORKER, TWO_WORKERS, outcome};
use crate::support::{Loader, Sluice, Workload, loader};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_two_runs_at_once_one_works_and_one_says_who_holds_the_pipeline() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let mut held = Held::at(Step::Load, load, &db, TWO_WORKERS).await;
    let done = loader::run(&db, TWO_WORKERS).exits(4);
    assert_eq!(done.summary().outcome, "locked");
    assert!(done.stderr.contains("held by another run"), "{done:?}");
    held.release().await;
    held.loader.wait().exits(0);
    load.check_thoroughly(&db).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_six_runs_at_once_one_works() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let gate = gate(&db, 3).await;
    let mut runs: Vec<Loader> = (0..6).map(|_| Loader::start(&db, TWO_WORKERS)).collect();
    waiting_in(&db, "transform_batch").await;
    let mut turned_away = Vec::new();
    while runs.len() > 1 {
        match runs.iter_mut().position(Loader::has_ended) {
            Some(place) => turned_away.push(runs.swap_remove(place).wait()),
            None => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
        }
    }
    gate.close().await;
    for done in turned_away {
        assert_eq!(done.exits(4).summary().outcome, "locked");
    }
    runs.remove(0).wait().exits(0);
    load.check_thoroughly(&db).await;
}

/// Every one deposes the one before it, at whatever step that is.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn of_six_takeovers_at_once_the_last_one_works() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let args = format!("{TWO_WORKERS} --takeover");
    let runs: Vec<Loader> = (0..6).map(|_| Loader::start(&db, &args)).collect();
    let done: Vec<_> = runs.into_iter().map(Loader::wait).collect();
    for done in &done {
        assert!(matches!(done.code, Some(0 | 4)), "{done:?}");
    }
    assert!(done.iter().any(|done| done.code == Some(0)), "{done:?}");
    assert!(done.iter().any(|done| done.stderr.contains("took pipeline")), "{done:?}");
    load.check_thoroughly(&db).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn batch_that_loses_a_deadlock_is_repeated() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    load_first_batch(&db).await;
    // The loader looks for deadlocks first.
    db.execute(&format!("alter database {} set deadlock_timeout = '2s'", db.name)).await;
    let rival = row_lock(&db, 2).await;
    rival.batch_execute("set deadlock_timeout = '60s'").await.unwrap();
    let run = Loader::start(&db, ONE_WORKER);
    waiting_in(&db, "load_batch").await;
    // The loader has updated key 1 and waits for key 2.
    rival.batch_execute("update shop.orders set status = status where order_id = 1").await.unwrap();
    rival.batch_execute("rollback").await.unwrap();
    let done = run.wait().exits(0);
    assert!(done.stderr.contains("40P01"), "{done:?}");
    assert!(done.summary().count("retried") >= 1, "{done:?}");
    load.check_thoroughly(&db).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn batch_that_runs_into_a_lock_timeout_is_repeated() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    load_first_batch(&db).await;
    db.execute(&format!("alter database {} set lock_timeout = '100ms'", db.name)).await;
    let rival = row_lock(&db, 1).await;
    let run = Loader::start(&db, ONE_WORKER);
    // Two attempts, in transactions of their own.
    let waiting = "select xact_start from pg_stat_activity where datname = current_database()
       and wait_event_type = 'Lock' and query like '%sluice.load_batch(%'";
    let mut attempts = std::collections::HashSet::new();
    while attempts.len() < 2 {
        attempts.extend(db.rows(waiting).await);
    }
    rival.close().await;
    let done = run.wait().exits(0);
    assert!(done.stderr.contains("55P03"), "{done:?}");
    assert!(done.summary().count("retried") >= 1, "{done:?}");
    load.check_thoroughly(&db).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn databases_default_isolation_does_not_matter() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    db.execute(&format!(
        "alter database {} set default_transaction_isolation = 'serializable'",
        db.name
    ))
    .await;
    let mut held = Held::at(Step::Commit, load, &db, TWO_WORKERS).await;
    held.loader.kill();
    loader::rerun(&db, TWO_WORKERS).exits(0);
    held.release().await;
    load.check_thoroughly(&db).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_pipelines_on_one_target_write_one_after_the_other() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    db.execute(
        "select sluice.define_pipeline(name => 'orders.twin', version => 1, transform => 'shop.orders_v1',
           target => 'shop.orders', key => '{order_id}', order_by => 'updated_at', max_bad_ratio => 0.5, source => p.source)
         from sluice.pipelines p",
    )
    .await;
    let mut held = Held::at(Step::Load, load, &db, TWO_WORKERS).await;
    let twin = Loader::start(&db, &TWO_WORKERS.replace("orders", "orders.twin"));
    db.wait_until(
        "select exists (select from pg_locks l join pg_database d on d.oid = l.database where d.datname = current_database()
           and l.locktype = 'advisory' and not l.granted and l.classid::bigint = sluice._lock_class('target')::bigint)",
    )
    .await;
    held.release().await;
    held.loader.wait().exits(0);
    twin.wait().exits(0);
    let target = |lines: Vec<String>| -> Vec<String> {
        (lines.into_iter()).filter(|line| line.starts_with("target ")).collect()
    };
    let calm = load.database().await;
    loader::run(&calm, ONE_WORKER).exits(0);
    assert_eq!(target(outcome(&db).await), target(outcome(&calm).await));
    Sluice::on(&db).args(["verify"]).run().exits(0);
    let extracted = "select sum(extracted) from sluice.batches";
    assert_eq!(db.value(extracted).await, (2 * load.records).to_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn rewind_deposes_a_run_in_progress() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let mut held = Held::at(Step::Transform, load, &db, TWO_WORKERS).await;
    // To where it stands: what is compared afterwards stays comparable.
    let first = db.value("select min(batch_id) from sluice.batches").await;
    Sluice::on(&db).args(["rewind", "orders", "--to-batch", &first]).run().exits(0);
    held.release().await;
    let done = held.loader.wait().exits(4);
    assert_eq!(done.summary().outcome, "locked");
    assert!(done.stderr.contains("deposed"), "{done:?}");
    assert_eq!(db.value("select batch_seq from sluice.etl_state").await, "2");
    loader::run(&db, TWO_WORKERS).exits(0);
    let without_ledger = |lines: Vec<String>| -> Vec<String> {
        (lines.into_iter())
            .filter(|line| !line.starts_with("ledger ") && !line.starts_with("state "))
            .collect()
    };
    let calm = load.database().await;
    loader::run(&calm, ONE_WORKER).exits(0);
    assert_eq!(without_ledger(outcome(&db).await), without_ledger(outcome(&calm).await));
    Sluice::on(&db).args(["verify"]).run().exits(0);
}
