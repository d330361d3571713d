//! Sessions and servers that end, and answers that are lost: the run recovers by itself.

use super::steps::{Held, STEPS, Step, gate, waiting_in};
use crate::support::server::TestServer;
use crate::support::wire::{From, Message};
use crate::support::workload::{ONE_WORKER, TWO_WORKERS, reset};
use crate::support::{Fault, Loader, Proxy, Sluice, TestDb, Workload};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgsluice::db::connect;
use std::io::{Write, pipe};

/// Ends the sessions of batches, not the one that holds the pipeline.
const END_BATCHES: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity
   where datname = current_database() and application_name like 'sluice orders%'
     and pid not in (select pid from sluice.pipeline_holder('orders'))";

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_whose_session_is_terminated_at_any_step_repeats_the_batch() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    for step in STEPS {
        reset(&db).await;
        let mut held = Held::at(step, load, &db, ONE_WORKER).await;
        assert_eq!(db.value(END_BATCHES).await, "1", "{step:?}");
        held.release().await;
        let done = held.loader.wait().exits(0);
        assert!(done.summary().count("retried") >= 1, "{step:?} {done:?}");
        load.check(&db, &format!("{step:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_whose_guard_is_terminated_goes_on_behind_the_fence() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let mut held = Held::at(Step::Transform, load, &db, TWO_WORKERS).await;
    let guard = "select pg_terminate_backend(pid) from sluice.pipeline_holder('orders')";
    assert_eq!(db.value(guard).await, "t");
    held.release().await;
    held.loader.wait().exits(0);
    load.check_thoroughly(&db).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_survives_crashes_of_the_server() {
    let load = Workload::of(6).await;
    let server = TestServer::start();
    let db = TestDb::of(&server, "sluice");
    pgsluice::install::migrate(&db.connector()).await.unwrap();
    load.define(&db).await;
    for step in [Step::Copy, Step::Transform, Step::Load, Step::Commit] {
        reset(&db).await;
        let mut held = Held::at(step, load, &db, TWO_WORKERS).await;
        crash(&server).await;
        held.release().await;
        pgsluice::embedded::at(&server.home).start().unwrap();
        let done = held.loader.wait().exits(0);
        assert!(done.summary().count("retried") >= 1, "{step:?} {done:?}");
        load.check(&db, &format!("{step:?}")).await;
    }

    // Without a proxy: the loader finds no server where one was.
    reset(&db).await;
    let _gone_with_the_server = gate(&db, 3).await;
    let run = Loader::start(&db, TWO_WORKERS);
    waiting_in(&db, "transform_batch").await;
    crash(&server).await;
    pgsluice::embedded::at(&server.home).start().unwrap();
    let done = run.wait().exits(0);
    assert!(done.summary().count("retried") >= 1, "{done:?}");
    load.check_thoroughly(&db).await;
}

/// Ends the server as a crash does and waits until it is gone.
async fn crash(server: &TestServer) {
    let postmaster = Pid::from_raw(server.pid());
    kill(postmaster, Signal::SIGQUIT).unwrap();
    while kill(postmaster, None).is_ok() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn batch_whose_commit_answer_is_lost_is_not_loaded_twice() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    for args in [ONE_WORKER, TWO_WORKERS] {
        reset(&db).await;
        // Of every batch.
        let proxy = Proxy::new(&db, |message| message.answers_commit().then_some(Fault::CutBefore));
        // A batch that is committed makes the budget full again.
        let args = format!("{args} --retries {}", if args == ONE_WORKER { 1 } else { 2 });
        let done = Loader::start_through(&proxy, &db, &args).wait().exits(0);
        assert_eq!(proxy.fired(), load.batches());
        let resolved = done.stderr.matches("the commit had arrived").count();
        assert_eq!(resolved, load.batches(), "{done:?}");
        let summary = done.summary();
        assert_eq!(summary.count("batches"), 6);
        assert_eq!(summary.count("extracted"), 300);
        load.check(&db, &args).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn batch_whose_commit_is_lost_is_repeated() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    for fault in [Fault::CutBefore, Fault::HalfOpen] {
        reset(&db).await;
        let mut commits = 0;
        // The second batch's.
        let proxy = Proxy::once(&db, fault, move |message| {
            commits += usize::from(message.commits());
            commits == 2
        });
        let done = Loader::start_through(&proxy, &db, TWO_WORKERS).wait().exits(0);
        assert_eq!(proxy.fired(), 1);
        assert!(!done.stderr.contains("the commit had arrived"), "{done:?}");
        assert!(done.summary().count("retried") >= 1, "{done:?}");
        assert_eq!(done.summary().count("extracted"), 300);
        proxy.release();
        load.check(&db, &format!("{fault:?}")).await;
    }
}

/// What is lost while the loader has nothing to say on it is noticed before the next batch is begun.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_whose_connection_is_lost_between_two_batches_takes_another_one() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let (reader, mut writer) = pipe().unwrap();
    let record = |id: usize| {
        format!("{{\"id\": {id}, \"amount\": 1, \"status\": \"s\", \"at\": \"2026-01-01Z\"}}\n")
    };
    writer.write_all(record(1).as_bytes()).unwrap();
    let proxy = Proxy::once(&db, Fault::CutAfter, |message| {
        message.from == From::Server && message.tag == b'Z' && message.statement == "commit"
    });
    let command = Sluice::bare()
        .env("DATABASE_URL", proxy.url(&db))
        .args(["run", "orders", "--workers", "1", "--batch-rows", "1"])
        .args(["--path", "-", "--format", "ndjson"])
        .stdin(reader);
    let loader = Loader::hit(&proxy, command);
    proxy.wait_until_fired(1);
    db.wait_until(
        "select count(*) = 1 and count(*) = (select count(*) from sluice.pipeline_holder('orders'))
         from pg_stat_activity where datname = current_database() and application_name like 'sluice orders%'",
    )
    .await;
    writer.write_all(record(2).as_bytes()).unwrap();
    drop(writer);
    let done = loader.wait().exits(0);
    assert_eq!(done.summary().count("inserted"), 2);
    assert_eq!(done.summary().count("retried"), 0, "{done:?}");
}

/// The call was done and its session holds the state when the connection goes, unnoticed by
/// the server.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn session_left_behind_with_the_state_locked_does_not_stop_the_run() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    for statement in ["sluice.start_run", "sluice.load_batch", "sluice.batch_outcome"] {
        reset(&db).await;
        let (mut is_lost, mut is_left) = (statement != "sluice.batch_outcome", false);
        let proxy = Proxy::new(&db, move |message| {
            if !is_lost && message.answers_commit() {
                is_lost = true;
                return Some(Fault::CutBefore);
            }
            let leave = !is_left && message.ends(statement);
            is_left |= leave;
            leave.then_some(Fault::HalfOpen)
        });
        let run = Loader::start_through(&proxy, &db, TWO_WORKERS);
        let done = run.wait().exits(0);
        let faults = 1 + usize::from(statement == "sluice.batch_outcome");
        assert_eq!(proxy.fired(), faults, "{statement}");
        proxy.release();
        load.check(&db, &format!("{statement} {done:?}")).await;
    }
}

/// It was slower than the question what had become of its batch.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn session_left_behind_that_locks_the_state_late_does_not_stop_the_run() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let mut held = Held::at(Step::Transform, load, &db, ONE_WORKER).await;
    let late = connect(&db.settings, "sluice orders").await.unwrap();
    late.batch_execute(
        "begin; select pg_advisory_xact_lock_shared(sluice._lock_class('batch'), pipeline_id) from sluice.etl_state;
         select from sluice.etl_state for update",
    )
    .await
    .unwrap();
    held.release().await;
    let done = held.loader.wait().exits(0);
    assert!(done.summary().count("retried") >= 1, "{done:?}");
    load.check(&db, "after the late one").await;
}

/// It might begin its run after the next one, which would be deposed.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn start_that_was_lost_is_ended_before_the_next_one() {
    let load = Workload::of(3).await;
    let db = load.database().await;
    let mut is_lost = false;
    let proxy = Proxy::new(&db, move |message| {
        if !is_lost {
            is_lost = message.ends("sluice.start_run");
            return is_lost.then_some(Fault::HalfOpen);
        }
        message.runs("sluice.evict_loader").then_some(Fault::Hold)
    });
    let run = Loader::start_through(&proxy, &db, ONE_WORKER);
    proxy.wait_until_fired(2);
    let is_next = |message: &&Message| message.runs("sluice.start_run");
    assert_eq!(proxy.log().iter().filter(is_next).count(), 1);
    proxy.release();
    let done = run.wait().exits(0);
    assert_eq!(done.summary().count("retried"), 1, "{done:?}");
    load.check(&db, "after the lost start").await;
}
