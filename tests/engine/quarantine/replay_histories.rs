//! Random histories of loads and replays.

use crate::engine::Hand;
use crate::engine::histories::{Counts, History, count, play};
use crate::support::TestDb;

async fn steps(db: &TestDb, history: &mut History, counts: &mut Counts) {
    let mut hand = Hand::start(db).await;
    for _ in 0..history.random.usize(6..16) {
        if history.random.u8(..) < 150 {
            hand.load(&history.records(true, Some(2))).await;
            continue;
        }
        let replay = format!(
            "select replayed, unsure, stale, inserted, updated
             from sluice.replay('items', version => 2, filter => 'id % 3 <> {}', batch_rows => {})",
            history.random.i64(0..4),
            history.random.usize(1..4)
        );
        count(db, &replay, counts).await;
    }
}

#[tokio::test]
async fn row_is_what_the_latest_record_says_by_arrival() {
    let must_happen = ["replayed", "stale", "inserted", "updated", "unsure"];
    play(15, false, false, &must_happen, steps).await;
}

/// What would be in doubt by arrival, `order_by` mostly decides.
#[tokio::test]
async fn row_is_what_the_latest_record_says_by_order_by() {
    let must_happen = ["replayed", "stale", "inserted", "updated"];
    play(15, true, false, &must_happen, steps).await;
}
