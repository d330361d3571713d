//! Options of the commands about retained payloads.

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice reload orders --batches 812,813
  sluice reload orders --batches 812..830 --version 3 --dry-run

The payloads must have been retained: define_pipeline(..., retain_raw => '7 days'). What a later
batch wrote stays. All of it is one transaction.")]
pub(crate) struct Reload {
    /// The pipeline
    pub(crate) pipeline: String,
    /// Reload these batches (batch_id in the ledger): 812,813 or 812..830
    #[arg(long, value_name = "N,...|N..M", value_parser = batches)]
    pub(crate) batches: Batches,
    /// Use this version of the transform (default: the active one)
    #[arg(long, value_name = "N")]
    pub(crate) version: Option<i32>,
    /// Stop at this share of bad records (default: the pipeline's max_bad_ratio)
    #[arg(long, value_name = "0..1", value_parser = super::ratio)]
    pub(crate) max_bad_ratio: Option<f64>,
    #[command(flatten)]
    pub(crate) dry: super::DryRun,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice compare orders 1 2                what version 2 would make of what version 1 loaded
  sluice compare orders 1 2 --last 100 --samples 10
  sluice compare orders 1 2 --last 0       over open quarantine alone

Nothing is changed. The records that differ, one by one: select * from sluice.compare_records(...).")]
pub(crate) struct Compare {
    /// The pipeline
    pub(crate) pipeline: String,
    /// A version of its transform
    pub(crate) version_a: i32,
    /// Another one
    pub(crate) version_b: i32,
    /// Compare over the retained payloads of so many batches, and over open quarantine
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(i32).range(0..))]
    pub(crate) last: i32,
    /// Show so many records of each kind of difference
    #[arg(long, value_name = "N", default_value = "3", value_parser = clap::value_parser!(i32).range(0..))]
    pub(crate) samples: i32,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice why orders 42
  sluice why orders '{\"region\": \"eu\", \"id\": 42}'
  sluice why orders '{\"order_id\": 42, \"line_no\": 2}' --target shop.order_lines")]
pub(crate) struct Why {
    /// The pipeline
    pub(crate) pipeline: String,
    /// The key of the row: its value, or a JSON object of all key columns
    #[arg(value_parser = key)]
    pub(crate) key: serde_json::Value,
    /// The table, where the pipeline has several (default: the first)
    #[arg(long, value_name = "TABLE")]
    pub(crate) target: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sluice prune
  sluice prune orders --tombstones-before 2026-01-01
  sluice prune --history-before 2025-01-01 --dry-run

Every run does this for its own pipeline by its policy retain_raw, and one of the engine's owner by
retain_history.")]
pub(crate) struct Prune {
    /// Only this pipeline (default: all)
    pub(crate) pipeline: Option<String>,
    /// Also forget keys that were deleted before then; older records may bring them back
    #[arg(long, value_name = "TIME")]
    pub(crate) tombstones_before: Option<String>,
    /// Drop ledger, runs and closed quarantined records of before then (default: as retain_history says)
    #[arg(long, value_name = "TIME")]
    pub(crate) history_before: Option<String>,
    /// Only say what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Batches as they are named on a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Batches {
    /// `812,813`
    These(Vec<i64>),
    /// `812..830`, both included; either end may be left out.
    Between(Option<i64>, Option<i64>),
}

fn batches(text: &str) -> Result<Batches, String> {
    let wanted = || "numbers such as 812,813, or a range such as 812..830".to_owned();
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| wanted());
    let Some((from, to)) = text.split_once("..") else {
        return Ok(Batches::These(text.split(',').map(number).collect::<Result<_, _>>()?));
    };
    let end = |text: &str| match text.is_empty() {
        true => Ok(None),
        false => number(text).map(Some),
    };
    match (end(from)?, end(to)?) {
        (None, None) => Err(wanted()),
        (from, to) => Ok(Batches::Between(from, to)),
    }
}

/// A value by itself is a text, whatever it looks like: the engine gives it the type of its column.
pub(super) fn key(text: &str) -> Result<serde_json::Value, String> {
    match text.starts_with(['{', '[', '"']) {
        false => Ok(text.into()),
        true => serde_json::from_str(text)
            .map_err(|error| format!("{error}; a JSON object such as {{\"order_id\": 42}}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Batches, batches};

    #[test]
    fn batches_are_a_list_or_a_range() {
        assert_eq!(batches("812"), Ok(Batches::These(vec![812])));
        assert_eq!(batches("812, 813"), Ok(Batches::These(vec![812, 813])));
        assert_eq!(batches("812..830"), Ok(Batches::Between(Some(812), Some(830))));
        assert_eq!(batches("812.."), Ok(Batches::Between(Some(812), None)));
        assert_eq!(batches("..830"), Ok(Batches::Between(None, Some(830))));
        for wrong in ["", "..", "a", "1,,2", "1..b", "1-2"] {
            assert!(batches(wrong).is_err(), "{wrong}");
        }
    }
}
