//! `sluice status`

use super::args;
use super::context::Context;
use super::table;
use crate::error::Result;
use tokio_postgres::types::Type;

pub(super) async fn status(context: &Context, args: &args::Reporting) -> Result<u8> {
    let session = context.session().await?;
    let rows = table::query(
        &session,
        "select * from sluice.status_details where $1::text is null or pipeline = sluice.pipeline_name($1)",
        &[(&args.pipeline, Type::TEXT)],
    )
    .await?;
    let rows = match args.json {
        true => rows,
        // A screen is narrow; the rest is in the view and in --json.
        false => rows.into_iter().map(brief).collect(),
    };
    table::print(
        &rows,
        args.json,
        "no pipeline is defined; \"sluice apply FILE\" defines one",
    );
    Ok(0)
}

fn brief(
    mut row: serde_json::Map<String, serde_json::Value>,
) -> serde_json::Map<String, serde_json::Value> {
    for name in ["cursor", "started_at", "target"] {
        row.shift_remove(name);
    }
    table::shorten_time(&mut row, "finished_at");
    row
}
