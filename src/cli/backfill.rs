//! `sluice backfill`

use super::args;
use super::changes::Shown;
use super::context::Context;
use super::run::{options, show};
use super::table;
use crate::error::Result;
use crate::run::{Stop, run_pipeline};
use tokio_postgres::types::Type;

pub(super) async fn backfill(context: &Context, args: &args::Backfill) -> Result<u8> {
    if args.from.is_none() && args.to.is_none() && args.objects.is_none() {
        return list(context, args).await;
    }
    let stop = Stop::on_signals()?;
    let begin = async {
        let session = context.session().await?;
        let row = session
            .query_typed_one(
                "select sluice.start_backfill(pipeline => $1, from_mark => $2, to_mark => $3, objects => $4, again => $5)",
                &[
                    (&args.pipeline, Type::TEXT),
                    (&args.from, Type::TEXT),
                    (&args.to, Type::TEXT),
                    (&args.objects, Type::TEXT),
                    (&args.again, Type::BOOL),
                ],
            )
            .await?;
        let name: String = row.get(0);
        let connector = context.connector(&format!("sluice {name}")).await?;
        Ok((session, name, connector))
    };
    let (session, name, connector) = stop.unless_requested(begin).await?;
    context.progress.name(&name);
    let shown = Shown::new(&args.loading.dry, args.loading.json);
    let report = run_pipeline(
        &connector,
        &name,
        &options(&args.loading, &shown),
        &stop,
        &context.progress,
    )
    .await;
    shown.finish(report.counters.written());
    show(&report, args.loading.json);
    if args.loading.dry.dry_run {
        // Made for this alone; one that has run stays.
        session
            .query_typed(
                "select sluice.drop_pipeline(backfill) from sluice.backfills where backfill = $1 and state = 'new'",
                &[(&name, Type::TEXT)],
            )
            .await?;
    }
    Ok(report.exit_code())
}

async fn list(context: &Context, args: &args::Backfill) -> Result<u8> {
    let session = context.session().await?;
    let mut rows = table::query(
        &session,
        "select * from sluice.backfills where pipeline = sluice.pipeline_name($1)",
        &[(&args.pipeline, Type::TEXT)],
    )
    .await?;
    if !args.loading.json {
        for row in &mut rows {
            row.shift_remove("pipeline");
            table::shorten_time(row, "started_at");
            table::shorten_time(row, "finished_at");
        }
    }
    table::print(
        &rows,
        args.loading.json,
        "no backfill yet; --from and --to, or --objects, begin one",
    );
    Ok(0)
}
