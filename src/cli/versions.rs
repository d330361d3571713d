//! `sluice versions`

use super::args;
use super::context::Context;
use super::table;
use crate::error::Result;
use tokio_postgres::types::Type;

pub(super) async fn versions(context: &Context, args: &args::Reporting) -> Result<u8> {
    let session = context.session().await?;
    let columns = match args.json {
        true => "*",
        // A screen is narrow: who brought it where it is, and when.
        false => {
            "pipeline, version, state, pg_catalog.split_part(function, '(', 1) as function,
             pg_catalog.to_char(defined_at, 'YYYY-MM-DD HH24:MI:SS') as defined_at, defined_by,
             pg_catalog.to_char(activated_at, 'YYYY-MM-DD HH24:MI:SS') as activated_at, activated_by"
        }
    };
    let rows = table::query(
        &session,
        &format!(
            "select {columns} from sluice.versions_details
             where $1::text is null or pipeline = sluice.pipeline_name($1)"
        ),
        &[(&args.pipeline, Type::TEXT)],
    )
    .await?;
    table::print(
        &rows,
        args.json,
        "no pipeline is defined; \"sluice apply FILE\" defines one",
    );
    Ok(0)
}
