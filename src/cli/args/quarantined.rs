//! Options of the commands about quarantined records.

use super::DryRun;
use clap::Args;

/// Which quarantined records; all open ones of the pipeline where neither is given.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// Only records that meet this condition on sluice.quarantine_open_details
    #[arg(long = "where", value_name = "SQL")]
    pub(crate) filter: Option<String>,
    /// Only these records (ids as in sluice quarantine)
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub(crate) ids: Option<Vec<i64>>,
}

/// Which records are closed or opened; one of these has to be said.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Chosen {
    /// Records that meet this condition
    #[arg(long = "where", value_name = "SQL")]
    pub(crate) filter: Option<String>,
    /// These records
    #[arg(long, value_name = "ID,...", value_delimiter = ',')]
    pub(crate) ids: Option<Vec<i64>>,
    /// All records of the pipeline
    #[arg(long, conflicts_with_all = ["filter", "ids"])]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice replay orders --version 3 --where \"sqlstate = '22P02'\"
  sluice replay orders --dry-run           what would change, cell by cell

What loads is closed and names its batch; what is still bad stays, with its new error. An older
record never overwrites a newer row.")]
pub(crate) struct Replay {
    /// The pipeline
    pub(crate) pipeline: String,
    #[command(flatten)]
    pub(crate) which: Which,
    /// Use this version of the transform (default: the active one)
    #[arg(long, value_name = "N")]
    pub(crate) version: Option<i32>,
    /// Load records also where the row in the target may be newer
    #[arg(long)]
    pub(crate) overwrite_unsure: bool,
    /// Commit after so many records
    #[arg(long, value_name = "N", default_value = "10000", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) batch_rows: i32,
    #[command(flatten)]
    pub(crate) dry: DryRun,
    /// Retry passing failures so often in all
    #[arg(long, value_name = "N", default_value = "20")]
    pub(crate) retries: u32,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice amend 17 --reason \"decimal comma\" < corrected.json
  sluice amend 17 --reason \"decimal comma\" --edit
  sluice amend 17 --reason \"it was right\" --restore

The original stays beside the corrected payload. sluice replay loads it.")]
pub(crate) struct Amend {
    /// The record (its id in sluice quarantine)
    pub(crate) id: i64,
    /// Read the corrected payload from here (- for standard input)
    #[arg(long, value_name = "FILE", default_value = "-")]
    pub(crate) payload: String,
    /// Correct the payload in an editor ($VISUAL, $EDITOR or vi)
    #[arg(long, conflicts_with = "payload")]
    pub(crate) edit: bool,
    /// Go back to the payload as it came
    #[arg(long, conflicts_with_all = ["payload", "edit", "as_is"])]
    pub(crate) restore: bool,
    /// Take a payload that is empty or no JSON, too
    #[arg(long)]
    pub(crate) as_is: bool,
    /// Say why
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice discard orders --where \"origin like 'drop/2026-04-%'\" --reason \"sent twice\"
  sluice discard orders --ids 17,18 --reason \"test records\"
  sluice discard orders --all --dry-run    which records that would be

Conditions are on sluice.quarantine_open_details. sluice reopen takes it back.")]
pub(crate) struct Discard {
    /// The pipeline
    pub(crate) pipeline: String,
    #[command(flatten)]
    pub(crate) which: Chosen,
    /// Show the records, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Say why
    #[arg(long, required_unless_present = "dry_run")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice reopen orders --where \"reason = 'test records'\"
  sluice reopen orders --all --dry-run     which records that would be

Conditions are on sluice.quarantine_discarded.")]
pub(crate) struct Reopen {
    /// The pipeline
    pub(crate) pipeline: String,
    #[command(flatten)]
    pub(crate) which: Chosen,
    /// Show the records, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice quarantine orders --by-error      one line for each kind of error
  sluice quarantine orders --limit 3       the records, with their payloads")]
pub(crate) struct Quarantine {
    /// The pipeline
    pub(crate) pipeline: String,
    /// Group by error
    #[arg(long, conflicts_with_all = ["filter", "ids"])]
    pub(crate) by_error: bool,
    #[command(flatten)]
    pub(crate) which: Which,
    /// Show so many records
    #[arg(
        long,
        value_name = "N",
        default_value = "20",
        conflicts_with = "by_error",
        value_parser = clap::value_parser!(i64).range(1..)
    )]
    pub(crate) limit: i64,
}
