//! `sluice prune`

use super::args;
use super::call::list;
use super::context::Context;
use crate::error::Result;

pub(super) async fn prune(context: &Context, args: &args::Prune) -> Result<u8> {
    list(
        context,
        "select * from sluice.prune(pipeline => $1, tombstones_before => $2::text::timestamptz)",
        &[&args.pipeline, &args.tombstones_before],
        "nothing is old enough",
    )
    .await
}
