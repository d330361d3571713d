//! The batch transaction, seen from the loader: every call of the engine that a run makes
//! stands in this module. The loader copies bytes and calls functions; what happens to the
//! records is SQL (`sql/engine/batch/begin_batch.sql` tells the story).

mod changes;
mod counters;
mod delivery;
mod holder;
mod replay;
mod source;
mod source_check;
mod stage;
mod waiting;

pub use changes::{Change, capture_changes, captured_changes};
pub use counters::{Books, Counters, ErrorGroup, Replayed};
pub use delivery::{
    Claimed, Delivering, DeliveryRun, Operation, Route, claim_deliveries, delivering_targets,
    enqueue_deliveries, evict_sender, finish_delivery, hold_delivery, record_deliveries,
    split_parcel, start_delivery,
};
pub use holder::{Holder, backend_pid, evict_loader, hold_pipeline, holder};
pub use replay::{quarantined_ids, replay, retry_orphans};
pub use source::{begun_objects, source_news, source_rows};
pub use source_check::{Difference, DifferingRecords, SourceCheck, Verdict};
pub use stage::{Opening, Payloads, stage};
pub use waiting::{Waited, note_waiting, refuse_run};

use crate::db::END_WITH_THE_CLIENT;
use crate::error::Result;
use crate::source::Batch;
use serde_json::Value;
use std::sync::Arc;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// A run that has begun: what it may commit and from where it goes on.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its number.
    pub run_id: i64,
    /// Its epoch; a later one deposes it.
    pub epoch: i64,
    /// The number of the last committed batch.
    pub batch_seq: i64,
    /// The active transform version when it began.
    pub version: i32,
    /// Up to where the source has been committed; none before the first batch.
    pub cursor: Option<Value>,
    /// The pipeline's source settings.
    pub source: Value,
    /// Records in a batch, if the pipeline says.
    pub batch_rows: Option<i32>,
    /// Bytes in a batch, if the pipeline says.
    pub batch_bytes: Option<i32>,
    /// The share of bad records at which the pipeline stops a run.
    pub max_bad_ratio: f64,
    /// Whether digests of the payloads are of use to the engine.
    pub skips_known: bool,
    /// What becomes of rows that the source no longer has: `keep`, `delete` or `mark`.
    pub missing: String,
    /// The columns of the row that the transform takes, if it takes one.
    pub input_columns: Option<Arc<[String]>>,
}

impl Run {
    /// Whether the end of a complete read matters.
    pub fn takes_snapshots(&self) -> bool {
        self.missing != "keep"
    }
}

/// Begins a run. See `sluice.start_run`.
pub async fn start_run(client: &Client, pipeline: &str, loader: &str) -> Result<Run> {
    let row = client
        .query_typed_one(
            "select * from sluice.start_run(pipeline => $1, loader => $2)",
            &[(&pipeline, Type::TEXT), (&loader, Type::TEXT)],
        )
        .await?;
    Ok(Run {
        run_id: row.get("run_id"),
        epoch: row.get("epoch"),
        batch_seq: row.get("batch_seq"),
        version: row.get("version"),
        cursor: row.get("cursor"),
        source: row.get("source"),
        batch_rows: row.get("batch_rows"),
        batch_bytes: row.get("batch_bytes"),
        max_bad_ratio: row.get("max_bad_ratio"),
        skips_known: row.get("skips_known"),
        missing: row.get("missing"),
        input_columns: row.get::<_, Option<Vec<String>>>("input_columns").map(Arc::from),
    })
}

/// Notes how a run ended, and whether its source had nothing more.
pub async fn finish_run(
    client: &Client,
    run_id: i64,
    outcome: &str,
    error: Option<&str>,
    reached_end: bool,
) -> Result<()> {
    client
        .query_typed(
            "select from sluice.finish_run(run_id => $1, outcome => $2, error => $3, reached_end => $4)",
            &[
                (&run_id, Type::INT8),
                (&outcome, Type::TEXT),
                (&error, Type::TEXT),
                (&reached_end, Type::BOOL),
            ],
        )
        .await?;
    Ok(())
}

/// Drops what the pipeline has retained for long enough. See `sluice.prune`.
pub async fn prune(client: &Client, pipeline: &str) -> Result<()> {
    client
        .query_typed("select from sluice.prune(pipeline => $1)", &[(&pipeline, Type::TEXT)])
        .await?;
    Ok(())
}

/// Begins a transaction in which each statement sees what was committed before it, and which the server
/// ends soon after the loader has died, whatever it is computing.
pub async fn begin(client: &Client) -> Result<(), tokio_postgres::Error> {
    let begin = format!("begin isolation level read committed; {END_WITH_THE_CLIENT}");
    client.batch_execute(&begin).await
}

/// What `load_batch` answered.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What the entry in the ledger counts.
    pub books: Books,
    /// What the user should know of it.
    pub note: Option<String>,
}

/// Loads the staged batch: fence, merge, quarantine, ledger, cursor. Commit only after this
/// answered. `max_bad_ratio` replaces the pipeline's own limit; with `repair`, rows that were edited are written
/// anew, too.
pub async fn load(
    client: &Client,
    run: &Run,
    batch_seq: i64,
    batch: &Batch,
    retried: i64,
    max_bad_ratio: Option<f64>,
    repair: bool,
) -> Result<Loaded> {
    let objects = serde_json::to_value(&batch.objects).unwrap_or_default();
    let row = client
        .query_typed_one(
            "select * from sluice.load_batch(run_id => $1, epoch => $2, batch_seq => $3, \"cursor\" => $4, objects => $5, retried => $6, max_bad_ratio => $7::double precision::numeric, snapshot => $8, spoilt_by => $9, repair => $10)",
            &[
                (&run.run_id, Type::INT8),
                (&run.epoch, Type::INT8),
                (&batch_seq, Type::INT8),
                (&batch.cursor, Type::JSONB),
                (&objects, Type::JSONB),
                (&retried, Type::INT8),
                (&max_bad_ratio, Type::FLOAT8),
                (&batch.snapshot.name(), Type::TEXT),
                (&batch.spoilt_by, Type::TEXT),
                (&repair, Type::BOOL),
            ],
        )
        .await?;
    Ok(Loaded { books: Books::from_row(&row), note: row.get("note") })
}

/// What came of the end of a complete read.
#[derive(Debug, Clone)]
pub struct Finished {
    /// What the entry in the ledger counts, if there is one.
    pub books: Option<Books>,
    /// Why no missing row was looked for, if there is anything to say.
    pub note: Option<String>,
}

/// Ends a complete read: what the source no longer has is deleted or marked. Commit only after
/// this answered. `max_delete_ratio` replaces the pipeline's own limit.
pub async fn finish_snapshot(
    client: &Client,
    run: &Run,
    batch_seq: i64,
    max_delete_ratio: Option<f64>,
) -> Result<Finished> {
    let row = client
        .query_typed_one(
            "select * from sluice.finish_snapshot(run_id => $1, epoch => $2, batch_seq => $3, max_delete_ratio => $4::double precision::numeric)",
            &[
                (&run.run_id, Type::INT8),
                (&run.epoch, Type::INT8),
                (&batch_seq, Type::INT8),
                (&max_delete_ratio, Type::FLOAT8),
            ],
        )
        .await?;
    let is_written = row.get::<_, Option<i64>>("batch_id").is_some();
    Ok(Finished { books: is_written.then(|| Books::from_row(&row)), note: row.get("note") })
}

/// After a lost answer: the books of the batch if it was committed, `None` if not. Waits for a session that
/// may still be committing.
pub async fn outcome(client: &Client, run: &Run, batch_seq: i64) -> Result<Option<Books>> {
    let rows = client
        .query_typed(
            "select * from sluice.batch_outcome(run_id => $1, epoch => $2, batch_seq => $3)",
            &[(&run.run_id, Type::INT8), (&run.epoch, Type::INT8), (&batch_seq, Type::INT8)],
        )
        .await?;
    Ok(rows.first().map(Books::from_row))
}

/// The records quarantined by the open transaction, by error, the most frequent first.
pub async fn quarantined_in_transaction(
    client: &Client,
    pipeline: &str,
) -> Result<Vec<ErrorGroup>> {
    let rows = client
        .query_typed(
            "select * from sluice.quarantined_in_transaction($1)",
            &[(&pipeline, Type::TEXT)],
        )
        .await?;
    Ok(rows.iter().map(ErrorGroup::from_row).collect())
}
