//! `sluice rewind`

use super::args;
use super::context::Context;
use super::table;
use crate::db::Session;
use crate::error::Result;
use serde_json::json;
use tokio_postgres::types::{ToSql, Type};

const GOAL: &str = "pipeline => $1, to_batch => $2, to_start => $3, object => $4, to_time => $5::text::timestamptz";

pub(super) async fn rewind(context: &Context, args: &args::Rewind) -> Result<u8> {
    let session = context.session().await?;
    let goal: [(&(dyn ToSql + Sync), Type); 5] = [
        (&args.pipeline, Type::TEXT),
        (&args.goal.to_batch, Type::INT8),
        (&args.goal.to_start, Type::BOOL),
        (&args.goal.object, Type::TEXT),
        (&args.goal.to_time, Type::TEXT),
    ];
    if args.dry_run {
        return preview(&session, &goal, args.json).await;
    }
    let row = session
        .query_typed_one(&format!("select sluice.rewind({GOAL})"), &goal)
        .await?;
    let done: String = row.get(0);
    match args.json {
        true => println!("{}", json!({"pipeline": args.pipeline, "done": done})),
        false => println!("{done}"),
    }
    Ok(0)
}

async fn preview(
    session: &Session,
    goal: &[(&(dyn ToSql + Sync), Type)],
    as_json: bool,
) -> Result<u8> {
    let mut rows = table::query(
        session,
        &format!("select * from sluice.preview_rewind({GOAL})"),
        goal,
    )
    .await?;
    if !as_json {
        for row in &mut rows {
            table::shorten_time(row, "committed_at");
        }
    }
    table::print(&rows, as_json, "nothing would be read again");
    if !as_json && !rows.is_empty() {
        let records: i64 = rows.iter().filter_map(|row| row["records"].as_i64()).sum();
        println!(
            "would be read again: batches={} records={records}",
            rows.len()
        );
    }
    Ok(0)
}
