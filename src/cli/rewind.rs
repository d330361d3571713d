//! `sluice rewind`

use super::args;
use super::call::{Param, call, look};
use super::context::Context;
use super::table::{self, Row};
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

/// How many batches are shown to a person.
const SHOWN: usize = 100;

async fn preview(context: &Context, goal: &[&dyn Param]) -> Result<u8> {
    let session = context.session().await?;
    let all = format!("select * from sluice.preview_rewind({GOAL})");
    if context.json {
        table::print(&look(&session, &all, goal).await?, true, "");
        return Ok(0);
    }
    let some = format!(
        "select *, count(*) over () as all_batches, sum(records) over () as all_records
         from ({all}) b limit {SHOWN}"
    );
    let mut shown = look(&session, &some, goal).await?;
    let (mut batches, mut records) = (0, 0);
    for row in &mut shown {
        batches = take(row, "all_batches");
        records = take(row, "all_records");
    }
    table::print(&shown, false, "nothing would be read again");
    if batches > SHOWN {
        println!("… the first {SHOWN} of {batches} batches; `--json` shows all of them");
    }
    if batches > 0 {
        println!("would be read again: batches={batches} records={records}");
    }
    Ok(0)
}

/// Takes a number out of a row.
fn take(row: &mut Row, column: &str) -> usize {
    row.remove(column).and_then(|count| count.as_u64()).unwrap_or(0) as usize
}
