//! The options of a run.

use crate::batch::{Change, Run};
use crate::error::Result;
use crate::host::HostRules;
use crate::retry::Budget;
use crate::source::{self, BatchLimits, Driver, Source, SourceContext, Start};
use std::sync::Arc;
use std::time::Duration;

/// Opens a source: its settings, where to continue, and what it works with.
pub(crate) type OpenSource =
    dyn Fn(&serde_json::Value, Start, &SourceContext) -> Result<Box<dyn Source>> + Send + Sync;

/// Called for each row that a dry run would change, with the name of the pipeline.
pub(crate) type ShowChange = dyn Fn(&str, &Change) + Send + Sync;

/// What is called for rows that a dry run would change.
#[derive(Clone)]
pub struct ShowChanges {
    /// How many rows at most; all if none.
    pub most: Option<i64>,
    /// Called for each row.
    pub show: Arc<ShowChange>,
}

/// No rows are shown.
impl Default for ShowChanges {
    fn default() -> Self {
        ShowChanges { most: Some(0), show: Arc::new(|_, _| {}) }
    }
}

/// How to run.
#[derive(Clone)]
pub struct Options {
    /// Records in a batch; the pipeline's setting, or 20,000, where not given.
    pub batch_rows: Option<usize>,
    /// Payload bytes in a batch; the pipeline's setting, or 8 MiB, where not given.
    pub batch_bytes: Option<usize>,
    /// How long a batch is gathered from a source that is slow.
    pub batch_time: Duration,
    /// Connections that stage batches side by side.
    pub workers: usize,
    /// Stop after so many batches.
    pub max_batches: Option<u64>,
    /// Do everything, then roll it back.
    pub dry_run: bool,
    /// For a dry run: shows what would change.
    pub changes: ShowChanges,
    /// Take the pipeline from a run that holds it, even one that is alive.
    pub takeover: bool,
    /// After how much silence a run that holds the pipeline is taken to be hung.
    pub stale_after: Duration,
    /// Retries for the whole run.
    pub retries: u32,
    /// Stop at this share of bad records instead of the pipeline's.
    pub max_bad_ratio: Option<f64>,
    /// Refuse to delete or mark more than this share of the rows as missing instead of the
    /// pipeline's.
    pub max_delete_ratio: Option<f64>,
    /// Take the source for this format instead of the pipeline's own.
    pub format: Option<String>,
    /// Read from here instead of the pipeline's own path.
    pub path: Option<String>,
    /// The records were read before: the cursor stays, and rows that were edited since are written anew.
    pub repair: bool,
    /// What pipelines may use of this host.
    pub host: HostRules,
    /// Opens the source.
    pub open_source: Arc<OpenSource>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            batch_rows: None,
            batch_bytes: None,
            batch_time: Driver::GATHERING,
            workers: 3,
            max_batches: None,
            dry_run: false,
            changes: ShowChanges::default(),
            takeover: false,
            stale_after: Duration::from_secs(30),
            retries: Budget::DEFAULT,
            max_bad_ratio: None,
            max_delete_ratio: None,
            format: None,
            path: None,
            repair: false,
            host: HostRules::open(),
            open_source: Arc::new(source::open),
        }
    }
}

impl Options {
    /// Records in a batch where neither the command line nor the pipeline says.
    pub const DEFAULT_BATCH_ROWS: usize = 20_000;
    /// Payload bytes in a batch where neither the command line nor the pipeline says.
    pub const DEFAULT_BATCH_BYTES: usize = 8 << 20;

    pub(super) fn limits(&self, run: &Run) -> BatchLimits {
        BatchLimits {
            digests: run.skips_known && !self.repair,
            ..self.limits_of(run.batch_rows, run.batch_bytes)
        }
    }

    /// The limits of batches that are not recognised, where the pipeline says so many rows and
    /// bytes.
    pub(super) fn limits_of(&self, rows: Option<i32>, bytes: Option<i32>) -> BatchLimits {
        let setting = |pipelines: Option<i32>| pipelines.and_then(|n| usize::try_from(n).ok());
        BatchLimits {
            rows: self.batch_rows.or(setting(rows)).unwrap_or(Self::DEFAULT_BATCH_ROWS),
            bytes: self.batch_bytes.or(setting(bytes)).unwrap_or(Self::DEFAULT_BATCH_BYTES),
            digests: false,
        }
    }
}
