//! One run of one pipeline: reads batches ahead, stages them side by side, loads and commits
//! them in order, and says how it went.
//!
//! A reader thread fills batches; `workers` tasks, each with a connection of its own, copy
//! and transform them in parallel. From `load_batch` on it is one at a time: a worker waits
//! for its turn, loads, commits, and hands the turn on. The fence in the database, not this
//! code, is what makes a second loader harmless.

mod delivery;
mod dry;
mod guard;
mod job;
mod known;
mod options;
mod reader;
mod replay;
mod snapshot;
mod source_check;
mod together;
mod transaction;
mod worker;

pub use crate::stop::Stop;
pub(crate) use delivery::look as look_at_delivery;
pub use delivery::{DeliveryOptions, deliver};
pub use options::{Options, ShowChanges};
pub use replay::{ReplayOptions, replay};
pub use source_check::{Compared, check_source};
pub use together::run_together;

use crate::batch::{self, Run};
use crate::db::Connector;
use crate::error::{Error, Kind, Result};
use crate::report::{ProgressDisplay, Report};
use crate::retry;
use guard::Guard;
use job::Job;
use reader::Ending;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tracing::Instrument;

/// Runs `pipeline` and reports; the report carries the error if there was one.
pub async fn run_pipeline(
    connector: &Connector,
    pipeline: &str,
    options: &Options,
    stop: &Stop,
    progress: &ProgressDisplay,
) -> Report {
    let started = Instant::now();
    let mut report = Report::new(pipeline);
    report.dry_run = options.dry_run;
    let span = tracing::info_span!("run", pipeline, run = tracing::field::Empty);
    let result = async {
        let job = Job::new(connector, pipeline, options, stop, progress)?;
        let done = hold_and_run(&job, &mut report).await;
        job.tell(&mut report);
        report.remarks.extend(job.remarks.lines());
        done
    };
    let result = result.instrument(span).await;
    progress.finish();
    report.error = result.err();
    report.seconds = started.elapsed().as_secs_f64();
    report
}

/// Takes the pipeline, runs, lets go.
async fn hold_and_run(job: &Job<'_>, report: &mut Report) -> Result<()> {
    let ours = Mutex::default();
    let take = || Guard::take(job, &ours);
    let guard = job.stop.unless_requested(job.budget.retrying("taking the pipeline", take)).await?;
    if job.options.dry_run {
        let dry = async { job.connector.while_alive(dry::run(job, report)).await? };
        let done = job.stop.unless_forced(dry).await;
        job.clean_up(guard.release()).await;
        return done;
    }

    let run = job.stop.unless_requested(begin_run(job)).await?;
    report.run_id = Some(run.run_id);
    report.version = Some(run.version);
    tracing::Span::current().record("run", run.run_id);
    tracing::info!(version = run.version, epoch = run.epoch, "run started");

    let worked = work_through(job, &run, report).await;
    let outcome = worked.as_ref().map_or_else(|error| error.kind().outcome(), |_| "ok");
    let clean_up = async {
        record_end(job, &run, outcome, &worked).await;
        guard.release().await;
    };
    job.clean_up(clean_up).await;
    tracing::info!(outcome, "run finished");
    worked.map(drop)
}

async fn begin_run(job: &Job<'_>) -> Result<Run> {
    let loader = loader_name();
    let is_again = AtomicBool::new(false);
    job.ask_until_answered("starting the run", async |client| {
        // An attempt whose connection was lost may still be running, and would depose this run.
        if is_again.swap(true, Ordering::Relaxed) {
            batch::evict_loader(client, job.pipeline, false).await?;
        }
        match batch::start_run(client, job.pipeline, &loader).await {
            // For `sluice status`, which would show the previous run otherwise.
            Err(error) if is_refusal(&error) => {
                batch::refuse_run(client, job.pipeline, &loader, &error.to_string()).await?;
                Err(error)
            }
            result => result,
        }
    })
    .await
}

/// Loads what the source has; says whether its end was reached.
async fn work_through(job: &Job<'_>, run: &Run, report: &mut Report) -> Result<bool> {
    // Orphans whose parents were loaded since, and those whose parents this run brings.
    let mut loaded = retry_orphans(job).await?;
    let ending = work(job, run, report).await?;
    loaded += retry_orphans(job).await?;
    if loaded > 0 {
        report
            .remarks
            .push(format!("{loaded} quarantined records found their parent rows and were loaded"));
    }
    if ending.is_complete && run.takes_snapshots() {
        report.remarks.extend(snapshot::finish(job, run).await?);
    }
    report.waiting = match job.options.path.is_none() && !job.options.repair {
        true => {
            job.ask_until_answered("noting what waits", async |client| {
                batch::note_waiting(client, run.run_id, &ending.waiting).await
            })
            .await?
        }
        false => ending.waiting.into_iter().map(Into::into).collect(),
    };
    Ok(ending.reached_end)
}

/// Records the end of the run for `sluice status`, and drops old payloads. Failures are only logged, as
/// correctness does not depend on either.
async fn record_end(job: &Job<'_>, run: &Run, outcome: &str, worked: &Result<bool>) {
    let error = worked.as_ref().err().map(Error::to_string);
    let reached_end = matches!(worked, Ok(true));
    let finished = job.ask(async |client| {
        batch::finish_run(client, run.run_id, outcome, error.as_deref(), reached_end).await
    });
    if let Err(error) = finished.await {
        tracing::warn!("the end of the run was not recorded: {}", error.message());
        return;
    }
    let pruned = job.ask(async |client| batch::prune(client, job.pipeline).await);
    if let Err(error) = pruned.await {
        tracing::warn!("old payloads were not dropped: {}", error.message());
    }
}

/// Whether the server said that this run cannot begin and that another try is of no use. A paused pipeline
/// shows in its own state.
fn is_refusal(error: &Error) -> bool {
    matches!(error.kind(), Kind::Failed | Kind::Usage)
        && error
            .sqlstate()
            .is_some_and(|code| code != PAUSED && !retry::is_retryable_sqlstate(code))
}

const PAUSED: &str = "SL007";

async fn retry_orphans(job: &Job<'_>) -> Result<i64> {
    let retry = job.ask_until_answered("retrying orphans", async |client| {
        batch::retry_orphans(client, job.pipeline).await
    });
    job.stop.unless_requested(retry).await
}

/// Reads, loads and commits; returns how reading ended.
async fn work(job: &Job<'_>, run: &Run, report: &mut Report) -> Result<Ending> {
    let rows = job.ask_until_answered("asking for the rows of for_each", async |client| {
        batch::source_rows(client, run, job.pipeline).await
    });
    let rows = job.stop.unless_requested(rows).await?;
    let reader = reader::start(job, run, rows)?;
    let remarks = reader.remarks();
    let ending = match worker::run_all(job, run, &reader).await {
        Ok(()) if job.stop.is_requested() => Err(job.stop.error()),
        Ok(()) => reader.ending().await,
        Err(error) => Err(error),
    };
    report.remarks = remarks.lines();
    ending
}

/// Who runs, for people: host and process.
fn loader_name() -> String {
    let host = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok())
        .unwrap_or_else(|| "unknown host".to_owned());
    format!("sluice {} on {host}, process {}", crate::install::VERSION, std::process::id())
}
