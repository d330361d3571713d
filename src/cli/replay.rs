//! `sluice replay`

use super::args;
use super::changes::Shown;
use super::context::Context;
use crate::error::Result;
use crate::run::{ReplayOptions, Stop, replay as run_replay};

pub(super) async fn replay(context: &Context, args: &args::Replay) -> Result<u8> {
    let stop = Stop::on_signals()?;
    let shown = Shown::new(&args.dry, args.json);
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
    let connector = context
        .connector(&format!("sluice replay {}", args.pipeline))
        .await?;
    let report = run_replay(&connector, &args.pipeline, &options, &stop).await?;
    let totals = &report.totals;
    shown.finish(totals.inserted + totals.updated + totals.deleted);
    for remark in report.remarks() {
        eprintln!("note: {remark}");
    }
    match args.json {
        true => println!("{}", report.json()),
        false => println!("{}", report.summary()),
    }
    Ok(0)
}
