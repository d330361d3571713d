//! `sluice quarantine`

use super::args;
use super::context::Context;
use super::table;
use crate::error::Result;
use tokio_postgres::types::Type;

pub(super) async fn quarantine(context: &Context, args: &args::Quarantine) -> Result<u8> {
    let session = context.session().await?;
    let rows = match (args.by_error, args.json) {
        (true, as_json) => {
            // A constraint's name says it all on a screen.
            let columns = match as_json {
                true => "*",
                false => {
                    "records, sqlstate, \"column\", coalesce(\"constraint\", example) as error, first_at"
                }
            };
            table::query(
                &session,
                &format!(
                    "select {columns} from sluice.quarantine_by_error_details
                     where pipeline = sluice.pipeline_name($1)"
                ),
                &[(&args.pipeline, Type::TEXT)],
            )
            .await?
        }
        (false, as_json) => {
            let columns = match as_json {
                true => "*",
                false => "id, sqlstate, origin || ':' || position as place, seen, message, payload",
            };
            table::query(
                &session,
                &format!(
                    "select {columns} from sluice.quarantine_open_details
                     where id in (select sluice.find_quarantined($1, $2, $3))
                     order by id limit $4"
                ),
                &[
                    (&args.pipeline, Type::TEXT),
                    (&args.which.ids, Type::INT8_ARRAY),
                    (&args.which.filter, Type::TEXT),
                    (&args.limit, Type::INT8),
                ],
            )
            .await?
        }
    };
    table::print(&rows, args.json, "nothing in quarantine");
    Ok(0)
}
