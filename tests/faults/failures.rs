//! Failures that are not a record's fault: none is quarantined, and nothing of the batch stays.

use super::steps::{Held, Step};
use crate::support::sluice::Done;
use crate::support::workload::{ONE_WORKER, TWO_WORKERS, outcome};
use crate::support::{Fault, Loader, Proxy, TestDb, Workload, loader};

/// The run failed for good in its second batch; once the cause is gone the next run goes on.
async fn insist_failed(db: &TestDb, load: &Workload, held: Held, sqlstate: &str, cure: &str) {
    let done: Done = held.loader.wait().exits(1);
    assert_eq!(done.summary().outcome, "failed");
    assert_eq!(done.summary().count("batches"), 0);
    assert!(done.stderr.contains(sqlstate), "{done:?}");
    assert!(done.stderr.contains("next:  "), "{done:?}");
    assert_eq!(outcome(db).await, held.before);
    db.execute(cure).await;
    loader::run(db, TWO_WORKERS).exits(0);
    load.check_thoroughly(db).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn permission_lost_in_the_middle_fails_the_run_and_blames_no_record() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let role = format!("loader_{}", db.name);
    db.execute(&format!(
        "create role {role} login in role sluice_operator;
         grant usage on schema shop to {role};
         grant all on all tables in schema shop to {role};
         update sluice.pipelines set owner = '{role}'"
    ))
    .await;
    let mut held = Held::at(Step::Transform, load, &db.seen_as(&role), ONE_WORKER).await;
    db.execute(&format!("revoke insert on shop.orders from {role}")).await;
    held.release().await;
    let cure = format!("grant insert on shop.orders to {role}");
    insist_failed(&db, load, held, "42501", &cure).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn full_disk_fails_the_run_and_blames_no_record() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let mut held = Held::at(Step::Transform, load, &db, TWO_WORKERS).await;
    db.execute(
        "create function shop.fill_disk() returns trigger language plpgsql as $$
           begin raise exception using errcode = '53100', message = 'could not extend file'; end $$;
         create trigger full_disk before insert on shop.orders_log for each row
           when (new.order_id = 60) execute function shop.fill_disk()",
    )
    .await;
    held.release().await;
    insist_failed(&db, load, held, "53100", "drop trigger full_disk on shop.orders_log").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn statement_timeout_fails_the_run_and_blames_no_record() {
    let load = Workload::of(6).await;
    for step in [Step::Transform, Step::Load] {
        let db = load.database().await;
        let database = format!("alter database {}", db.name);
        db.execute(&format!("{database} set statement_timeout = '3s'")).await;
        let mut held = Held::at(step, load, &db, ONE_WORKER).await;
        db.wait_until(
            "select not exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')",
        )
        .await;
        held.release().await;
        let cure = format!("{database} reset statement_timeout");
        insist_failed(&db, load, held, "57014", &cure).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_whose_retries_are_used_up_exits_75_and_can_be_run_again() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let mut batches = 0;
    let proxy = Proxy::new(&db, move |message| {
        batches += usize::from(message.runs("sluice.begin_batch"));
        (batches > 2 && message.commits()).then_some(Fault::CutBefore)
    });
    let args = format!("{ONE_WORKER} --retries 3");
    let done = Loader::start_through(&proxy, &db, &args).wait().exits(75);
    assert_eq!(proxy.fired(), 4);
    let summary = done.summary();
    assert_eq!(summary.outcome, "failed");
    assert_eq!(summary.count("batches"), 2);
    assert_eq!(summary.count("retried"), 3);
    loader::run(&db, TWO_WORKERS).exits(0);
    load.check_thoroughly(&db).await;
}
