//! `sluice drift`: how the fields of the records have changed.

use super::args;
use super::call::list;
use super::context::Context;
use crate::error::Result;

pub(super) async fn drift(context: &Context, args: &args::Drift) -> Result<u8> {
    let columns = match context.json {
        true => "*",
        // A screen is narrow.
        false => "field, state, is_read as read, first_seen_at, first_in, last_seen_at, last_in",
    };
    list(
        context,
        &format!("select {columns} from sluice.drift(pipeline => $1, all_fields => $2)"),
        &[&args.pipeline, &args.all],
        "no field is new, and none is gone; --all lists those there are",
    )
    .await
}
