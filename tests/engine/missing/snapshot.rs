//! Rows that a complete read of the source no longer brings.

mod definition;
mod history;
mod reads;
mod refusal;
mod rows;

use crate::engine::{Hand, Problem, problem};
use crate::support::TestDb;

/// `items` with a transform that deletes and filters, and what is to be done with missing rows.
async fn shop(table: &str, options: &str) -> (TestDb, Hand) {
    let db = TestDb::new().await;
    crate::engine::items(
        &db,
        table,
        "id bigint, n bigint, sluice_deleted boolean",
        "(doc->>'id')::bigint, (doc->>'n')::bigint, (doc->>'del')::boolean where doc->>'draft' is null",
        &format!("key => '{{id}}', {options}"),
    )
    .await;
    let hand = Hand::start(&db).await;
    (db, hand)
}

const TABLE: &str = "id bigint primary key, n bigint";
const DELETE: &str = "missing => 'delete', max_delete_ratio => 1";

fn put(id: i64) -> String {
    format!(r#"{{"id": {id}, "n": 1}}"#)
}

fn puts(ids: impl IntoIterator<Item = i64>) -> Vec<String> {
    ids.into_iter().map(put).collect()
}

/// What the end of a read said: its counters, or why nothing was concluded.
async fn try_finish(hand: &mut Hand, ratio: Option<f64>) -> Result<String, Problem> {
    let row = hand
        .session
        .query_one(
            "select batch_id, deleted, updated, produced, note
             from sluice.finish_snapshot($1, $2, $3, $4::double precision::numeric)",
            &[&hand.run, &hand.epoch, &(hand.seq + 1), &ratio],
        )
        .await
        .map_err(|error| Problem::of(&error))?;
    let note: Option<String> = row.get("note");
    if row.get::<_, Option<i64>>("batch_id").is_none() {
        return Ok(note.unwrap_or_default());
    }
    hand.seq += 1;
    if let Some(note) = note {
        assert_eq!(row.get::<_, i64>("produced"), 0);
        return Ok(note);
    }
    let (deleted, updated): (i64, i64) = (row.get("deleted"), row.get("updated"));
    assert_eq!(row.get::<_, i64>("produced"), deleted + updated);
    Ok(format!("deleted={deleted} updated={updated}"))
}

async fn finish(hand: &mut Hand) -> String {
    try_finish(hand, None).await.unwrap_or_else(|problem| panic!("{problem:?}"))
}

/// A complete read in one batch.
async fn read<P: AsRef<str>>(hand: &mut Hand, records: &[P]) -> String {
    hand.load(records).await;
    finish(hand).await
}

async fn ids(db: &TestDb) -> String {
    db.value("select coalesce(string_agg(id::text, ' ' order by id), '') from shop.items").await
}

/// Nothing is left of a read that is over.
async fn is_forgotten(db: &TestDb) {
    let left = "select (select count(*) from sluice.snapshots) + (select count(*) from sluice.snapshot_keys)";
    assert_eq!(db.value(left).await, "0");
}
