//! `sluice run`

use super::args;
use super::call;
use super::changes::Shown;
use super::context::Context;
use super::deliver::{deliver_one, delivering};
use super::diagnostics;
use super::owners;
use super::retyped::Flags;
use crate::error::{Error, Result};
use crate::report::Report;
use crate::run::{DeliveryOptions, Options, Stop, run_pipeline, run_together};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) async fn run(context: &Context, args: &args::Run) -> Result<u8> {
    // Before connecting: a signal during a slow start must count.
    let stop = Stop::on_signals()?;
    let pipelines = match args.all {
        true => stop.unless_requested(all_pipelines(context)).await?,
        false => args.pipelines.clone(),
    };
    if (args.path.is_some() || args.format.is_some()) && pipelines.len() > 1 {
        return Err(Error::usage("--path and --format go with one pipeline")
            .next("name the pipeline they are for"));
    }
    let shown = Shown::new(&args.loading.dry, context.json);
    let options = Options {
        max_delete_ratio: args.max_delete_ratio,
        format: args.format.clone(),
        path: args.path.clone(),
        ..options(context, &args.loading, &shown)?
    };
    let delivery = DeliveryOptions {
        takeover: args.loading.takeover,
        stale_after: Duration::from_secs(args.loading.stale_after),
        retries: args.loading.retries,
        host: options.host.clone(),
        ..DeliveryOptions::default()
    };
    // Of all pipelines, those that deliver; those that are named have to.
    let delivering = match args.deliver {
        true if args.all => stop.unless_requested(delivering(context)).await?,
        true => args.pipelines.clone(),
        false => Vec::new(),
    };
    let ratio = |ratio: Option<f64>| ratio.map(|ratio| ratio.to_string());
    let (bad, missing) = (ratio(args.loading.max_bad_ratio), ratio(args.max_delete_ratio));
    let flags = Flags::of(context, &args.loading)
        .with("path", args.path.as_deref())
        .with("format", args.format.as_deref())
        .with("max-bad-ratio", bad.as_deref())
        .with("max-delete-ratio", missing.as_deref());
    let is_one_of_several = args.all || pipelines.len() > 1;
    let mut code = 0;
    // A dry run is one transaction, and another run would wait for its end.
    let together = args.together && !options.dry_run;
    for turn in turns(context, &pipelines, together, &stop).await {
        let mut reports = run_turn(context, &turn, &options, &stop).await?;
        for report in &mut reports {
            if let Some(error) = report.error.take() {
                let error = flags.behind_run_of(&report.pipeline, error);
                report.error = Some(match is_one_of_several {
                    true => error.about(&report.pipeline),
                    false => error,
                });
            }
            shown.finish(report.counters.written());
            show(report, context.json);
            // The first failure names the exit code; later pipelines run all the same.
            if code == 0 {
                code = report.exit_code();
            }
        }
        if reports.iter().any(Report::is_interrupted) {
            break;
        }
        // What was committed is sent, however the run ended.
        for pipeline in turn.iter().filter(|pipeline| delivering.contains(pipeline)) {
            let sent = deliver_one(context, pipeline, None, &delivery, &stop).await?;
            if code == 0 {
                code = sent;
            }
        }
    }
    Ok(code)
}

/// The pipelines as they are run: one after another, but those of a turn together.
async fn turns(
    context: &Context,
    pipelines: &[String],
    together: bool,
    stop: &Stop,
) -> Vec<Vec<String>> {
    let alone = || pipelines.iter().map(|name| vec![name.clone()]).collect();
    if pipelines.len() < 2 || !together {
        return alone();
    }
    let order = async {
        let session = context.session().await?;
        let order = "select pipeline, turn from sluice.run_order(pipelines => $1)";
        call::rows(&session, order, &[&&pipelines.to_vec()]).await
    };
    let Ok(rows) = stop.unless_requested(order).await else {
        // Each run reports for itself what is wrong.
        return alone();
    };
    let mut turns: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for row in rows {
        let turn = row["turn"].as_i64().unwrap_or_default();
        let pipeline = row["pipeline"].as_str().unwrap_or_default();
        turns.entry(turn).or_default().push(pipeline.to_owned());
    }
    turns.into_values().collect()
}

async fn run_turn(
    context: &Context,
    turn: &[String],
    options: &Options,
    stop: &Stop,
) -> Result<Vec<Report>> {
    context.progress.name(&turn.join(", "));
    let mut reports = Vec::new();
    let mut ready = Vec::new();
    for pipeline in turn {
        let name = format!("sluice {pipeline}");
        match stop.unless_requested(context.connector(&name)).await {
            Ok(connector) => ready.push((pipeline.as_str(), connector)),
            Err(error) => reports.push(Report::of_failure(pipeline, error)),
        }
    }
    let progress = &context.progress;
    reports.extend(match &ready[..] {
        [] => Vec::new(),
        [(pipeline, connector)] => {
            vec![run_pipeline(connector, pipeline, options, stop, progress).await]
        }
        several => run_together(several, options, stop, progress).await?,
    });
    reports.sort_by_key(|report| turn.iter().position(|name| *name == report.pipeline));
    Ok(reports)
}

/// How to run, as the command line says.
pub(super) fn options(context: &Context, args: &args::Loading, shown: &Shown) -> Result<Options> {
    Ok(Options {
        host: args.host.rules(context)?,
        batch_rows: args.batch_rows.map(|rows| rows as usize),
        batch_bytes: args.batch_bytes.map(|bytes| bytes as usize),
        batch_time: Duration::from_secs(args.batch_seconds),
        workers: usize::from(args.workers),
        max_batches: args.max_batches,
        dry_run: args.dry.dry_run,
        changes: shown.receiver(),
        takeover: args.takeover,
        stale_after: Duration::from_secs(args.stale_after),
        retries: args.retries,
        max_bad_ratio: args.max_bad_ratio,
        ..Options::default()
    })
}

/// Talk on stderr, the summary on stdout.
pub(super) fn show(report: &Report, as_json: bool) {
    for remark in &report.remarks {
        diagnostics::note(remark);
    }
    if let Some(error) = &report.error {
        diagnostics::error(error);
    } else if report.is_overdue() {
        diagnostics::error(&overdue(report));
    }
    if as_json {
        println!("{}", report.json());
        return;
    }
    if report.dry_run {
        for group in &report.quarantined {
            println!("would quarantine {}", group.line());
        }
    }
    println!("{}", report.summary());
}

/// Why a run that went well still ends with an exit code.
fn overdue(report: &Report) -> Error {
    let overdue = report.waiting.iter().filter(|waiting| waiting.is_overdue);
    let error = overdue.fold(
        Error::failed(format!(
            "what the source of {} offers has waited for longer than settle_seconds",
            report.pipeline
        )),
        |error, waiting| {
            let since = waiting.since.as_deref().unwrap_or_default();
            error.detail(format!("{} since {since}", waiting.name))
        },
    );
    error.next(format!(
        "let whoever writes it finish, or give it up: sluice skip {} --object NAME --reason WHY",
        report.pipeline
    ))
}

async fn all_pipelines(context: &Context) -> Result<Vec<String>> {
    let session = context.session().await?;
    let own = "select p.name, p.is_paused from sluice.pipelines p join sluice.owners o on o.pipeline = p.name
      where o.is_yours and p.backfill_of is null order by p.pipeline_id";
    let own = call::rows(&session, own, &[]).await?;
    owners::note_left_out(&session, owners::OF_OTHERS, own.len()).await?;
    if own.is_empty() {
        return Err(Error::usage("no pipeline is defined").next("sluice apply FILE defines one"));
    }
    let names = |is_paused: bool| {
        let rows = own.iter().filter(move |row| row["is_paused"] == is_paused);
        rows.filter_map(|row| row["name"].as_str()).map(str::to_owned).collect::<Vec<_>>()
    };
    let paused = names(true);
    if !paused.is_empty() {
        diagnostics::note(&format!("left out, as they are paused: {}", paused.join(", ")));
    }
    Ok(names(false))
}
