//! `sluice discard`

use super::args;
use super::call::{Param, call, rows};
use super::context::Context;
use super::table;
use crate::error::Result;
use serde_json::json;

pub(super) async fn discard(context: &Context, args: &args::Discard) -> Result<u8> {
    if args.dry_run {
        return show(
            context,
            "select id, sqlstate, origin || ':' || position as place, seen, message, payload
             from sluice.quarantine_open_details where id in (select sluice.find_quarantined($1, $2, $3)) order by id",
            &[&args.pipeline, &args.which.ids, &args.which.filter],
            "would discard",
        )
        .await;
    }
    call(
        context,
        json!({"pipeline": args.pipeline}),
        "select sluice.discard(pipeline => $1, quarantine_ids => $2, reason => $3, filter => $4, all_open => $5) as discarded",
        &[
            &args.pipeline,
            &args.which.ids,
            &args.reason,
            &args.which.filter,
            &args.which.all,
        ],
    )
    .await
}

/// Prints the records that something would be done to, and how many they are.
pub(super) async fn show(
    context: &Context,
    sql: &str,
    params: &[&dyn Param],
    what: &str,
) -> Result<u8> {
    let session = context.session().await?;
    let records = rows(&session, sql, params).await?;
    table::print(&records, context.json, "no such record");
    if !context.json {
        println!("{what}: records={}", records.len());
    }
    Ok(0)
}
