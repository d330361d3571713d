//! `sluice reopen`

use super::args;
use super::call::call;
use super::context::Context;
use super::discard::show;
use crate::error::Result;
use serde_json::json;

pub(super) async fn reopen(context: &Context, args: &args::Reopen) -> Result<u8> {
    if args.dry_run {
        return show(
            context,
            "select id, sqlstate, origin || ':' || position as place, reason, discarded_by, message, payload
             from sluice.quarantine_discarded where id in (select sluice.find_discarded($1, $2, $3)) order by id",
            &[&args.pipeline, &args.which.ids, &args.which.filter],
            "would reopen",
        )
        .await;
    }
    call(
        context,
        json!({"pipeline": args.pipeline}),
        "select sluice.reopen(pipeline => $1, quarantine_ids => $2, filter => $3, all_discarded => $4) as reopened",
        &[
            &args.pipeline,
            &args.which.ids,
            &args.which.filter,
            &args.which.all,
        ],
    )
    .await
}
