//! `sluice erase`: deletes what is kept of a person.

use super::args;
use super::call::{call, rows};
use super::context::Context;
use super::diagnostics;
use super::table;
use crate::error::Result;
use serde_json::json;

pub(super) async fn erase(context: &Context, args: &args::Erase) -> Result<u8> {
    if args.lift_stop {
        let about = json!({"pipeline": args.pipeline});
        let sql = "select sluice.lift_stop(pipeline => $1, key => $2, reason => $3) as done";
        return call(context, about, sql, &[&args.pipeline, &args.key, &args.reason]).await;
    }
    let session = context.session().await?;
    let contains = json!(args.contains);
    let found = rows(
        &session,
        "select * from sluice.erase(pipeline => $1, key => $2,
           contains => array(select pg_catalog.jsonb_array_elements_text($3)),
           reason => $4, rows => $5, stop => $6, dry_run => $7)",
        &[
            &args.pipeline,
            &args.key,
            &contains,
            &args.reason,
            &args.rows,
            &args.stop,
            &args.dry_run,
        ],
    )
    .await?;
    table::print(&found, context.json, "");
    if args.dry_run && !context.json {
        diagnostics::note("a dry run: nothing was erased");
    }
    Ok(0)
}
