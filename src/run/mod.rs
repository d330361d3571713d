//! One run of one pipeline: reads batches ahead, stages them side by side, loads and commits
//! them in order, and says how it went.
//!
//! A reader thread fills batches; `workers` tasks, each with a connection of its own, copy
//! and transform them in parallel. From `load_batch` on it is one at a time: a worker waits
//! for its turn, loads, commits, and hands the turn on. The fence in the database, not this
//! code, is what makes a second loader harmless.

mod dry;
mod guard;
mod reader;
mod signals;
mod worker;

pub use signals::Stop;

use crate::batch::{self, Counters, Run};
use crate::db::Connector;
use crate::error::{Error, Kind, Result};
use crate::report::{Progress, Report};
use crate::retry::{Backoff, is_retryable_error};
use crate::source::{self, Limits, ObjectState, Source};
use guard::Guard;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::Instrument;

/// Opens a source: its settings, what is known of its objects, the size of a batch.
pub type OpenSource =
    dyn Fn(&serde_json::Value, Vec<ObjectState>, Limits) -> Result<Box<dyn Source>> + Send + Sync;

/// How to run.
#[derive(Clone)]
pub struct Options {
    /// Records in a batch; the pipeline's setting, or 20,000, where not given.
    pub batch_rows: Option<usize>,
    /// Payload bytes in a batch; the pipeline's setting, or 8 MiB, where not given.
    pub batch_bytes: Option<usize>,
    /// Connections that stage batches side by side.
    pub workers: usize,
    /// Stop after so many batches.
    pub max_batches: Option<u64>,
    /// Do everything, then roll it back.
    pub dry_run: bool,
    /// Depose a run that holds the pipeline, even one that is alive.
    pub takeover: bool,
    /// A run that holds the pipeline and has been silent that long is taken for hung.
    pub stale_after: Duration,
    /// Retries for the whole run.
    pub retries: u32,
    /// Stop at this share of bad records instead of the pipeline's.
    pub max_bad_ratio: Option<f64>,
    /// Take the source for this format instead of the pipeline's own.
    pub format: Option<String>,
    /// Read from here instead of the pipeline's own path.
    pub path: Option<String>,
    /// Makes the source.
    pub open_source: Arc<OpenSource>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            batch_rows: None,
            batch_bytes: None,
            workers: 2,
            max_batches: None,
            dry_run: false,
            takeover: false,
            stale_after: Duration::from_secs(30),
            retries: Backoff::DEFAULT_BUDGET,
            max_bad_ratio: None,
            format: None,
            path: None,
            open_source: Arc::new(source::open),
        }
    }
}

impl Options {
    /// Records in a batch where neither the command line nor the pipeline says.
    pub const DEFAULT_BATCH_ROWS: usize = 20_000;
    /// Payload bytes in a batch where neither the command line nor the pipeline says.
    pub const DEFAULT_BATCH_BYTES: usize = 8 << 20;

    fn limits(&self, run: &Run) -> Limits {
        let setting = |pipelines: Option<i32>| pipelines.and_then(|n| usize::try_from(n).ok());
        Limits {
            rows: self
                .batch_rows
                .or(setting(run.batch_rows))
                .unwrap_or(Self::DEFAULT_BATCH_ROWS),
            bytes: self
                .batch_bytes
                .or(setting(run.batch_bytes))
                .unwrap_or(Self::DEFAULT_BATCH_BYTES),
        }
    }
}

/// Runs `pipeline` and reports; the report carries the error if there was one.
pub async fn run_pipeline(
    connector: &Connector,
    pipeline: &str,
    options: &Options,
    stop: &Stop,
    progress: &Progress,
) -> Report {
    let started = Instant::now();
    let shared = Shared {
        backoff: Mutex::new(Backoff::new(options.retries)),
        totals: Mutex::default(),
    };
    let mut report = Report::new(pipeline);
    let span = tracing::info_span!("run", pipeline, run = tracing::field::Empty);
    let result = attempt(
        connector,
        pipeline,
        options,
        stop,
        progress,
        &shared,
        &mut report,
    )
    .instrument(span)
    .await;
    progress.finish();

    let totals = shared
        .totals
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    report.counters = totals.counters;
    report.counters.retried = i64::from(
        shared
            .backoff
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .used(),
    );
    report.batches = totals.batches;
    report.error = result.err();
    report.seconds = started.elapsed().as_secs_f64();
    report.dry_run = options.dry_run;
    report
}

/// What a run that was told twice to stop allows itself for its last words.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the workers of a run share.
struct Shared {
    backoff: Mutex<Backoff>,
    totals: Mutex<Totals>,
}

#[derive(Default)]
struct Totals {
    counters: Counters,
    batches: u64,
}

impl Shared {
    /// Waits before another try, or gives up: the budget is spent, or a signal came.
    async fn pause(&self, error: Error, what: &str, stop: &Stop) -> Result<()> {
        let pause = self
            .backoff
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next_pause();
        let Some(pause) = pause else {
            return Err(error
                .with_kind(Kind::Exhausted)
                .detail("every retry of this run is used up")
                .next("it is safe to run again; raise --retries if this is usual here"));
        };
        tracing::warn!(
            pause_ms = pause.as_millis() as u64,
            "{what} is tried again: {}",
            error.message()
        );
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = stop.requested() => Err(stop.error()),
        }
    }

    fn counters(&self) -> Counters {
        self.totals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .counters
    }

    fn committed(&self, counters: &Counters) {
        let mut totals = self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        totals.counters.add(counters);
        totals.batches += 1;
        self.backoff
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .succeeded();
    }
}

async fn attempt(
    connector: &Connector,
    pipeline: &str,
    options: &Options,
    stop: &Stop,
    progress: &Progress,
    shared: &Shared,
    report: &mut Report,
) -> Result<()> {
    let ours = Mutex::default();
    let guard = retrying(shared, stop, "taking the pipeline", || {
        Guard::take(connector, pipeline, options, &ours)
    })
    .await?;
    if options.dry_run {
        let done = tokio::select! {
            done = dry::run(connector, pipeline, options, stop, progress, shared, report) => done,
            () = stop.insisted() => Err(stop.error()),
        };
        farewell(stop, guard.release()).await;
        return done;
    }

    let pool = connector.pool(options.workers)?;
    let loader = loader_name();
    let run = retrying(shared, stop, "starting the run", || async {
        let client = worker::connection(&pool).await?;
        match batch::start_run(&client, pipeline, &loader).await {
            // A stale loader without guard holds the state row: end it, then try again.
            Err(error) if error.sqlstate() == Some("55P03") => {
                batch::evict_loader(&client, pipeline, false).await?;
                Err(error)
            }
            result => result,
        }
    })
    .await?;
    report.run_id = Some(run.run_id);
    report.version = Some(run.version);
    tracing::Span::current().record("run", run.run_id);
    tracing::info!(version = run.version, epoch = run.epoch, "run started");

    let worked = work(
        &pool, pipeline, &run, options, stop, progress, shared, report,
    )
    .await;
    let (outcome, error) = match &worked {
        Ok(()) => ("ok", None),
        Err(error) => (error.kind().outcome(), Some(error.to_string())),
    };
    // A courtesy to people who look: correctness does not depend on it.
    let finished = async {
        let client = worker::connection(&pool).await?;
        batch::finish_run(&client, run.run_id, outcome, error.as_deref()).await
    };
    let last_words = async {
        if let Err(error) = finished.await {
            tracing::warn!("the end of the run was not recorded: {}", error.message());
        }
        guard.release().await;
    };
    farewell(stop, last_words).await;
    tracing::info!(outcome, "run finished");
    worked
}

#[allow(clippy::too_many_arguments)]
async fn work(
    pool: &deadpool_postgres::Pool,
    pipeline: &str,
    run: &Run,
    options: &Options,
    stop: &Stop,
    progress: &Progress,
    shared: &Shared,
    report: &mut Report,
) -> Result<()> {
    let known = retrying(shared, stop, "reading the source's state", || async {
        let client = worker::connection(pool).await?;
        batch::source_state(&client, pipeline).await
    })
    .await?;
    let reader = reader::start(options, run, known, progress)?;
    let done = worker::run_all(
        pool, pipeline, run, options, stop, progress, shared, &reader,
    )
    .await;
    report.remarks = reader.finish(done.is_ok()).await;
    done?;
    if stop.is_requested() {
        return Err(stop.error());
    }
    Ok(())
}

/// Does what a run does at its end, but briefly once a second signal came: the server may
/// have fallen silent.
async fn farewell(stop: &Stop, last_words: impl Future<Output = ()>) {
    let is_enough = async {
        stop.insisted().await;
        tokio::time::sleep(FAREWELL).await;
    };
    tokio::select! {
        () = last_words => {}
        () = is_enough => tracing::warn!("the server does not answer; the end of the run was not recorded"),
    }
}

/// Tries `what` until it succeeds, fails for good, the budget is spent, or a signal comes:
/// no batch is in hand yet.
async fn retrying<T, F>(
    shared: &Shared,
    stop: &Stop,
    what: &str,
    mut attempt: impl FnMut() -> F,
) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    loop {
        let done = tokio::select! {
            done = attempt() => done,
            () = stop.requested() => return Err(stop.error()),
        };
        match done {
            Ok(value) => return Ok(value),
            Err(error) if is_retryable_error(&error) => shared.pause(error, what, stop).await?,
            Err(error) => return Err(error),
        }
    }
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
