//! `sluice activate`

use super::args;
use super::context::Context;
use crate::error::Result;
use tokio_postgres::types::Type;

pub(super) async fn activate(context: &Context, args: &args::Activate) -> Result<u8> {
    let session = context.session().await?;
    let row = session
        .query_typed_one(
            "select sluice.activate_version(pipeline => $1, version => $2)",
            &[(&args.pipeline, Type::TEXT), (&args.version, Type::INT4)],
        )
        .await?;
    let done: String = row.get(0);
    match args.json {
        true => println!(
            "{}",
            serde_json::json!({"pipeline": args.pipeline, "version": args.version, "done": done})
        ),
        false => println!("{done}"),
    }
    Ok(0)
}
