//! Retained payloads are those of committed batches, each once, whatever happened to the loader.

use super::steps::{Held, STEPS};
use crate::support::workload::{ONE_WORKER, TWO_WORKERS, reset};
use crate::support::{TestDb, Workload, loader};

/// A database in which the load's pipeline retains.
async fn database(load: &Workload) -> TestDb {
    let db = load.database().await;
    db.execute("update sluice.pipelines set retain_raw = '7 days'").await;
    db
}

async fn forget(db: &TestDb) {
    reset(db).await;
    db.execute("delete from sluice.raw_days").await;
}

/// The payloads of the load, in order.
const KEPT: &str =
    "select origin, position, payload from sluice.raw_records('orders') order by origin, position";
/// Batches that retain more, or less, than they loaded; and payloads of no batch.
const ODD: &str = "
    select b.batch_id::text, b.transformed + b.filtered, c.records from sluice.batches b
    full join sluice._raw_counts((select pipeline_id from sluice.pipelines), null) c using (batch_id)
    where b.transformed + b.filtered is distinct from c.records";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn payloads_of_committed_batches_are_kept_once_after_kills_at_every_step() {
    let load = Workload::of(6).await;
    let db = database(load).await;
    loader::run(&db, ONE_WORKER).exits(0);
    let calm = db.rows(KEPT).await;
    assert!(calm.len() > 200, "{}", calm.len());
    assert_eq!(db.rows(ODD).await, Vec::<String>::new());
    for (step, args) in STEPS.into_iter().zip([ONE_WORKER, TWO_WORKERS].into_iter().cycle()) {
        forget(&db).await;
        let mut held = Held::at(step, load, &db, args).await;
        held.loader.kill();
        assert_eq!(db.rows(ODD).await, Vec::<String>::new(), "{step:?}, killed");
        held.unlock().await;
        loader::rerun(&db, args).exits(0);
        assert_eq!(db.rows(ODD).await, Vec::<String>::new(), "{step:?}");
        assert!(db.rows(KEPT).await == calm, "{step:?}");
        held.release().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_prunes_at_its_end_and_a_dry_run_does_not() {
    let load = Workload::of(6).await;
    let db = database(load).await;
    db.execute(
        "insert into sluice.raw_days select pipeline_id, '2026-01-01' from sluice.pipelines",
    )
    .await;
    let old = "select count(*) from sluice.retained() where retained_on = '2026-01-01'";
    loader::run(&db, "orders --batch-rows 50 --dry-run").exits(0);
    assert_eq!(db.rows("select retained_on from sluice.retained()").await, ["2026-01-01"]);
    let reader = db.connect().await;
    reader.batch_execute("begin; select from sluice.raw_1_20260101").await.unwrap();
    let done = loader::run(&db, ONE_WORKER).exits(0);
    assert!(done.stderr.contains("being read; they go with the next prune"), "{done:?}");
    assert_eq!(db.value(old).await, "1");
    reader.batch_execute("commit").await.unwrap();
    loader::run(&db, ONE_WORKER).exits(0);
    assert_eq!(db.value(old).await, "0");
    assert_eq!(db.rows(ODD).await, Vec::<String>::new());
}
