//! `sluice rewind`

use super::args;
use super::call::{Param, call, look};
use super::context::Context;
use super::table;
use crate::error::Result;
use serde_json::json;

const GOAL: &str = "pipeline => $1, to_batch => $2, to_start => $3, object => $4, to_time => $5::text::timestamptz";

pub(super) async fn rewind(context: &Context, args: &args::Rewind) -> Result<u8> {
    let goal: [&dyn Param; 5] = [
        &args.pipeline,
        &args.goal.to_batch,
        &args.goal.to_start,
        &args.goal.object,
        &args.goal.to_time,
    ];
    if args.dry_run {
        return preview(context, &goal).await;
    }
    let about = json!({"pipeline": args.pipeline});
    let sql = format!("select sluice.rewind({GOAL}) as done");
    call(context, about, &sql, &goal).await
}

async fn preview(context: &Context, goal: &[&dyn Param]) -> Result<u8> {
    let session = context.session().await?;
    let sql = format!("select * from sluice.preview_rewind({GOAL})");
    let batches = look(&session, &sql, goal).await?;
    table::print(&batches, context.json, "nothing would be read again");
    if !context.json && !batches.is_empty() {
        let records = batches.iter().filter_map(|row| row["records"].as_i64());
        println!(
            "would be read again: batches={} records={}",
            batches.len(),
            records.sum::<i64>()
        );
    }
    Ok(0)
}
