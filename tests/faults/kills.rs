//! `kill -9`.

use super::steps::{Held, Step, gate, load_first_batch, row_lock, waiting_in};
use crate::support::workload::{ONE_WORKER, TWO_WORKERS, outcome, reset, wait_until_no_loader};
use crate::support::{Fault, Loader, Proxy, Workload, loader};

async fn kill_at(step: Step) {
    let load = Workload::of(6).await;
    let db = load.database().await;
    for args in [ONE_WORKER, TWO_WORKERS] {
        reset(&db).await;
        let mut held = Held::at(step, load, &db, args).await;
        held.loader.kill();
        assert_eq!(outcome(&db).await, held.before, "{step:?}");
        // A lock of somebody else's keeps the next run waiting too; what the dead loader
        // left must not.
        held.unlock().await;
        loader::rerun(&db, args).exits(0);
        load.check_data(&db, &format!("{step:?} {args}")).await;
        held.release().await;
        load.check_thoroughly(&db).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn rerun_after_kill_in_begin_loads_each_record_once() {
    kill_at(Step::Begin).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn rerun_after_kill_in_copy_loads_each_record_once() {
    kill_at(Step::Copy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn rerun_after_kill_in_transform_loads_each_record_once() {
    kill_at(Step::Transform).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn rerun_after_kill_in_merge_loads_each_record_once() {
    kill_at(Step::Load).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn rerun_after_kill_before_commit_loads_each_record_once() {
    kill_at(Step::Commit).await;
}

/// What it had in hand ends although nobody asks for it: locks of the target would be held as long as the statement takes.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn statement_of_a_loader_that_died_ends_by_itself() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    for (function, is_in_merge) in [("transform_batch", false), ("load_batch", true)] {
        reset(&db).await;
        load_first_batch(&db).await;
        let hindrance = match is_in_merge {
            true => row_lock(&db, 1).await,
            false => gate(&db, 1).await,
        };
        let loader = Loader::start(&db, ONE_WORKER);
        waiting_in(&db, function).await;
        loader.kill();
        wait_until_no_loader(&db).await;
        hindrance.close().await;
        loader::run(&db, ONE_WORKER).exits(0);
        load.check_thoroughly(&db).await;
    }
}

/// The commit was in the network when its sender died.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn commit_that_arrives_after_its_loader_died_counts_once() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let mut held = Held::at(Step::Commit, load, &db, ONE_WORKER).await;
    held.loader.kill();
    assert_eq!(outcome(&db).await, held.before);
    held.release().await;
    db.wait_until("select batch_seq = 2 from sluice.etl_state").await;
    loader::rerun(&db, ONE_WORKER).exits(0);
    load.check_thoroughly(&db).await;
}

/// Several faults of several kinds in a row. `SLUICE_SEED` repeats a failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn runs_with_random_faults_load_each_record_once() {
    let seed = std::env::var("SLUICE_SEED")
        .map_or_else(|_| fastrand::u64(..), |seed| seed.parse().expect("SLUICE_SEED is a number"));
    println!("SLUICE_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let load = Workload::of(6).await;
    let db = load.database().await;
    let mut fired = 0;
    for round in 0..15 {
        reset(&db).await;
        for _ in 0..3 {
            let number = random.usize(1..500);
            let fault = *random
                .choice(&[
                    Fault::KillBefore,
                    Fault::KillAfter,
                    Fault::KillAfter,
                    Fault::CutBefore,
                    Fault::CutAfter,
                    Fault::HalfOpen,
                ])
                .unwrap();
            let proxy = Proxy::once(&db, fault, move |message| message.number == number);
            let done = Loader::start_through(&proxy, &db, TWO_WORKERS).wait();
            assert!(matches!(done.code, None | Some(0 | 4)), "{seed}: {done:?}");
            fired += proxy.fired();
        }
        loader::rerun(&db, TWO_WORKERS).exits(0);
        load.check(&db, &format!("SLUICE_SEED={seed} round {round}")).await;
    }
    assert!(fired >= 15, "{fired} faults");
    println!("random: {fired} faults");
}
