//! A sender of parcels that is killed or cut off at any message to the database.

use super::bulk::{Bulk, shop};
use super::{Shop, puts};
use crate::support::loader::until_free;
use crate::support::web::{Answer, Framing, Request};
use crate::support::{Fault, Loader, Proxy, sampled};
use serde_json::Value;
use std::sync::Mutex;

const ROWS: u64 = 9;
const ARGS: [&str; 4] = ["deliver", "items", "--workers", "2"];

/// Answers get lost now and then, one row is refused as it is before, and whole requests with another.
async fn faulty() -> (Bulk, Shop) {
    let count = Mutex::new(0);
    let lose = move |_: &Request, items: &[Value], _| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let is_poisoned = items
            .iter()
            .any(|item| item["id"] == "5" && item["n"].as_u64().unwrap() % 2 == 0);
        if is_poisoned {
            return Some(Answer::status(400, "no"));
        }
        (*count % 5 == 3).then(|| Answer::json("{}").framed(Framing::Nothing))
    };
    let bulk = Bulk::new(
        |id, n| if id == "3" && n % 2 == 0 { 422 } else { 200 },
        Box::new(lose),
    );
    let shop = shop(
        &bulk,
        "size => 4, results => '/results', status => '/status'",
    )
    .await;
    (bulk, shop)
}

async fn nothing_is_doubled_lost_or_reordered(fault: Fault, offset: usize) {
    let (bulk, shop) = faulty().await;
    shop.load(puts(ROWS, 0));
    let proxy = Proxy::new(&shop.db, |_| None);
    Loader::command_through(&proxy, &shop.db, ARGS.to_vec())
        .wait()
        .exits(0);
    let points = sampled(proxy.last_answer(), 12, offset);
    bulk.applied();
    let mut fired = 0;
    for (round, number) in (1..).zip(&points) {
        let (before, after, number) = (2 * round, 2 * round + 1, *number);
        shop.load(puts(ROWS, before));
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
        shop.load(puts(ROWS, after));
        let done = until_free(|| shop.deliver(&[])).exits(0);
        assert_eq!(done.summary().count("waiting"), 0, "{context}: {done:?}");
        let applied = bulk.applied();
        for id in 0..ROWS {
            let of_row: Vec<u64> = applied
                .iter()
                .filter(|(of, _)| *of == id.to_string())
                .map(|(_, n)| *n)
                .collect();
            let is_refused_before = id == 3 || id == 5;
            let is_right = of_row == [after] || !is_refused_before && of_row == [before, after];
            assert!(is_right, "{context}: {id} {of_row:?} of {applied:?}");
        }
    }
    assert!(fired * 10 >= 9 * points.len(), "{fired} fired");
    let open = "select count(*) from sluice.outbox where state not in ('sent', 'superseded')";
    assert_eq!(shop.db.value(open).await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_parcels_killed_before_any_message_doubles_loses_and_reorders_nothing() {
    nothing_is_doubled_lost_or_reordered(Fault::KillBefore, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_parcels_killed_behind_any_message_doubles_loses_and_reorders_nothing() {
    nothing_is_doubled_lost_or_reordered(Fault::KillAfter, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_of_parcels_cut_off_behind_any_message_goes_on() {
    nothing_is_doubled_lost_or_reordered(Fault::CutAfter, 2).await;
}
