//! `sluice activate`

use super::args;
use super::call::call;
use super::context::Context;
use crate::error::Result;
use serde_json::json;

pub(super) async fn activate(context: &Context, args: &args::Activate) -> Result<u8> {
    call(
        context,
        json!({"pipeline": args.pipeline, "version": args.version}),
        "select sluice.activate_version(pipeline => $1, version => $2) as done",
        &[&args.pipeline, &args.version],
    )
    .await
}
