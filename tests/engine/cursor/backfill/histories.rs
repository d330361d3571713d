//! Random histories of a live pipeline, a backfill beside it, and replays: records of the past are older than all
//! others.

use super::{Hand, start};
use crate::engine::histories::{Counts, History, count, play};
use crate::support::TestDb;

async fn steps(db: &TestDb, history: &mut History, counts: &mut Counts) {
    let mut live = Hand::start(db).await;
    let mut past = start(db).await;
    for _ in 0..history.random.usize(8..20) {
        // No two values are alike: a row that came again unchanged would leave no trace of that.
        match history.random.u8(..) {
            0..90 => {
                live.load(&history.records(true, None)).await;
            }
            90..180 => {
                past.load(&history.records(false, None)).await;
            }
            _ => {
                let rest = history.random.i64(0..4);
                db.execute(&format!(
                    "select sluice.replay('items', version => 2, filter => 'id % 3 <> {rest}', batch_rows => {})",
                    history.random.usize(1..4)
                ))
                .await;
            }
        }
    }
    let of_backfill = "
        select sum(b.inserted) as inserted, sum(b.updated) as updated, sum(b.stale) as stale, (
          select count(*) from sluice.quarantine q join sluice.batches l on l.batch_id = q.last_batch_id
          where q.status = 'replayed' and l.pipeline_id = p.pipeline_id) as replayed
        from sluice.pipelines p left join sluice.batches b using (pipeline_id)
        where p.backfill_of is not null group by p.pipeline_id";
    count(db, of_backfill, counts).await;
}

const MUST_HAPPEN: [&str; 4] = ["inserted", "updated", "stale", "replayed"];

#[tokio::test]
async fn row_is_what_the_latest_record_says_by_arrival() {
    play(20, false, false, &MUST_HAPPEN, steps).await;
}

#[tokio::test]
async fn row_is_what_the_latest_record_says_by_order_by() {
    play(20, true, false, &MUST_HAPPEN, steps).await;
}
