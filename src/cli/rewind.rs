//! `sluice rewind`

use super::args;
use super::context::Context;
use crate::error::Result;
use tokio_postgres::types::Type;

pub(super) async fn rewind(context: &Context, args: &args::Rewind) -> Result<u8> {
    let session = context.session().await?;
    let row = session
        .query_typed_one(
            "select sluice.rewind(pipeline => $1, to_batch => $2, to_start => $3, object => $4)",
            &[
                (&args.pipeline, Type::TEXT),
                (&args.goal.to_batch, Type::INT8),
                (&args.goal.to_start, Type::BOOL),
                (&args.goal.object, Type::TEXT),
            ],
        )
        .await?;
    let done: String = row.get(0);
    match args.json {
        true => println!(
            "{}",
            serde_json::json!({"pipeline": args.pipeline, "done": done})
        ),
        false => println!("{done}"),
    }
    Ok(0)
}
