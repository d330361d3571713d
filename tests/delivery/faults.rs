//! A sender that is killed or cut off at any message to the database, while the server loses answers.

use super::interrupted::{Subject, nothing_is_doubled_lost_or_reordered};
use super::receiver::{Receiver, RetryError};
use super::{Shop, puts};
use crate::support::sluice::Done;
use crate::support::{Fault, Loader, Proxy, TestDb};
use std::sync::atomic::{AtomicUsize, Ordering};

pub(super) const ROWS: u64 = 9;
const ARGS: [&str; 4] = ["deliver", "items", "--workers", "2"];

impl Subject for Shop {
    fn db(&self) -> &TestDb {
        &self.db
    }

    fn load_all(&self, n: u64, _is_last: bool) {
        self.load(puts(ROWS, n));
    }

    fn send_through(&self, proxy: &Proxy) -> Loader {
        Loader::command_through(proxy, &self.db, ARGS.to_vec())
    }

    fn send(&self) -> Done {
        self.deliver(&[])
    }

    async fn forget(&self) {
        self.receiver.applied();
    }

    async fn check(&self, before: u64, after: u64, context: &str) {
        let applied = self.receiver.applied();
        for id in 0..ROWS {
            let of_row: Vec<&String> =
                applied.iter().filter(|line| line.starts_with(&format!("{id}: "))).collect();
            let content = |n: u64| format!(r#"{id}: PUT {{"n": {n}, "id": "{id}"}}"#);
            let both = [&content(before), &content(after)];
            assert!(of_row == both || of_row == both[1..], "{context}: {of_row:?} of {applied:?}");
        }
    }
}

async fn check(fault: Fault, offset: usize) {
    let count = AtomicUsize::new(0);
    let receiver = Receiver::with(move |_, _| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        (number % 7 == 3).then_some(RetryError::LoseAnswer)
    });
    let shop = Shop::new(receiver, "").await;
    nothing_is_doubled_lost_or_reordered(shop, fault, 16, offset).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_killed_before_any_message_doubles_loses_and_reorders_nothing() {
    check(Fault::KillBefore, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_killed_behind_any_message_doubles_loses_and_reorders_nothing() {
    check(Fault::KillAfter, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cut_off_before_any_message_goes_on() {
    check(Fault::CutBefore, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cut_off_behind_any_message_goes_on() {
    check(Fault::CutAfter, 3).await;
}

/// A commit that was never answered: what it put in flight is found again.
#[tokio::test(flavor = "multi_thread")]
async fn a_sender_cut_off_without_the_servers_knowledge_goes_on() {
    check(Fault::HalfOpen, 4).await;
}
