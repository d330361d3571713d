//! One run of one pipeline: reads batches ahead, stages them side by side, loads and commits
//! them in order, and says how it went.
//!
//! A reader thread fills batches; `workers` tasks, each with a connection of its own, copy
//! and transform them in parallel. From `load_batch` on it is one at a time: a worker waits
//! for its turn, loads, commits, and hands the turn on. The fence in the database, not this
//! code, is what makes a second loader harmless.

mod dry;
mod guard;
mod job;
mod options;
mod reader;
mod replay;
mod snapshot;
mod worker;

pub use crate::stop::Stop;
pub use options::{OpenSource, Options, ShowChange, ShowChanges};
pub use replay::{ReplayOptions, replay};

use crate::batch::{self, Run};
use crate::db::Connector;
use crate::error::Result;
use crate::report::{Progress, Report};
use deadpool_postgres::Pool;
use guard::Guard;
use job::Job;
use reader::Ending;
use std::sync::Mutex;
use std::time::Instant;
use tracing::Instrument;

/// Runs `pipeline` and reports; the report carries the error if there was one.
pub async fn run_pipeline(
    connector: &Connector,
    pipeline: &str,
    options: &Options,
    stop: &Stop,
    progress: &Progress,
) -> Report {
    let started = Instant::now();
    let job = Job::new(pipeline, options, stop, progress);
    let mut report = Report::new(pipeline);
    report.dry_run = options.dry_run;
    let span = tracing::info_span!("run", pipeline, run = tracing::field::Empty);
    let result = hold_and_run(&job, connector, &mut report)
        .instrument(span)
        .await;
    progress.finish();
    job.tell(&mut report);
    report.error = result.err();
    report.seconds = started.elapsed().as_secs_f64();
    report
}

/// Takes the pipeline, runs, lets go.
async fn hold_and_run(job: &Job<'_>, connector: &Connector, report: &mut Report) -> Result<()> {
    let ours = Mutex::default();
    let guard = job
        .retrying("taking the pipeline", || Guard::take(job, connector, &ours))
        .await?;
    if job.options.dry_run {
        let done = tokio::select! {
            done = dry::run(job, connector, report) => done,
            () = job.stop.insisted() => Err(job.stop.error()),
        };
        job.farewell(guard.release()).await;
        return done;
    }

    let pool = connector.pool(job.options.workers)?;
    let run = start(job, &pool).await?;
    report.run_id = Some(run.run_id);
    report.version = Some(run.version);
    tracing::Span::current().record("run", run.run_id);
    tracing::info!(version = run.version, epoch = run.epoch, "run started");

    let worked: Result<bool> = async {
        // Those whose parents were loaded since, and those whose parents this run brings.
        let mut loaded = retry_orphans(job, &pool).await?;
        let ending = work(job, &pool, &run, report).await?;
        loaded += retry_orphans(job, &pool).await?;
        if loaded > 0 {
            report.remarks.push(format!(
                "{loaded} quarantined records found their parent rows and were loaded"
            ));
        }
        if ending.is_complete && run.takes_snapshots() {
            report
                .remarks
                .extend(snapshot::finish(job, &pool, &run).await?);
        }
        Ok(ending.reached_end)
    }
    .await;
    let (outcome, error, reached_end) = match &worked {
        Ok(reached_end) => ("ok", None, *reached_end),
        Err(error) => (error.kind().outcome(), Some(error.to_string()), false),
    };
    // A courtesy to people who look: correctness does not depend on it.
    let finished = async {
        let client = worker::connection(&pool).await?;
        batch::finish_run(&client, run.run_id, outcome, error.as_deref(), reached_end).await
    };
    let pruned = async {
        let client = worker::connection(&pool).await?;
        batch::prune(&client, job.pipeline).await
    };
    let last_words = async {
        if let Err(error) = finished.await {
            tracing::warn!("the end of the run was not recorded: {}", error.message());
        }
        if let Err(error) = pruned.await {
            tracing::warn!("old payloads were not dropped: {}", error.message());
        }
        guard.release().await;
    };
    job.farewell(last_words).await;
    tracing::info!(outcome, "run finished");
    worked.map(drop)
}

async fn start(job: &Job<'_>, pool: &Pool) -> Result<Run> {
    let loader = loader_name();
    job.retrying("starting the run", || async {
        let client = worker::connection(pool).await?;
        match batch::start_run(&client, job.pipeline, &loader).await {
            // A stale loader without guard holds the state row: end it, then try again.
            Err(error) if error.sqlstate() == Some("55P03") => {
                batch::evict_loader(&client, job.pipeline, false).await?;
                Err(error)
            }
            result => result,
        }
    })
    .await
}

async fn retry_orphans(job: &Job<'_>, pool: &Pool) -> Result<i64> {
    job.retrying("retrying orphans", || async {
        let client = worker::connection(pool).await?;
        batch::retry_orphans(&client, job.pipeline).await
    })
    .await
}

/// Reads, loads and commits; how reading ended.
async fn work(job: &Job<'_>, pool: &Pool, run: &Run, report: &mut Report) -> Result<Ending> {
    let known = job
        .retrying("reading the source's state", || async {
            let client = worker::connection(pool).await?;
            batch::source_state(&client, job.pipeline).await
        })
        .await?;
    let reader = reader::start(job, run, known)?;
    let remarks = reader.remarks();
    let ending = match worker::run_all(job, pool, run, &reader).await {
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
    format!(
        "sluice {} on {host}, process {}",
        crate::install::VERSION,
        std::process::id()
    )
}
