//! `sluice versions`

use super::args;
use super::call::list;
use super::context::Context;
use crate::error::Result;

pub(super) async fn versions(context: &Context, args: &args::Reporting) -> Result<u8> {
    let columns = match context.json {
        true => "*",
        // A screen is narrow: who brought it where it is, and when.
        false => {
            "pipeline, version, state, pg_catalog.split_part(function, '(', 1) as function,
             defined_at, defined_by, activated_at, activated_by"
        }
    };
    list(
        context,
        &format!(
            "select {columns} from sluice.versions_details
             where $1::text is null or pipeline = sluice.pipeline_name($1)"
        ),
        &[&args.pipeline],
        "no pipeline is defined; \"sluice apply FILE\" defines one",
    )
    .await
}
