//! `sluice discard`

use super::args;
use super::call::call;
use super::context::Context;
use crate::error::Result;
use serde_json::json;

pub(super) async fn discard(context: &Context, args: &args::Discard) -> Result<u8> {
    call(
        context,
        json!({"pipeline": args.pipeline}),
        "select sluice.discard(pipeline => $1, quarantine_ids => $2, reason => $3, filter => $4) as discarded",
        &[
            &args.pipeline,
            &args.which.ids,
            &args.reason,
            &args.which.filter,
        ],
    )
    .await
}
