//! `sluice reload`

use super::args::{self, Batches};
use super::context::Context;
use super::table;
use crate::error::Result;
use tokio_postgres::types::Type;

pub(super) async fn reload(context: &Context, args: &args::Reload) -> Result<u8> {
    let session = context.session().await?;
    let (list, from, to) = match &args.batches {
        Batches::These(batches) => (Some(batches), None, None),
        Batches::Between(from, to) => (None, *from, *to),
    };
    session.batch_execute("begin").await?;
    let rows = table::query(
        &session,
        "select * from sluice.reload(pipeline => $1, batches => $2, from_batch => $3, to_batch => $4, version => $5,
           max_bad_ratio => $6::double precision::numeric)",
        &[
            (&args.pipeline, Type::TEXT),
            (&list, Type::INT8_ARRAY),
            (&from, Type::INT8),
            (&to, Type::INT8),
            (&args.version, Type::INT4),
            (&args.max_bad_ratio, Type::FLOAT8),
        ],
    )
    .await?;
    let end = if args.dry_run { "rollback" } else { "commit" };
    session.batch_execute(end).await?;
    table::print(&rows, args.json, "these batches loaded nothing");
    Ok(0)
}
