//! SIGINT and SIGTERM.

use super::steps::{Held, Step};
use crate::support::workload::{ONE_WORKER, TWO_WORKERS, outcome};
use crate::support::{Fault, Loader, Proxy, Sluice, TestDb, Workload, loader};
use nix::sys::signal::{SigSet, Signal};
use std::time::Duration;

/// The batch in hand is finished, and nothing of the next one is there.
async fn first_signal(send: impl Fn(&Loader), code: i32) {
    let load = Workload::of(20).await;
    let db = load.database().await;
    let mut held = Held::at(Step::Load, load, &db, TWO_WORKERS).await;
    send(&held.loader);
    held.release().await;
    let done = held.loader.wait().exits(code);
    let summary = done.summary();
    assert_eq!(summary.outcome, "interrupted");
    let committed = summary.count("batches");
    assert!((1..19).contains(&committed), "{done:?}");
    let batches = "select count(*) - 1 from sluice.batches";
    assert_eq!(db.value(batches).await, committed.to_string());
    let noted = "select outcome from sluice.runs order by run_id desc limit 1";
    assert_eq!(db.value(noted).await, "interrupted");
    loader::run(&db, TWO_WORKERS).exits(0);
    load.check_thoroughly(&db).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sigint_finishes_the_batch_in_hand() {
    first_signal(Loader::interrupt, 130).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sigterm_finishes_the_batch_in_hand() {
    first_signal(Loader::terminate, 143).await;
}

/// Sends a signal until it is heard as a second one: two that come together count as one.
pub(super) async fn insist(loader: &mut Loader) {
    for _ in 0..200 {
        if loader.has_ended() {
            return;
        }
        loader.interrupt();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn second_signal_leaves_the_batch_in_hand() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    let mut held = Held::at(Step::Load, load, &db, TWO_WORKERS).await;
    insist(&mut held.loader).await;
    assert!(held.loader.has_ended());
    assert_eq!(outcome(&db).await, held.before);
    held.release().await;
    let done = held.loader.wait().exits(130);
    assert_eq!(done.summary().outcome, "interrupted");
    loader::run(&db, TWO_WORKERS).exits(0);
    load.check_thoroughly(&db).await;
}

/// Whatever it waits for, two signals end a loader whose server has fallen silent.
async fn silence(db: &TestDb, load: &Workload, statement: &'static str) {
    let proxy = Proxy::once(db, Fault::Silence, move |message| message.answers(statement));
    let mut run = Loader::start_through(&proxy, db, ONE_WORKER);
    proxy.wait_until_fired(1);
    insist(&mut run).await;
    assert!(run.has_ended(), "{statement}");
    let done = run.wait().exits(130);
    assert_eq!(done.summary().outcome, "interrupted", "{statement}");
    drop(proxy);
    loader::run(db, &format!("{TWO_WORKERS} --takeover")).exits(0);
    load.check(db, statement).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn second_signal_ends_a_run_whose_server_is_silent() {
    let load = Workload::of(6).await;
    for statement in [
        "sluice.hold_pipeline",
        "sluice.start_run",
        "sluice.source_state",
        "sluice.begin_batch",
        "sluice.load_batch",
    ] {
        let db = load.database().await;
        silence(&db, load, statement).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn signal_cuts_a_pause_between_retries_short() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    // The network is gone from the first batch on, for good.
    let mut is_gone = false;
    let proxy = Proxy::new(&db, move |message| {
        is_gone |= message.answers("sluice.begin_batch");
        is_gone.then_some(Fault::CutBefore)
    });
    let args = format!("{ONE_WORKER} --retries 1000000");
    let run = Loader::start_through(&proxy, &db, &args);
    // By now pauses are seconds, and far more of them than this test would wait for.
    proxy.wait_until_fired(9);
    run.terminate();
    let done = run.wait().exits(143);
    assert_eq!(done.summary().outcome, "interrupted");
    assert!(proxy.fired() < 14, "{}", proxy.fired());
    loader::run(&db, TWO_WORKERS).exits(0);
    load.check_thoroughly(&db).await;
}

/// The server accepts the connection and says nothing: no command has begun anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn first_signal_ends_a_command_that_still_connects() {
    let load = Workload::of(6).await;
    let db = load.database().await;
    for command in [
        "run orders",
        "run orders --dry-run",
        "run --all",
        "replay orders",
        "replay orders --dry-run",
        "backfill orders --objects a.ndjson",
    ] {
        let proxy = Proxy::once(&db, Fault::Silence, |_| true);
        let run = Loader::command_through(&proxy, &db, command.split(' ').collect());
        proxy.wait_until_fired(1);
        run.terminate();
        let done = run.wait();
        assert_eq!(done.code, Some(143), "{command}: {done:?}");
        assert!(done.stderr.contains("interrupted"), "{command}: {done:?}");
    }
}

/// It is pending before the program has come to its first instruction.
#[test]
fn a_signal_in_the_first_instant_has_its_exit_code() {
    for (signal, code) in [(Signal::SIGTERM, 143), (Signal::SIGINT, 130)] {
        for args in [["status", "--json"], ["run", "orders"], ["db", "url"]] {
            let mut blocked = SigSet::empty();
            blocked.add(signal);
            // A child is born with the signals that its parent's thread has blocked.
            blocked.thread_block().unwrap();
            let run = Loader::of(Sluice::bare().args(args));
            blocked.thread_unblock().unwrap();
            run.send(signal);
            let done = run.wait();
            assert_eq!(done.code, Some(code), "{args:?}: {done:?}");
        }
    }
}

/// Nobody has written to the pipe yet, or no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn first_signal_ends_a_run_whose_pipe_is_silent() {
    let db = TestDb::new().await;
    db.execute(
        "create table items (id bigint primary key);
         create function items_v1(doc jsonb) returns table (id bigint) language sql immutable as $$ select (doc->>'id')::bigint $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'items_v1', target => 'items', key => '{id}',
           source => sluice.file_source('-', format => 'ndjson'))",
    )
    .await;
    for (input, args) in
        [("", "run items"), ("", "run items --dry-run"), ("{\"id\": 1}\n", "run items")]
    {
        let (reader, writer) = nix::unistd::pipe().unwrap();
        nix::unistd::write(&writer, input.as_bytes()).unwrap();
        let command = Sluice::on(&db).args(args.split(' ')).stdin(reader);
        let run = Loader::of(command);
        // The run has begun, and reads.
        db.wait_until("select exists (select from sluice.pipeline_holder('items'))").await;
        run.interrupt();
        let done = run.wait().exits(130);
        assert_eq!(done.summary().outcome, "interrupted", "{args}: {done:?}");
        drop(writer);
    }
}
