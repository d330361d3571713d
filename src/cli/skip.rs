//! `sluice skip`

use super::args;
use super::call::call;
use super::context::Context;
use crate::error::Result;
use serde_json::json;

pub(super) async fn skip(context: &Context, args: &args::Skip) -> Result<u8> {
    call(
        context,
        json!({"pipeline": args.pipeline}),
        "select sluice.skip(pipeline => $1, object => $2, pages => $3, reason => $4) as done",
        &[
            &args.pipeline,
            &args.what.object,
            &args.what.pages,
            &args.reason,
        ],
    )
    .await
}
