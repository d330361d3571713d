//! `sluice backfill`

use super::args;
use super::call::rows;
use super::changes::Shown;
use super::context::Context;
use super::retyped::Flags;
use super::run::{options, show};
use super::table;
use crate::error::Result;
use crate::run::{Stop, run_pipeline};

pub(super) async fn backfill(context: &Context, args: &args::Backfill) -> Result<u8> {
    if args.from.is_none() && args.to.is_none() && args.objects.is_none() {
        return list(context, args).await;
    }
    let stop = Stop::on_signals()?;
    let begin = async {
        let session = context.session().await?;
        let started = rows(
            &session,
            "select sluice.start_backfill(pipeline => $1, from_mark => $2, to_mark => $3, objects => $4, again => $5) as name",
            &[&args.pipeline, &args.from, &args.to, &args.objects, &args.again],
        )
        .await?;
        let name = started[0]["name"].as_str().unwrap_or_default().to_owned();
        let connector = context.connector(&format!("sluice {name}")).await?;
        Ok((session, name, connector))
    };
    let (session, name, connector) = stop.unless_requested(begin).await?;
    context.progress.name(&name);
    let shown = Shown::new(&args.loading.dry, context.json);
    let mut report = run_pipeline(
        &connector,
        &name,
        &options(context, &args.loading, &shown)?,
        &stop,
        &context.progress,
    )
    .await;
    let flags = Flags::of(context, &args.loading);
    report.error = report.error.map(|error| flags.behind_run_of(&name, error));
    shown.finish(report.counters.written());
    show(&report, context.json);
    if args.loading.dry.dry_run {
        // Made for this alone; one that has run stays.
        rows(
            &session,
            "select sluice.drop_pipeline(backfill) from sluice.backfills where backfill = $1 and state = 'new'",
            &[&name],
        )
        .await?;
    }
    Ok(report.exit_code())
}

async fn list(context: &Context, args: &args::Backfill) -> Result<u8> {
    let session = context.session().await?;
    let mut backfills = rows(
        &session,
        "select * from sluice.backfills where pipeline = sluice.pipeline_name($1)",
        &[&args.pipeline],
    )
    .await?;
    if !context.json {
        for backfill in &mut backfills {
            backfill.shift_remove("pipeline");
        }
    }
    table::print(
        &backfills,
        context.json,
        "no backfill yet; --from and --to, or --objects, begin one",
    );
    Ok(0)
}
