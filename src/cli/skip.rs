//! `sluice skip`

use super::args;
use super::context::Context;
use crate::error::Result;
use serde_json::json;
use tokio_postgres::types::Type;

pub(super) async fn skip(context: &Context, args: &args::Skip) -> Result<u8> {
    let session = context.session().await?;
    let row = session
        .query_typed_one(
            "select sluice.skip(pipeline => $1, object => $2, pages => $3, reason => $4)",
            &[
                (&args.pipeline, Type::TEXT),
                (&args.what.object, Type::TEXT),
                (&args.what.pages, Type::INT4),
                (&args.reason, Type::TEXT),
            ],
        )
        .await?;
    let done: String = row.get(0);
    match args.json {
        true => println!("{}", json!({"pipeline": args.pipeline, "done": done})),
        false => println!("{done}"),
    }
    Ok(0)
}
