//! Replays, seen from outside: which records wait, and another try.

use crate::error::Result;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

/// What one batch of a replay did, as `sluice.replay` returns it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayedBatch {
    /// The transform version that was used.
    pub version: Option<i32>,
    /// Records that were dealt with and closed.
    pub replayed: i64,
    /// Records that are still bad.
    pub quarantined: i64,
    /// Records left open, as a row in the target may be newer.
    pub unsure: i64,
    /// Records for which the transform returned no row.
    pub filtered: i64,
    /// Rows inserted.
    pub inserted: i64,
    /// Rows updated.
    pub updated: i64,
    /// Rows deleted.
    pub deleted: i64,
    /// Rows that were there already, alike.
    pub unchanged: i64,
    /// Rows older than what the target has.
    pub stale: i64,
    /// Rows replaced by a newer one of the same key in the same batch.
    pub superseded: i64,
}

impl ReplayedBatch {
    fn from_row(row: &Row) -> Self {
        ReplayedBatch {
            version: row.get("version_used"),
            replayed: row.get("replayed"),
            quarantined: row.get("quarantined"),
            unsure: row.get("unsure"),
            filtered: row.get("filtered"),
            inserted: row.get("inserted"),
            updated: row.get("updated"),
            deleted: row.get("deleted"),
            unchanged: row.get("unchanged"),
            stale: row.get("stale"),
            superseded: row.get("superseded"),
        }
    }

    /// Adds another batch's counters.
    pub(crate) fn add(&mut self, other: &ReplayedBatch) {
        self.version = other.version.or(self.version);
        self.replayed += other.replayed;
        self.quarantined += other.quarantined;
        self.unsure += other.unsure;
        self.filtered += other.filtered;
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.unchanged += other.unchanged;
        self.stale += other.stale;
        self.superseded += other.superseded;
    }

    /// The counters by name, in the order of the summary.
    pub(crate) fn named(&self) -> [(&'static str, i64); 10] {
        [
            ("replayed", self.replayed),
            ("quarantined", self.quarantined),
            ("unsure", self.unsure),
            ("filtered", self.filtered),
            ("inserted", self.inserted),
            ("updated", self.updated),
            ("deleted", self.deleted),
            ("unchanged", self.unchanged),
            ("stale", self.stale),
            ("superseded", self.superseded),
        ]
    }
}

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
            &[
                (&pipeline, Type::TEXT),
                (&ids, Type::INT8_ARRAY),
                (&filter, Type::TEXT),
            ],
        )
        .await?;
    Ok(row.get(0))
}

/// Puts those records that are still open through a version of the transform again.
pub async fn replay(
    client: &Client,
    pipeline: &str,
    version: Option<i32>,
    ids: &[i64],
    overwrite_unsure: bool,
    batch_rows: i32,
) -> Result<Vec<ReplayedBatch>> {
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
    Ok(rows.iter().map(ReplayedBatch::from_row).collect())
}

/// Tries the records again whose parent row was missing; says how many could be loaded.
pub async fn retry_orphans(client: &Client, pipeline: &str) -> Result<i64> {
    let row = client
        .query_typed_one(
            "select sluice.retry_orphans(pipeline => $1)",
            &[(&pipeline, Type::TEXT)],
        )
        .await?;
    Ok(row.get(0))
}
