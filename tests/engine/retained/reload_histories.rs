//! Random histories of loads, replays and reloads.

use crate::engine::Hand;
use crate::engine::histories::{Counts, History, count, play};
use crate::support::TestDb;

async fn reload(db: &TestDb, history: &mut History, counts: &mut Counts) {
    let version = history.random.u8(1..3);
    let batches = "select batch_id from sluice.batches where kind = 'load' order by 1";
    let batches = db.rows(batches).await;
    let Some(first) = history.random.choice(&batches) else {
        return;
    };
    let which = match history.random.bool() {
        true => format!("batches => '{{{first}}}'"),
        false => format!("from_batch => {first}"),
    };
    let reload = format!(
        "select inserted, updated, stale from sluice.reload('items', {which}, version => {version})"
    );
    count(db, &reload, counts).await;
}

async fn steps(db: &TestDb, history: &mut History, counts: &mut Counts) {
    let mut hand = Hand::start(db).await;
    for _ in 0..history.random.usize(8..16) {
        match history.random.u8(0..5) {
            0 | 1 => {
                hand.load(&history.records(true, None)).await;
            }
            2 => {
                let replay =
                    "select inserted, updated, stale from sluice.replay('items', version => 2)";
                count(db, replay, counts).await;
            }
            _ => reload(db, history, counts).await,
        }
    }
    // At last, as no other step mends what a reload does wrong.
    reload(db, history, counts).await;
}

const MUST_HAPPEN: [&str; 3] = ["updated", "stale", "inserted"];

#[tokio::test]
async fn row_is_made_of_the_latest_record_by_arrival() {
    play(12, false, true, &MUST_HAPPEN, steps).await;
}

#[tokio::test]
async fn row_is_made_of_the_latest_record_by_order_by() {
    play(12, true, true, &MUST_HAPPEN, steps).await;
}
