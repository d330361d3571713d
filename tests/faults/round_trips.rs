//! How often a batch waits for the server, which is what a run over a long line costs.

use crate::support::wire::{From, Message};
use crate::support::workload::ONE_WORKER;
use crate::support::{Fault, Loader, Proxy, Workload};

/// While `answer` is held up on its way, the loader has sent `next` already.
async fn sent_without_waiting(answer: fn(&Message) -> bool, next: fn(&Message) -> bool) {
    let load = Workload::of(3).await;
    let db = load.database().await;
    let proxy = Proxy::once(&db, Fault::Hold, answer);
    let run = Loader::start_through(&proxy, &db, ONE_WORKER);
    proxy.wait_until_fired(1);
    proxy.wait_until_seen(1, next);
    proxy.release();
    run.wait().exits(0);
    load.check(&db, "held up").await;
}

/// The guard begins a transaction, too, before there is a batch.
fn begins_batch(message: &Message) -> bool {
    message.from == From::Loader && message.statement.contains("sluice.begin_batch")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn batch_is_begun_and_its_copy_prepared_in_one_round_trip() {
    let load = Workload::of(3).await;
    let db = load.database().await;
    let mut has_run = false;
    let proxy = Proxy::once(&db, Fault::Hold, move |message| {
        has_run |= message.answers("sluice.source_state");
        has_run && message.from == From::Server && message.statement.starts_with("begin")
    });
    let run = Loader::start_through(&proxy, &db, ONE_WORKER);
    proxy.wait_until_fired(1);
    proxy.wait_until_seen(1, begins_batch);
    proxy.wait_until_seen(1, |message| {
        message.from == From::Loader
            && message.tag == b'P'
            && message.statement.starts_with("copy pg_temp.sluice_staging")
    });
    proxy.release();
    run.wait().exits(0);
    load.check(&db, "held up").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn batch_is_transformed_without_waiting_for_the_end_of_its_copy() {
    sent_without_waiting(
        |message| message.answers("copy pg_temp.sluice_staging"),
        |message| message.runs("sluice.transform_batch"),
    )
    .await;
}

/// With the two tests above: five round trips, as long as all records are text. Two of those,
/// the load and the commit, are in the serial part.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn batch_takes_six_statements_and_no_other_word() {
    let load = Workload::of(3).await;
    let db = load.database().await;
    let proxy = Proxy::new(&db, |_| None);
    Loader::start_through(&proxy, &db, ONE_WORKER).wait().exits(0);
    let log = proxy.log();
    let mut commits = log.iter().filter(|message| message.commits());
    let (first, second) = (commits.next().unwrap(), commits.next().unwrap());
    let batch = log[first.number..second.number]
        .iter()
        .filter(|message| !message.statement.contains("sluice_unreadable"));
    let statements: Vec<&str> = batch
        .filter(|message| message.from == From::Loader && matches!(message.tag, b'P' | b'Q'))
        .map(|message| message.statement.split(' ').next().unwrap())
        .collect();
    assert_eq!(statements, ["begin", "select", "copy", "select", "select", "commit"]);
    for function in ["begin_batch", "transform_batch", "load_batch"] {
        let calls = log[first.number..second.number]
            .iter()
            .filter(|message| message.runs(&format!("sluice.{function}(")));
        assert_eq!(calls.count(), 1, "{function}");
    }
}
