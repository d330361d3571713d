//! `sluice status`

use super::args;
use super::call::rows;
use super::context::Context;
use super::table;
use crate::error::Result;

pub(super) async fn status(context: &Context, args: &args::Reporting) -> Result<u8> {
    let session = context.session().await?;
    let mut rows = rows(
        &session,
        "select * from sluice.status_details where $1::text is null or pipeline = sluice.pipeline_name($1)",
        &[&args.pipeline],
    )
    .await?;
    if !context.json {
        // A screen is narrow; the rest is in the view and in --json.
        for row in &mut rows {
            row.retain(|name, _| !["cursor", "started_at", "target"].contains(&name.as_str()));
        }
    }
    table::print(
        &rows,
        context.json,
        "no pipeline is defined; \"sluice apply FILE\" defines one",
    );
    Ok(0)
}
