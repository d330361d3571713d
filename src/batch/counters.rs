//! The counters of the ledger and of replays, and quarantined records grouped by error.

use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use tokio_postgres::Row;

/// Counters that are named once: in the order of the summary, as columns of the engine's
/// answers, and as fields.
macro_rules! counters {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $counter:ident,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
        pub struct $name {
            $($(#[$meaning])* pub $counter: i64,)*
        }

        impl $name {
            pub(super) fn from_row(row: &Row) -> Self {
                $name { $($counter: row.get(stringify!($counter)),)* }
            }

            /// Adds another batch's counters.
            pub fn add(&mut self, other: &Self) {
                $(self.$counter += other.$counter;)*
            }

            /// Each with its name.
            pub fn named(&self) -> impl Iterator<Item = (&'static str, i64)> {
                [$((stringify!($counter), self.$counter),)*].into_iter()
            }

            /// Rows written to the target.
            pub fn written(&self) -> i64 {
                self.inserted + self.updated + self.deleted
            }
        }
    };
}

counters! {
    /// Counters of a batch or a run, as the ledger keeps them.
    Counters {
        /// Records read from the source.
        extracted,
        /// Records that became rows.
        transformed,
        /// Records for which the transform returned no row.
        filtered,
        /// Records set aside.
        quarantined,
        /// Rows inserted into the target.
        inserted,
        /// Rows updated.
        updated,
        /// Rows deleted.
        deleted,
        /// Rows that were there already, alike; not written.
        unchanged,
        /// Rows older than what the target has; not written.
        stale,
        /// Rows replaced by a newer one of the same key in the same batch.
        superseded,
        /// Attempts that had to be repeated.
        retried,
    }
}

/// What a ledger entry or a run counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Books {
    /// Records, and the rows of all targets.
    pub counters: Counters,
    /// The rows of each target, where there are several: `{"target": "shop.orders", "inserted": 3, ...}`.
    pub targets: Vec<Map<String, Value>>,
}

impl Books {
    pub(super) fn from_row(row: &Row) -> Self {
        let targets = match row.get("targets") {
            Some(Value::Array(books)) => books,
            _ => Vec::new(),
        };
        let book = |target| match target {
            Value::Object(book) => Some(book),
            _ => None,
        };
        Books {
            counters: Counters::from_row(row),
            targets: targets.into_iter().filter_map(book).collect(),
        }
    }

    /// Adds another batch's books.
    pub fn add(&mut self, other: &Self) {
        self.counters.add(&other.counters);
        for book in &other.targets {
            match self.targets.iter_mut().find(|sum| sum.get("target") == book.get("target")) {
                Some(sum) => add_counts(sum, book),
                None => self.targets.push(book.clone()),
            }
        }
    }
}

fn add_counts(sum: &mut Map<String, Value>, book: &Map<String, Value>) {
    for (counter, count) in sum {
        let other = book.get(counter).and_then(Value::as_i64);
        if let (Some(one), Some(other)) = (count.as_i64(), other) {
            *count = Value::from(one + other);
        }
    }
}

counters! {
    /// Counters of a replay or of one of its batches, as `sluice.replay` returns them.
    Replayed {
        /// Records that were dealt with and closed.
        replayed,
        /// Records that are still bad.
        quarantined,
        /// Records left open because the row in the target may be newer.
        unsure,
        /// Records for which the transform returned no row.
        filtered,
        /// Rows inserted into the target.
        inserted,
        /// Rows updated.
        updated,
        /// Rows deleted.
        deleted,
        /// Rows that were there already, alike; not written.
        unchanged,
        /// Rows older than what the target has; not written.
        stale,
        /// Rows replaced by a newer one of the same key in the same batch.
        superseded,
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
