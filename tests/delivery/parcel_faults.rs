//! A sender of parcels that is killed or cut off at any message to the database.

use super::Shop;
use super::bulk::{Bulk, shop};
use super::faults::ROWS;
use super::interrupted::{Subject, nothing_is_doubled_lost_or_reordered};
use crate::support::sluice::Done;
use crate::support::web::{Answer, Framing, Request};
use crate::support::{Fault, Loader, Proxy, TestDb};
use serde_json::Value;
use std::sync::Mutex;

/// Answers get lost now and then, one row is refused as it is before, and whole requests with another.
async fn faulty() -> Parcels {
    let count = Mutex::new(0);
    let lose = move |_: &Request, items: &[Value], _| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let is_poisoned =
            items.iter().any(|item| item["id"] == "5" && item["n"].as_u64().unwrap() % 2 == 0);
        if is_poisoned {
            return Some(Answer::status(400, "no"));
        }
        (*count % 5 == 3).then(|| Answer::json("{}").framed(Framing::Nothing))
    };
    let bulk = Bulk::new(|id, n| if id == "3" && n % 2 == 0 { 422 } else { 200 }, Box::new(lose));
    let shop = shop(&bulk, "size => 4, results => '/results', status => '/status'").await;
    Parcels { bulk, shop }
}

/// A shop whose rows go to a server that takes many in a request.
struct Parcels {
    bulk: Bulk,
    shop: Shop,
}

impl Subject for Parcels {
    fn db(&self) -> &TestDb {
        &self.shop.db
    }

    fn load_all(&self, n: u64, is_last: bool) {
        self.shop.load_all(n, is_last);
    }

    fn send_through(&self, proxy: &Proxy) -> Loader {
        self.shop.send_through(proxy)
    }

    fn send(&self) -> Done {
        self.shop.send()
    }

    async fn forget(&self) {
        self.bulk.applied();
    }

    async fn check(&self, before: u64, after: u64, context: &str) {
        let applied = self.bulk.applied();
        for id in 0..ROWS {
            let of_row: Vec<u64> =
                applied.iter().filter(|(of, _)| *of == id.to_string()).map(|(_, n)| *n).collect();
            let is_refused_before = id == 3 || id == 5;
            let is_right = of_row == [after] || !is_refused_before && of_row == [before, after];
            assert!(is_right, "{context}: {id} {of_row:?} of {applied:?}");
        }
    }
}

async fn check(fault: Fault, offset: usize) {
    nothing_is_doubled_lost_or_reordered(faulty().await, fault, 12, offset).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_parcels_killed_before_any_message_doubles_loses_and_reorders_nothing() {
    check(Fault::KillBefore, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_parcels_killed_behind_any_message_doubles_loses_and_reorders_nothing() {
    check(Fault::KillAfter, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_parcels_cut_off_behind_any_message_goes_on() {
    check(Fault::CutAfter, 2).await;
}
