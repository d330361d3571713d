//! `sluice prune`: one transaction after another, until nothing is old enough.

use super::args;
use super::call::{Param, rows};
use super::context::Context;
use super::table::{self, Row};
use crate::error::Result;
use serde_json::json;

/// What goes a piece at a time.
const HISTORY: [&str; 4] = ["batches", "runs", "records", "objects"];

pub(super) async fn prune(context: &Context, args: &args::Prune) -> Result<u8> {
    let sql =
        "select * from sluice.prune(pipeline => $1, tombstones_before => $2::text::timestamptz,
        history_before => $3::text::timestamptz, dry_run => $4)";
    let session = context.session().await?;
    let mut pruned: Vec<Row> = Vec::new();
    let mut left = vec![args.pipeline.clone()];
    while let Some(pipeline) = left.pop() {
        let params: [&dyn Param; 4] =
            [&pipeline, &args.tombstones_before, &args.history_before, &args.dry_run];
        for row in rows(&session, sql, &params).await? {
            // Those that have more, one by one: most of all have nothing.
            if is_history(&row) && !args.dry_run {
                left.push(row["pipeline_name"].as_str().map(str::to_owned));
            }
            add(&mut pruned, row);
        }
    }
    table::print(&pruned, context.json, "nothing is old enough that this role may drop");
    Ok(0)
}

fn is_history(row: &Row) -> bool {
    HISTORY.iter().any(|name| !row[*name].is_null())
}

/// Adds what one call has pruned of a pipeline's history to what earlier calls have.
fn add(pruned: &mut Vec<Row>, row: Row) {
    let is_more = |before: &&mut Row| {
        is_history(before) && is_history(&row) && before["pipeline_name"] == row["pipeline_name"]
    };
    match pruned.iter_mut().find(is_more) {
        Some(before) => {
            for name in HISTORY {
                let sum = before[name].as_i64().unwrap_or(0) + row[name].as_i64().unwrap_or(0);
                before.insert(name.to_owned(), json!(sum));
            }
        }
        None => pruned.push(row),
    }
}
