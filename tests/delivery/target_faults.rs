//! A sender of two targets at once that is killed or cut off at any message to the database: orders and their lines
//! arrive once each, in the order of their changes, and so do lines that left their order.

use super::interrupted::{Subject, nothing_is_doubled_lost_or_reordered};
use super::receiver::{Receiver, RetryError};
use super::targets::Shop;
use crate::support::sluice::Done;
use crate::support::{Fault, Loader, Proxy, TestDb};
use std::sync::atomic::{AtomicUsize, Ordering};

const ORDERS: u64 = 4;
const ARGS: [&str; 4] = ["deliver", "orders", "--workers", "2"];

/// Orders and their lines, each delivered by itself.
struct Orders {
    receiver: Receiver,
    shop: Shop,
}

/// Answers get lost now and then.
async fn faulty() -> Orders {
    let count = AtomicUsize::new(0);
    let receiver = Receiver::with(move |_, _| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        (number % 7 == 3).then_some(RetryError::LoseAnswer)
    });
    let to = |path: &str| {
        format!(
            "sluice.http_delivery(url => '{}/items/{path}', method => 'PUT', delete_method => 'DELETE')",
            receiver.url()
        )
    };
    let shop = Shop::new(&to("orders-{id}"), &to("lines-{id}-{no}")).await;
    Orders { receiver, shop }
}

/// Each order with so many lines, all of which tell the time.
fn load(shop: &Shop, n: u64, lines: usize) {
    let lines = vec![format!("\"s{n}\""); lines].join(", ");
    let records: Vec<String> =
        (0..ORDERS).map(|id| format!(r#"{{"id": {id}, "n": {n}, "lines": [{lines}]}}"#)).collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    shop.load(&n.to_string(), &records);
}

impl Subject for Orders {
    fn db(&self) -> &TestDb {
        &self.shop.db
    }

    /// At last each order has one line less.
    fn load_all(&self, n: u64, is_last: bool) {
        load(&self.shop, n, if is_last { 1 } else { 2 });
    }

    fn send_through(&self, proxy: &Proxy) -> Loader {
        Loader::command_through(proxy, &self.shop.db, ARGS.to_vec())
    }

    fn send(&self) -> Done {
        self.shop.deliver(&self.shop.db, &[])
    }

    async fn forget(&self) {
        self.receiver.applied();
    }

    async fn check(&self, before: u64, after: u64, context: &str) {
        let applied = self.receiver.applied();
        let line = |id, no, n| format!(r#"PUT {{"id": {id}, "no": {no}, "sku": "s{n}"}}"#);
        for id in 0..ORDERS {
            let order = |n| format!(r#"PUT {{"n": {n}, "id": {id}}}"#);
            for (path, earlier, last) in [
                (format!("orders-{id}"), order(before), order(after)),
                (format!("lines-{id}-1"), line(id, 1, before), line(id, 1, after)),
                (format!("lines-{id}-2"), line(id, 2, before), "DELETE ".to_owned()),
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
}

async fn check(fault: Fault, offset: usize) {
    nothing_is_doubled_lost_or_reordered(faulty().await, fault, 16, offset).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_two_targets_killed_before_any_message_doubles_loses_and_reorders_nothing() {
    check(Fault::KillBefore, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_two_targets_killed_behind_any_message_doubles_loses_and_reorders_nothing() {
    check(Fault::KillAfter, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_two_targets_cut_off_behind_any_message_goes_on() {
    check(Fault::CutAfter, 2).await;
}
