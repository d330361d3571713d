//! `sluice quarantine`

use super::args;
use super::call::list;
use super::context::Context;
use crate::error::Result;

const WHEN_EMPTY: &str = "nothing in quarantine";

pub(super) async fn quarantine(context: &Context, args: &args::Quarantine) -> Result<u8> {
    if args.by_error {
        return by_error(context, args).await;
    }
    let columns = match context.json {
        true => "*",
        false => {
            "id, sqlstate, origin || ':' || position as place, seen,
             message || coalesce(' (column ' || \"column\" || ')', '') as message, payload"
        }
    };
    list(
        context,
        &format!(
            "select {columns} from sluice.quarantine_open_details
             where id = any (array(select sluice.find_quarantined($1, $2, $3, $4)))
             order by id"
        ),
        &[&args.pipeline, &args.which.ids, &args.which.filter, &args.limit],
        WHEN_EMPTY,
    )
    .await
}

async fn by_error(context: &Context, args: &args::Quarantine) -> Result<u8> {
    let columns = match context.json {
        true => "*",
        // A constraint's name says it all on a screen.
        false => {
            "records, sqlstate, \"column\", coalesce(\"constraint\", example) as error, first_at"
        }
    };
    list(
        context,
        &format!(
            "select {columns} from sluice.quarantine_by_error_details
             where pipeline = sluice.pipeline_name($1)"
        ),
        &[&args.pipeline],
        WHEN_EMPTY,
    )
    .await
}
