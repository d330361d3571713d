//! What the ledger counts, and what went to quarantine, by error.

use serde::Serialize;
use std::fmt::Write as _;
use tokio_postgres::Row;

/// Counters of a batch or a run, as the ledger keeps them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Records read from the source.
    pub extracted: i64,
    /// Records that became rows.
    pub transformed: i64,
    /// Records for which the transform returned no row.
    pub filtered: i64,
    /// Records set aside.
    pub quarantined: i64,
    /// Rows inserted into the target.
    pub inserted: i64,
    /// Rows updated.
    pub updated: i64,
    /// Rows deleted.
    pub deleted: i64,
    /// Rows that were there already, alike; not written.
    pub unchanged: i64,
    /// Rows older than what the target has; not written.
    pub stale: i64,
    /// Rows replaced by a newer one of the same key in the same batch.
    pub superseded: i64,
    /// Attempts that had to be repeated.
    pub retried: i64,
}

impl Counters {
    pub(super) fn from_row(row: &Row) -> Self {
        Counters {
            extracted: row.get("extracted"),
            transformed: row.get("transformed"),
            filtered: row.get("filtered"),
            quarantined: row.get("quarantined"),
            inserted: row.get("inserted"),
            updated: row.get("updated"),
            deleted: row.get("deleted"),
            unchanged: row.get("unchanged"),
            stale: row.get("stale"),
            superseded: row.get("superseded"),
            retried: row.get("retried"),
        }
    }

    /// Rows written to the target.
    pub fn written(&self) -> i64 {
        self.inserted + self.updated + self.deleted
    }

    /// Adds another batch's counters.
    pub fn add(&mut self, other: &Counters) {
        self.extracted += other.extracted;
        self.transformed += other.transformed;
        self.filtered += other.filtered;
        self.quarantined += other.quarantined;
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.unchanged += other.unchanged;
        self.stale += other.stale;
        self.superseded += other.superseded;
        self.retried += other.retried;
    }
}

/// Quarantined records with the same error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorGroup {
    /// How many records.
    pub records: i64,
    /// The error's code.
    pub sqlstate: String,
    /// The column concerned.
    pub column: Option<String>,
    /// The constraint violated.
    pub constraint: Option<String>,
    /// One of the messages.
    pub example: String,
    /// Origin and position of one of the records.
    pub first_at: Option<String>,
}

impl ErrorGroup {
    pub(super) fn from_row(row: &Row) -> Self {
        ErrorGroup {
            records: row.get("records"),
            sqlstate: row.get("sqlstate"),
            column: row.get("column"),
            constraint: row.get("constraint"),
            example: row.get("example"),
            first_at: row.get("first_at"),
        }
    }

    /// `12 × 22P02 invalid input syntax ... (column amount)`
    pub fn line(&self) -> String {
        let mut line = format!("{} × {} {}", self.records, self.sqlstate, self.example);
        if let Some(column) = &self.column {
            let _ = write!(line, " (column {column})");
        }
        line
    }
}
