//! Arguments of the commands on a pipeline as a whole.

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Example:
  sluice show orders > pipelines/orders_v2.sql")]
pub(crate) struct Show {
    /// The pipeline
    pub(crate) pipeline: String,
    /// Another version than the active one
    #[arg(long, value_name = "N")]
    pub(crate) version: Option<i32>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice set orders max_bad_ratio=0.02 batch_rows=5000
  sluice set orders retain_raw=none        the words none and default are values, too
  sluice set orders owner=team_a           whose members run it and see its records

Policies are max_bad_ratio, batch_rows, batch_bytes, skip_known, retry_orphans, retain_raw, retain_history,
missing, mark_column, max_delete_ratio, deliver (none) and owner. What is set here stays when the same
definition is applied again.")]
pub(crate) struct Set {
    /// The pipeline
    pub(crate) pipeline: String,
    /// What to set
    #[arg(required = true, value_name = "POLICY=VALUE", value_parser = policy)]
    pub(crate) policies: Vec<(String, String)>,
}

#[derive(Debug, Args)]
pub(crate) struct OfPipeline {
    /// The pipeline
    pub(crate) pipeline: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice reconcile orders                  what was done behind the tool's back
  sluice reconcile orders --accept deleted --reason 'request 17'

deleted: rows that were loaded are gone (also by truncate); edited: rows were changed; unknown: rows of
batches that are not in the ledger, such as those of a dropped pipeline; foreign: rows that no pipeline
wrote. What is accepted is an entry of the ledger, and sluice verify counts with it.")]
pub(crate) struct Reconcile {
    /// The pipeline
    pub(crate) pipeline: String,
    /// Accept this: deleted, edited, unknown, foreign
    #[arg(long, value_name = "WHAT,...", value_delimiter = ',', requires = "reason")]
    pub(crate) accept: Vec<String>,
    /// Say why; it stays in the ledger
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice erase customers 42 --contains anna@example.org --dry-run
  sluice erase customers 42 --contains anna@example.org --rows --reason 'request 17'
  sluice erase customers 42 --lift-stop --reason 'request 18'

Removed are quarantined records, open and closed, retained payloads, bodies and answers of deliveries, and errors
that quote them. The ledger says when, by whom, why and how much, and not whose it was. A rewind, or the next
record of the key, brings the row back, unless --stop keeps a hash of the key that lets none of its records in.
What was delivered, other pipelines, backups and logs are not reached.")]
pub(crate) struct Erase {
    /// The pipeline
    pub(crate) pipeline: String,
    /// The key whose records are erased: its value, or a JSON object of all key columns
    #[arg(value_parser = super::retained::key)]
    pub(crate) key: Option<serde_json::Value>,
    /// Erase every record, too, in which this text stands (4 characters or more; may be given several times)
    #[arg(long, value_name = "TEXT", required_unless_present = "key")]
    pub(crate) contains: Vec<String>,
    /// Delete the row of the key as well, and the rows of further targets that belong to it
    #[arg(long, requires = "key")]
    pub(crate) rows: bool,
    /// Keep a hash of the key, by which its records are refused from now on
    #[arg(long, requires = "rows")]
    pub(crate) stop: bool,
    /// Let records of the key in again
    #[arg(long, requires = "key", conflicts_with_all = ["contains", "rows", "stop", "dry_run"])]
    pub(crate) lift_stop: bool,
    /// Say why; it stays in the ledger, so without the person's data
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    pub(crate) reason: Option<String>,
    /// Only say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice drift orders
  sluice drift orders --all                those that stay, too

Top-level fields, by a sample of every batch, within the last 30 days. read: the transform names it.")]
pub(crate) struct Drift {
    /// The pipeline
    pub(crate) pipeline: String,
    /// List every field
    #[arg(long)]
    pub(crate) all: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Drop {
    /// The pipeline
    pub(crate) pipeline: String,
    /// Do it: what is forgotten is gone
    #[arg(long)]
    pub(crate) yes: bool,
}

fn policy(text: &str) -> Result<(String, String), String> {
    let (name, value) =
        text.split_once('=').ok_or("a policy and its value, as in max_bad_ratio=0.02")?;
    Ok((name.to_owned(), value.to_owned()))
}
