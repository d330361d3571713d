//! `sluice prune`

use super::args;
use super::context::Context;
use super::table;
use crate::error::Result;
use tokio_postgres::types::Type;

pub(super) async fn prune(context: &Context, args: &args::Prune) -> Result<u8> {
    let session = context.session().await?;
    let rows = table::query(
        &session,
        "select * from sluice.prune(pipeline => $1, tombstones_before => $2::text::timestamptz)",
        &[
            (&args.pipeline, Type::TEXT),
            (&args.tombstones_before, Type::TEXT),
        ],
    )
    .await?;
    table::print(&rows, args.json, "nothing is old enough");
    Ok(0)
}
