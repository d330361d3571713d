//! `sluice replay`

use super::args;
use super::changes::Shown;
use super::context::Context;
use super::diagnostics;
use crate::error::Result;
use crate::run::{ReplayOptions, Stop, replay as run_replay};

pub(super) async fn replay(context: &Context, args: &args::Replay) -> Result<u8> {
    let stop = Stop::on_signals()?;
    let shown = Shown::new(&args.dry, context.json);
    let options = ReplayOptions {
        version: args.version,
        filter: args.which.filter.clone(),
        ids: args.which.ids.clone(),
        overwrite_unsure: args.overwrite_unsure,
        batch_rows: args.batch_rows,
        dry_run: args.dry.dry_run,
        changes: shown.receiver(),
        retries: args.retries,
    };
    let name = format!("sluice replay {}", args.pipeline);
    let connector = stop.unless_requested(context.connector(&name)).await?;
    let report = run_replay(&connector, &args.pipeline, &options, &stop).await;
    shown.finish(report.totals.written());
    for remark in report.remarks() {
        diagnostics::note(&remark);
    }
    if let Some(error) = &report.error {
        diagnostics::error(error);
    }
    match context.json {
        true => println!("{}", report.json()),
        false => println!("{}", report.summary()),
    }
    Ok(report.exit_code())
}
