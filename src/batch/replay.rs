//! The engine's functions for replays: which records are open, and replaying them.

use super::Replayed;
use crate::error::Result;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// The open quarantined records that a replay would take, in its order.
pub async fn quarantined_ids(
    client: &Client,
    pipeline: &str,
    ids: Option<&[i64]>,
    filter: Option<&str>,
) -> Result<Vec<i64>> {
    let row = client
        .query_typed_one(
            "select array(select sluice.find_quarantined($1, $2, $3))",
            &[(&pipeline, Type::TEXT), (&ids, Type::INT8_ARRAY), (&filter, Type::TEXT)],
        )
        .await?;
    Ok(row.get(0))
}

/// Puts those records that are still open through a version of the transform again; which
/// version each batch used, and what it did.
pub async fn replay(
    client: &Client,
    pipeline: &str,
    version: Option<i32>,
    ids: &[i64],
    overwrite_unsure: bool,
    batch_rows: i32,
) -> Result<Vec<(Option<i32>, Replayed)>> {
    let rows = client
        .query_typed(
            "select * from sluice.replay(pipeline => $1, version => $2, quarantine_ids => $3, overwrite_unsure => $4, batch_rows => $5)",
            &[
                (&pipeline, Type::TEXT),
                (&version, Type::INT4),
                (&ids, Type::INT8_ARRAY),
                (&overwrite_unsure, Type::BOOL),
                (&batch_rows, Type::INT4),
            ],
        )
        .await?;
    let batches = rows.iter().map(|row| (row.get("version_used"), Replayed::from_row(row)));
    Ok(batches.collect())
}

/// Tries the records again whose parent row was missing; says how many could be loaded.
pub async fn retry_orphans(client: &Client, pipeline: &str) -> Result<i64> {
    let row = client
        .query_typed_one("select sluice.retry_orphans(pipeline => $1)", &[(&pipeline, Type::TEXT)])
        .await?;
    Ok(row.get(0))
}
