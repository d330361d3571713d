//! Loaders that freeze, are taken over, and wake up.

use super::steps::{Held, STEPS, Step};
use crate::support::sluice::Done;
use crate::support::workload::{ONE_WORKER, TWO_WORKERS, outcome, reset};
use crate::support::{Fault, Loader, Proxy, Workload, loader};

#[track_caller]
fn insist_deposed(done: Done, about: &str) {
    let done = done.exits(4);
    assert_eq!(done.summary().outcome, "locked", "{about} {done:?}");
    assert!(done.stderr.contains("deposed"), "{about} {done:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn loader_frozen_at_any_step_is_deposed_when_it_wakes() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    for step in STEPS {
        for args in [ONE_WORKER, TWO_WORKERS] {
            reset(&db).await;
            let about = format!("{step:?} {args}");
            let mut held = Held::at(step, load, &db, args).await;
            held.loader.freeze();
            held.unlock().await;
            let takeover = loader::run(&db, &format!("{args} --takeover")).exits(0);
            assert!(takeover.stderr.contains("took pipeline"), "{takeover:?}");
            load.check_data(&db, &about).await;
            held.loader.wake();
            held.release().await;
            insist_deposed(held.loader.wait(), &about);
            load.check(&db, &about).await;
        }
    }
}

/// Nobody ends its sessions: what stops the woken loader is the fence alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn fence_alone_stops_a_woken_loader() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    for step in [Step::Begin, Step::Copy, Step::Transform] {
        reset(&db).await;
        let mut held = Held::at(step, load, &db, TWO_WORKERS).await;
        held.loader.freeze();
        let start =
            "select count(*) from sluice.start_run(pipeline => 'orders', loader => 'a successor')";
        assert_eq!(db.value(start).await, "1");
        held.loader.wake();
        held.release().await;
        insist_deposed(held.loader.wait(), &format!("{step:?}"));
        assert_eq!(outcome(&db).await, held.before, "{step:?}");
        loader::run(&db, TWO_WORKERS).exits(0);
        load.check(&db, &format!("{step:?}")).await;
    }
}

/// It froze between the answer of `load_batch` and COMMIT, with the state locked.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn loader_frozen_with_the_state_locked_is_taken_over() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let proxy =
        Proxy::once(&db, Fault::StopAndHold, |message| message.answers("sluice.load_batch"));
    let frozen = Loader::start_through(&proxy, &db, ONE_WORKER);
    proxy.wait_until_fired(1);
    let locked = "select pg_try_advisory_xact_lock(sluice._lock_class('guard'), pipeline_id) from sluice.pipelines";
    assert_eq!(db.value(locked).await, "f");
    loader::run(&db, &format!("{ONE_WORKER} --takeover")).exits(0);
    load.check_data(&db, "before it woke").await;
    proxy.release();
    frozen.wake();
    insist_deposed(frozen.wait(), "load_batch");
    load.check_thoroughly(&db).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn hung_loader_is_taken_over_without_being_asked() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    for step in [Step::Copy, Step::Commit] {
        reset(&db).await;
        let mut held = Held::at(step, load, &db, TWO_WORKERS).await;
        held.loader.freeze();
        db.wait_until("select silent_seconds > 3 from sluice.pipeline_holder('orders')").await;
        let done = loader::run(&db, &format!("{TWO_WORKERS} --stale-after 3")).exits(0);
        assert!(done.stderr.contains("took pipeline"), "{done:?}");
        held.loader.wake();
        held.release().await;
        insist_deposed(held.loader.wait(), &format!("{step:?}"));
        load.check(&db, &format!("{step:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn living_loader_is_not_taken_over_however_long_its_batch_takes() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let mut held = Held::at(Step::Transform, load, &db, TWO_WORKERS).await;
    db.wait_until(
        "select clock_timestamp() - xact_start > interval '5 s' from pg_stat_activity
         where pid = (select pid from sluice.pipeline_holder('orders'))",
    )
    .await;
    for _ in 0..5 {
        let done = loader::run(&db, &format!("{TWO_WORKERS} --stale-after 3")).exits(4);
        assert_eq!(done.summary().outcome, "locked");
        assert!(done.stderr.contains("held by another run"), "{done:?}");
    }
    held.release().await;
    held.loader.wait().exits(0);
    load.check_thoroughly(&db).await;
}
