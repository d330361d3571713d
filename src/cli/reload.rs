//! `sluice reload`

use super::args::{self, Batches};
use super::call;
use super::changes::Shown;
use super::context::Context;
use super::table;
use crate::batch;
use crate::error::Result;

pub(super) async fn reload(context: &Context, args: &args::Reload) -> Result<u8> {
    let session = context.session().await?;
    let (list, from, to) = match &args.batches {
        Batches::These(batches) => (Some(batches), None, None),
        Batches::Between(from, to) => (None, *from, *to),
    };
    let shown = Shown::new(&args.dry, context.json);
    let changes = shown.receiver();
    session.batch_execute("begin").await?;
    if args.dry.dry_run {
        batch::capture_changes(&session, changes.most).await?;
    }
    let rows = call::rows_within(
        &session,
        "select * from sluice.reload(pipeline => $1, batches => $2, from_batch => $3, to_batch => $4, version => $5,
           max_bad_ratio => $6::double precision::numeric)",
        &[
            &args.pipeline,
            &list,
            &from,
            &to,
            &args.version,
            &args.max_bad_ratio,
        ],
    )
    .await?;
    if args.dry.dry_run {
        batch::captured_changes(&session, |change| (changes.show)(&args.pipeline, change)).await?;
        session.batch_execute("rollback").await?;
        let written = rows.iter().flat_map(|row| {
            ["inserted", "updated", "deleted"].map(|name| row[name].as_i64().unwrap_or_default())
        });
        shown.finish(written.sum());
    } else {
        session.batch_execute("commit").await?;
    }
    table::print(&rows, context.json, "these batches loaded nothing");
    Ok(0)
}
