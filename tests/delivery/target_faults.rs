//! A sender of two targets at once that is killed or cut off at any message to the database: orders and their lines
//! arrive once each, in the order of their changes, and so do lines that left their order.

use super::receiver::{Receiver, Trouble};
use super::targets::Shop;
use crate::support::loader::until_free;
use crate::support::{Fault, Loader, Proxy, sampled};
use std::sync::atomic::{AtomicUsize, Ordering};

const ORDERS: u64 = 4;
/// Faults of one kind in a sample; `SLUICE_FAULTS=all` leaves none out.
const SAMPLE: usize = 16;
const ARGS: [&str; 4] = ["deliver", "orders", "--workers", "2"];

/// Answers get lost now and then.
async fn faulty() -> (Receiver, Shop) {
    let count = AtomicUsize::new(0);
    let receiver = Receiver::with(move |_, _| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        (number % 7 == 3).then_some(Trouble::LoseAnswer)
    });
    let to = |path: &str| {
        format!(
            "sluice.http_delivery(url => '{}/items/{path}', method => 'PUT', delete_method => 'DELETE')",
            receiver.url()
        )
    };
    let shop = Shop::new(&to("orders-{id}"), &to("lines-{id}-{no}")).await;
    (receiver, shop)
}

/// Each order with so many lines, all of which tell the time.
fn load(shop: &Shop, n: u64, lines: usize) {
    let lines = vec![format!("\"s{n}\""); lines].join(", ");
    let records: Vec<String> = (0..ORDERS)
        .map(|id| format!(r#"{{"id": {id}, "n": {n}, "lines": [{lines}]}}"#))
        .collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    shop.load(&n.to_string(), &records);
}

/// Of each row the last change arrived, and at most the one before it.
#[track_caller]
fn check(applied: &[String], before: u64, after: u64, context: &str) {
    let line = |id, no, n| format!(r#"PUT {{"id": {id}, "no": {no}, "sku": "s{n}"}}"#);
    for id in 0..ORDERS {
        let order = |n| format!(r#"PUT {{"n": {n}, "id": {id}}}"#);
        for (path, earlier, last) in [
            (format!("orders-{id}"), order(before), order(after)),
            (
                format!("lines-{id}-1"),
                line(id, 1, before),
                line(id, 1, after),
            ),
            (
                format!("lines-{id}-2"),
                line(id, 2, before),
                "DELETE ".to_owned(),
            ),
        ] {
            let of_row: Vec<&str> = applied
                .iter()
                .filter_map(|line| line.strip_prefix(&format!("{path}: ")))
                .collect();
            assert!(
                of_row == [&earlier, &last] || of_row == [&last],
                "{context}: {path} {of_row:?} of {applied:?}"
            );
        }
    }
}

async fn nothing_is_doubled_lost_or_reordered(fault: Fault, offset: usize) {
    let (receiver, shop) = faulty().await;
    load(&shop, 0, 2);
    let proxy = Proxy::new(&shop.db, |_| None);
    Loader::command_through(&proxy, &shop.db, ARGS.to_vec())
        .wait()
        .exits(0);
    let points = sampled(proxy.last_answer(), SAMPLE, offset);
    receiver.applied();
    let mut fired = 0;
    for (round, number) in (1..).zip(&points) {
        let (before, after, number) = (2 * round, 2 * round + 1, *number);
        load(&shop, before, 2);
        let proxy = Proxy::once(&shop.db, fault, move |message| message.number == number);
        let done = Loader::command_through(&proxy, &shop.db, ARGS.to_vec()).wait();
        fired += proxy.fired();
        let is_killed = matches!(fault, Fault::KillBefore | Fault::KillAfter);
        let context = format!("{fault:?} {number}");
        assert!(
            done.code == Some(0) || is_killed && done.code.is_none(),
            "{context}: {done:?}"
        );
        drop(proxy);
        load(&shop, after, 1);
        let done = until_free(|| shop.deliver(&shop.db, &[])).exits(0);
        assert_eq!(
            done.stdout.matches(" waiting=0 ").count(),
            2,
            "{context}: {done:?}"
        );
        check(&receiver.applied(), before, after, &context);
    }
    assert!(fired * 10 >= 9 * points.len(), "{fired} fired");
    let open = "select count(*) from sluice.outbox where state not in ('sent', 'superseded')";
    assert_eq!(shop.db.value(open).await, "0");
    let failed = "select check_name, detail from sluice.verify() where not is_ok";
    assert!(shop.db.rows(failed).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_two_targets_killed_before_any_message_doubles_loses_and_reorders_nothing() {
    nothing_is_doubled_lost_or_reordered(Fault::KillBefore, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_two_targets_killed_behind_any_message_doubles_loses_and_reorders_nothing() {
    nothing_is_doubled_lost_or_reordered(Fault::KillAfter, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_two_targets_cut_off_behind_any_message_goes_on() {
    nothing_is_doubled_lost_or_reordered(Fault::CutAfter, 2).await;
}
