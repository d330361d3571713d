//! A sender that is killed or cut off at every message to the database, and one that dies with
//! requests on their way: at a server that keeps keys nothing is doubled, lost or out of order.

use super::receiver::{Receiver, Trouble};
use super::{Shop, puts};
use crate::support::loader::until_free;
use crate::support::{Fault, Loader, Proxy, sampled};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const ROWS: u64 = 9;
/// Faults of one kind in a sample; `SLUICE_FAULTS=all` leaves none out.
const SAMPLE: usize = 16;
const ARGS: [&str; 4] = ["deliver", "items", "--workers", "2"];

/// A server whose answers get lost now and then.
async fn shop() -> Shop {
    let count = AtomicUsize::new(0);
    let receiver = Receiver::with(move |_, _| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        (number % 7 == 3).then_some(Trouble::LoseAnswer)
    });
    Shop::new(receiver, "").await
}

/// The numbers of the messages at which the fault is to happen.
fn points(shop: &Shop, offset: usize) -> Vec<usize> {
    shop.load(puts(ROWS, 0));
    let proxy = Proxy::new(&shop.db, |_| None);
    Loader::command_through(&proxy, &shop.db, ARGS.to_vec())
        .wait()
        .exits(0);
    shop.receiver.applied();
    let last = proxy.last_answer();
    assert!(last > 30, "{:?}", proxy.log());
    sampled(last, SAMPLE, offset)
}

/// Every row arrived as it was last, at most one older change of it before, and none twice.
#[track_caller]
fn check(shop: &Shop, before: u64, after: u64, context: &str) {
    let applied = shop.receiver.applied();
    for id in 0..ROWS {
        let of_row: Vec<&String> = applied
            .iter()
            .filter(|line| line.starts_with(&format!("{id}: ")))
            .collect();
        let content = |n: u64| format!(r#"{id}: PUT {{"n": {n}, "id": "{id}"}}"#);
        let both = [&content(before), &content(after)];
        assert!(
            of_row == both || of_row == both[1..],
            "{context}: {of_row:?} of {applied:?}"
        );
    }
}

/// Sends one change with the fault, then makes another one and sends it undisturbed.
async fn nothing_is_doubled_lost_or_reordered(fault: Fault, offset: usize) {
    let shop = Arc::new(shop().await);
    let mut fired = 0;
    for (round, number) in (1..).zip(points(&shop, offset)) {
        let (before, after) = (2 * round, 2 * round + 1);
        shop.load(puts(ROWS, before));
        let proxy = Proxy::once(&shop.db, fault, move |message| message.number == number);
        let done = Loader::command_through(&proxy, &shop.db, ARGS.to_vec()).wait();
        fired += proxy.fired();
        let is_killed = matches!(fault, Fault::KillBefore | Fault::KillAfter);
        assert!(
            done.code == Some(0) || is_killed && done.code.is_none(),
            "{fault:?} {number}: {done:?}"
        );
        proxy.release();
        drop(proxy);
        shop.load(puts(ROWS, after));
        let done = until_free(|| shop.deliver(&[])).exits(0);
        assert_eq!(done.summary().count("waiting"), 0, "{done:?}");
        check(&shop, before, after, &format!("{fault:?} {number}"));
    }
    assert!(fired * 10 > 9 * SAMPLE, "{fired} fired");
    let open = "select count(*) from sluice.outbox where state not in ('sent', 'superseded')";
    assert_eq!(shop.db.value(open).await, "0");
    let failed = "select check_name, detail from sluice.verify() where not is_ok";
    assert!(shop.db.rows(failed).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_killed_before_any_message_doubles_loses_and_reorders_nothing() {
    nothing_is_doubled_lost_or_reordered(Fault::KillBefore, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_killed_behind_any_message_doubles_loses_and_reorders_nothing() {
    nothing_is_doubled_lost_or_reordered(Fault::KillAfter, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cut_off_before_any_message_goes_on() {
    nothing_is_doubled_lost_or_reordered(Fault::CutBefore, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cut_off_behind_any_message_goes_on() {
    nothing_is_doubled_lost_or_reordered(Fault::CutAfter, 3).await;
}

/// A commit that was never answered: what it put in flight is found again.
#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cut_off_without_the_servers_knowledge_goes_on() {
    nothing_is_doubled_lost_or_reordered(Fault::HalfOpen, 4).await;
}
