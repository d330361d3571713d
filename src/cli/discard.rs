//! `sluice discard`

use super::args;
use super::context::Context;
use crate::error::Result;
use tokio_postgres::types::Type;

pub(super) async fn discard(context: &Context, args: &args::Discard) -> Result<u8> {
    let session = context.session().await?;
    let row = session
        .query_typed_one(
            "select sluice.discard(pipeline => $1, quarantine_ids => $2, reason => $3, filter => $4)",
            &[
                (&args.pipeline, Type::TEXT),
                (&args.which.ids, Type::INT8_ARRAY),
                (&args.reason, Type::TEXT),
                (&args.which.filter, Type::TEXT),
            ],
        )
        .await?;
    let count: i64 = row.get(0);
    match args.json {
        true => println!(
            "{}",
            serde_json::json!({"pipeline": args.pipeline, "discarded": count})
        ),
        false => println!("{} discarded={count}", args.pipeline),
    }
    Ok(0)
}
