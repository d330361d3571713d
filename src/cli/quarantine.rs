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
                     where pipeline = (sluice._find_pipeline($1)).name"
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
                     where pipeline = (sluice._find_pipeline($1)).name order by id limit $2"
                ),
                &[(&args.pipeline, Type::TEXT), (&args.limit, Type::INT8)],
            )
            .await?
        }
    };
    table::print(&rows, args.json, "nothing in quarantine");
    Ok(0)
}
