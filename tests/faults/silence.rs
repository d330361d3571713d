//! Servers that accept connections and answer nothing: a frozen host, a failover that hangs.

use super::steps::{gate, waiting_in};
use crate::support::server::TestServer;
use crate::support::workload::ONE_WORKER;
use crate::support::{Fault, Loader, Proxy, Sluice, TestDb, Workload, loader};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A run that gives a server the shortest time to answer.
fn impatient(url: &str, retries: u32) -> Loader {
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}connect_timeout=1");
    let retries = retries.to_string();
    let args = ["run"].into_iter().chain(ONE_WORKER.split(' '));
    let command = Sluice::bare().env("DATABASE_URL", url).args(args.chain(["--retries", &retries]));
    Loader::of(command)
}

const STATEMENTS: [&str; 4] =
    ["sluice.hold_pipeline", "sluice.start_run", "sluice.transform_batch", "sluice.load_batch"];

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_whose_server_falls_silent_for_good_ends_with_retries_exhausted() {
    let load = Workload::of(3).await;
    for statement in STATEMENTS {
        let db = load.database().await;
        let proxy = Proxy::once(&db, Fault::Silence, move |message| message.answers(statement));
        let done = impatient(&proxy.url(&db), 1).wait();
        assert_eq!(proxy.fired(), 1, "{statement}");
        assert_eq!(done.code, Some(75), "{statement}: {done:?}");
        let words = ["no answer within", "no connection to the server in time"];
        assert!(words.iter().any(|words| done.stderr.contains(words)), "{done:?}");
        drop(proxy);
        loader::run(&db, &format!("{ONE_WORKER} --takeover")).exits(0);
        load.check(&db, statement).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_goes_on_when_its_server_speaks_again() {
    let load = Workload::of(3).await;
    for statement in STATEMENTS {
        let db = load.database().await;
        let mut is_behind = false;
        let proxy = Proxy::once(&db, Fault::Silence, move |message| {
            is_behind |= message.answers(statement);
            is_behind
        });
        let run = impatient(&proxy.url(&db), 1000);
        proxy.wait_until_fired(1);
        // Given up twice: whether it lives, and another try.
        let before = proxy.log().len();
        proxy.wait_until_seen(2, |message| message.number > before && message.tag == 0);
        proxy.release();
        let done = run.wait().exits(0);
        assert!(done.summary().count("retried") >= 1, "{done:?}");
        load.check(&db, statement).await;
    }
}

/// A server and all of its processes.
struct Frozen(Vec<Pid>);

impl Frozen {
    /// Stopped where they are: the system still accepts connections for them.
    fn server(server: &TestServer) -> Self {
        let postmaster = Pid::from_raw(server.pid());
        kill(postmaster, Signal::SIGSTOP).unwrap();
        let mut processes = vec![postmaster];
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        for pid in std::fs::read_to_string(children).unwrap().split_whitespace() {
            let pid = Pid::from_raw(pid.parse().unwrap());
            kill(pid, Signal::SIGSTOP).unwrap();
            processes.push(pid);
        }
        Frozen(processes)
    }
}

/// Thawed.
impl Drop for Frozen {
    fn drop(&mut self) {
        for pid in &self.0 {
            let _ = kill(*pid, Signal::SIGCONT);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn run_whose_server_is_frozen_ends_and_the_next_one_goes_on() {
    let load = Workload::of(3).await;
    let server = TestServer::start();
    let db = TestDb::of(&server, "sluice");
    pgsluice::install::migrate(&db.connector()).await.unwrap();
    load.define(&db).await;
    let gate = gate(&db, 1).await;
    let run = impatient(&db.url, 1);
    waiting_in(&db, "transform_batch").await;
    let frozen = Frozen::server(&server);
    let done = run.wait();
    assert_eq!(done.code, Some(75), "{done:?}");
    drop(frozen);
    gate.close().await;
    loader::rerun(&db, ONE_WORKER).exits(0);
    load.check(&db, "thawed").await;
}

/// A long statement is no silence.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn batch_may_take_longer_than_a_server_may_be_silent() {
    let load = Workload::of(3).await;
    let db = load.database().await;
    let gate = gate(&db, 1).await;
    let proxy = Proxy::new(&db, |_| None);
    let run = impatient(&proxy.url(&db), 0);
    waiting_in(&db, "transform_batch").await;
    // It is asked whether it lives, three times.
    let before = proxy.log().len();
    proxy.wait_until_seen(3, |message| message.number > before && message.tag == 0);
    gate.close().await;
    let done = run.wait().exits(0);
    assert_eq!(done.summary().count("retried"), 0);
    load.check(&db, "after a long batch").await;
}
