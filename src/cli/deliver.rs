//! `sluice deliver`

use super::args;
use super::call;
use super::context::Context;
use super::diagnostics;
use super::owners;
use crate::error::{Error, Result};
use crate::report::DeliveryReport;
use crate::run::{DeliveryOptions, Stop, deliver as send};
use std::time::Duration;

pub(super) async fn deliver(context: &Context, args: &args::Deliver) -> Result<u8> {
    // Before connecting: a signal during a slow start must count.
    let stop = Stop::on_signals()?;
    let pipelines = match args.all {
        true => stop.unless_requested(delivering(context)).await?,
        false => args.pipelines.clone(),
    };
    let options = DeliveryOptions {
        workers: usize::from(args.workers),
        all_rows: args.all_rows,
        takeover: args.takeover,
        stale_after: Duration::from_secs(args.stale_after),
        retries: args.retries,
        host: args.host.rules(context)?,
    };
    let mut code = 0;
    for pipeline in &pipelines {
        let sent = deliver_one(context, pipeline, args.target.as_deref(), &options, &stop).await?;
        // The first failure names the exit code; later pipelines are served all the same.
        if code == 0 {
            code = sent;
        }
        if stop.is_requested() {
            break;
        }
    }
    Ok(code)
}

/// Sends what one pipeline has to send, target by target (or of `target` alone), and says the exit code of the first
/// that failed.
pub(super) async fn deliver_one(
    context: &Context,
    pipeline: &str,
    target: Option<&str>,
    options: &DeliveryOptions,
    stop: &Stop,
) -> Result<u8> {
    let name = format!("sluice deliver {pipeline}");
    let connector = stop.unless_requested(context.connector(&name)).await?;
    let mut code = 0;
    for report in send(&connector, pipeline, target, options, stop).await {
        let sent = tell(context, &report);
        if code == 0 {
            code = sent;
        }
    }
    Ok(code)
}

/// Talk on stderr, the summary on stdout; says the exit code.
fn tell(context: &Context, report: &DeliveryReport) -> u8 {
    let pipeline = &report.pipeline;
    if let Some(error) = &report.error {
        diagnostics::error(error);
    }
    if report.dead > 0 {
        diagnostics::note(&format!(
            "set aside as dead{}: {}; see sluice deliveries {pipeline} --dead",
            report.of_target(),
            report.dead
        ));
    }
    if report.put_off > 0 {
        diagnostics::note(&format!(
            "not taken yet{}: {}, which a constraint there refuses while other rows wait; sluice deliver {pipeline} \
             sends them again",
            report.of_target(),
            report.put_off
        ));
    }
    match context.json {
        true => println!("{}", report.json()),
        false => println!("{}", report.summary()),
    }
    report.exit_code()
}

/// The pipelines that deliver.
pub(super) async fn delivering(context: &Context) -> Result<Vec<String>> {
    let session = context.session().await?;
    let rows = call::rows(
        &session,
        "select p.name, p.deliver is not null or p.also_deliver is not null as delivers
         from sluice.pipelines p join sluice.owners o on o.pipeline = p.name
         where o.is_yours and p.backfill_of is null order by p.pipeline_id",
        &[],
    )
    .await?;
    let names: Vec<String> = (rows.iter().filter(|row| row["delivers"] == true))
        .filter_map(|row| row["name"].as_str().map(str::to_owned))
        .collect();
    if names.is_empty() {
        owners::note_left_out(&session, owners::OF_OTHERS, rows.len()).await?;
        return Err(Error::usage("no pipeline delivers anywhere")
            .next("say where in its definition: deliver => sluice.http_delivery(url => ...)"));
    }
    Ok(names)
}
