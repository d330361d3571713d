//! Options of the commands that move the live cursor.

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice rewind orders --to-batch 812      read again what came after batch 812
  sluice rewind orders --to-time '2026-03-01 06:00+00'
  sluice rewind orders --to-start          read everything again
  sluice rewind orders --to-start --dry-run
                                           only show what would be read again
  sluice rewind orders --object drop/a.csv read one file again")]
pub(crate) struct Rewind {
    /// The pipeline
    pub(crate) pipeline: String,
    #[command(flatten)]
    pub(crate) goal: RewindGoal,
    /// Show the batches that would be read again, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct RewindGoal {
    /// Back to the very start
    #[arg(long)]
    pub(crate) to_start: bool,
    /// Back to the end of this batch (batch_id in the ledger)
    #[arg(long, value_name = "N")]
    pub(crate) to_batch: Option<i64>,
    /// Back to what was committed at this time
    #[arg(long, value_name = "TIME")]
    pub(crate) to_time: Option<String>,
    /// Back to the start of this file or object, by the name it was read under
    #[arg(long, value_name = "NAME")]
    pub(crate) object: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice skip orders --object drop/bad.csv --reason 'damaged export'
  sluice skip orders --pages 1 --reason 'the API fails on this page'

A file or object that is replaced later is read; sluice rewind orders --object drop/bad.csv takes
the skip back. Pages can be passed over where the source pages by number or by offset.")]
pub(crate) struct Skip {
    /// The pipeline
    pub(crate) pipeline: String,
    #[command(flatten)]
    pub(crate) what: SkipWhat,
    /// Why; it stays in the ledger
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SkipWhat {
    /// Take this file or object for done, whether it was begun, or not even found yet
    #[arg(long, value_name = "NAME")]
    pub(crate) object: Option<String>,
    /// Go on behind so many pages of an API, the one in hand being the first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(1..))]
    pub(crate) pages: Option<i32>,
}
