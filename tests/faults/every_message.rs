//! A fault at every message of a run, one run for each. `SLUICE_FAULTS=all` leaves none out;
//! without it a sample is taken, spread over the whole run.

use crate::support::sluice::Done;
use crate::support::workload::{ONE_WORKER, reset};
use crate::support::{Fault, Loader, Proxy, TestDb, Workload, loader, sampled};
use std::time::Duration;

const BATCHES: usize = 3;
/// Faults of one kind in a sample.
const SAMPLE: usize = 25;

/// What came of the faults of one kind. Runs differ by a few messages (a notice, an answer that
/// overtakes a question), so that the last points may lie behind the end of a run: those are
/// counted, and must be few.
#[derive(Debug, Default)]
struct Tally {
    happened: usize,
    behind_the_end: usize,
}

impl Tally {
    /// Counts the fault meant for message `number`.
    #[track_caller]
    fn count(&mut self, proxy: &Proxy, number: usize, done: &Done) {
        match proxy.fired() {
            0 => {
                let seen = proxy.log().len();
                assert!(seen < number, "message {number} of {seen}: {done:?}");
                assert_eq!(done.code, Some(0), "message {number}: {done:?}");
                self.behind_the_end += 1;
            }
            fired => {
                assert_eq!(fired, 1, "message {number}: {done:?}");
                self.happened += 1;
            }
        }
    }

    fn tell(&self, what: &str) {
        println!("{what}: {self:?}");
        assert!(self.behind_the_end <= 1 + self.happened / 20, "{what}: {self:?}");
    }
}

/// The faults to inject: a message's number each.
async fn points(load: &Workload, offset: usize) -> Vec<usize> {
    let db = load.database().await;
    let proxy = Proxy::new(&db, |_| None);
    Loader::start_through(&proxy, &db, ONE_WORKER).wait().exits(0);
    load.check(&db, "through the proxy").await;
    let last = proxy.last_answer();
    assert!(last > 100, "{:?}", proxy.log());
    println!("{last} messages");
    sampled(last, SAMPLE, offset)
}

fn at(db: &TestDb, number: usize, fault: Fault) -> Proxy {
    Proxy::once(db, fault, move |message| message.number == number)
}

async fn rerun_after_kill(fault: Fault, offset: usize) {
    let load = Workload::of(BATCHES).await;
    let points = points(load, offset).await;
    let db = load.database().await;
    let (mut tally, mut killed) = (Tally::default(), 0);
    for number in &points {
        reset(&db).await;
        let proxy = at(&db, *number, fault);
        let done = Loader::start_through(&proxy, &db, ONE_WORKER).wait();
        tally.count(&proxy, *number, &done);
        killed += usize::from(done.code.is_none());
        drop(proxy);
        loader::rerun(&db, ONE_WORKER).exits(0);
        load.check(&db, &format!("{fault:?} {number}")).await;
    }
    // Behind the very last message the loader may be gone before it is hit.
    assert!(killed + 1 >= tally.happened, "{killed} of {tally:?}");
    tally.tell(&format!("{fault:?}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn rerun_after_kill_before_any_message_loads_each_record_once() {
    rerun_after_kill(Fault::KillBefore, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn rerun_after_kill_behind_any_message_loads_each_record_once() {
    rerun_after_kill(Fault::KillAfter, 3).await;
}

async fn recovery_from(fault: Fault, offset: usize) {
    let load = Workload::of(BATCHES).await;
    let points = points(load, offset).await;
    let db = load.database().await;
    let mut tally = Tally::default();
    for number in &points {
        // For whoever reads how it failed.
        println!("{fault:?} at message {number}");
        reset(&db).await;
        let proxy = at(&db, *number, fault);
        let done = Loader::start_through(&proxy, &db, ONE_WORKER).wait();
        tally.count(&proxy, *number, &done);
        let context = format!("{fault:?} {number}: {:?}", proxy.log().get(number - 1));
        assert_eq!(done.code, Some(0), "{context}\n{done:?}");
        proxy.release();
        load.check(&db, &context).await;
    }
    tally.tell(&format!("{fault:?}"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_goes_on_after_its_connection_is_cut_before_any_message() {
    recovery_from(Fault::CutBefore, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_goes_on_after_its_connection_is_cut_behind_any_message() {
    recovery_from(Fault::CutAfter, 4).await;
}

/// The server keeps a cut-off session and its locks, as behind a network that lost both ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_goes_on_after_its_connection_is_cut_without_the_servers_knowledge() {
    recovery_from(Fault::HalfOpen, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn loader_frozen_at_any_message_commits_nothing_after_a_takeover() {
    let load = Workload::of(BATCHES).await;
    let points = points(load, 5).await;
    let db = load.database().await;
    let (mut tally, mut deposed) = (Tally::default(), 0);
    for number in &points {
        reset(&db).await;
        let proxy = at(&db, *number, Fault::Stop);
        let mut frozen = Loader::start_through(&proxy, &db, ONE_WORKER);
        while proxy.fired() == 0 && !frozen.has_ended() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        if proxy.fired() == 0 {
            tally.count(&proxy, *number, &frozen.wait());
            continue;
        }
        tally.happened += 1;
        let takeover = format!("{ONE_WORKER} --takeover");
        loader::run(&db, &takeover).exits(0);
        load.check_data(&db, &format!("frozen at {number}, before it woke")).await;
        frozen.wake();
        let done = frozen.wait();
        // It may not have begun, or have had nothing left to do.
        assert!(matches!(done.code, Some(0 | 4)), "{number}: {done:?}");
        if done.code == Some(4) {
            deposed += 1;
            assert_eq!(done.summary().outcome, "locked");
            assert!(done.stderr.contains("deposed"), "{done:?}");
        }
        load.check(&db, &format!("frozen at {number}, after it woke")).await;
    }
    assert!(deposed > tally.happened / 4, "{deposed} of {tally:?}");
    tally.tell(&format!("Stop, {deposed} deposed"));
}
