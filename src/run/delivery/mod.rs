//! Sends rows from the outbox to where their pipeline delivers.
//!
//! For each key one request is in flight at a time, older changes first. Before a request is sent, the database has
//! committed its body and its key. So the successor of a sender that died repeats what may have arrived, and the
//! receiver can tell.

mod destination;
mod http;
mod outcome;
mod postgres;
mod sender;
mod targets;

use super::Stop;
use super::guard::Guard;
use super::job::Job;
use crate::batch::{self, Delivering, Route};
use crate::db::{Connector, Session};
use crate::error::{Error, Kind, Result};
use crate::host::HostRules;
use crate::report::DeliveryReport;
use crate::retry::Budget;
use destination::Destination;
pub(crate) use destination::look;
use sender::Sender;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
pub use targets::deliver;
use tokio_postgres::Client;

/// How often, and how long apart, the lock on the deliveries is tried while its holder goes away.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);
/// A sender that still holds it after this many tries is alive.
const TRIES_FOR_THE_DEAD: u32 = 10;

/// How to deliver.
#[derive(Clone)]
pub struct DeliveryOptions {
    /// Requests in flight at a time.
    pub workers: usize,
    /// Put every row into the outbox first.
    pub all_rows: bool,
    /// Replace another sender, even one that is alive.
    pub takeover: bool,
    /// After how much silence another sender is taken to hang.
    pub stale_after: Duration,
    /// Retries without progress.
    pub retries: u32,
    /// What the host gives to pipelines.
    pub host: HostRules,
}

impl Default for DeliveryOptions {
    fn default() -> Self {
        DeliveryOptions {
            workers: 4,
            all_rows: false,
            takeover: false,
            stale_after: Duration::from_secs(30),
            retries: Budget::DEFAULT,
            host: HostRules::open(),
        }
    }
}

/// The targets of `pipeline` whose rows are delivered.
async fn look_up(
    connector: &Connector,
    pipeline: &str,
    options: &DeliveryOptions,
    stop: &Stop,
) -> Result<Delivering> {
    let look = || async {
        let session = connector.connect().await?;
        let look = async {
            crate::install::check_installed(&session).await?;
            batch::delivering_targets(&session, pipeline).await
        };
        connector.while_alive(look).await?
    };
    Job::alone(connector, pipeline, options.retries, stop, async |job| {
        let looking = job.budget.retrying("asking which targets are delivered", look);
        stop.unless_requested(looking).await
    })
    .await
}

/// Notes a delivery of every row of these targets.
async fn note_all_rows(
    connector: &Connector,
    pipeline: &str,
    routes: &[Route],
    options: &DeliveryOptions,
    stop: &Stop,
) -> Result<()> {
    Job::alone(connector, pipeline, options.retries, stop, async |job| {
        let note = async {
            for route in routes {
                let note = async |client: &Client| batch::enqueue_deliveries(client, route).await;
                let noted = job.ask(note).await?;
                tracing::info!("{noted} rows of {} put into the outbox", route.target);
            }
            Ok(())
        };
        stop.unless_forced(holding(job, options, note)).await
    })
    .await
}

/// Sends what the outbox has of a target; the report carries the error if there was one.
async fn send_target(
    connector: &Connector,
    route: &Route,
    options: &DeliveryOptions,
    stop: &Stop,
) -> DeliveryReport {
    let started = Instant::now();
    let pipeline = &route.pipeline;
    let mut report = DeliveryReport::new(pipeline);
    report.target = (!route.is_first).then(|| route.target.clone());
    let done = Job::alone(connector, pipeline, options.retries, stop, async |job| {
        let sent = holding(job, options, send(job, route, options, &mut report));
        let done = stop.unless_forced(sent).await;
        report.retried += u64::from(job.budget.used());
        done
    });
    report.error = done.await.err().map(|error| match &report.target {
        Some(target) => error.detail(format!("while rows of {target} were delivered")),
        None => error,
    });
    report.seconds = started.elapsed().as_secs_f64();
    report
}

/// Takes the lock on the deliveries, does `work`, releases it.
async fn holding(
    job: &Job<'_>,
    options: &DeliveryOptions,
    work: impl Future<Output = Result<()>>,
) -> Result<()> {
    let ours = Mutex::default();
    let take = || take(job, options, &ours);
    let guard =
        job.stop.unless_requested(job.budget.retrying("locking the deliveries", take)).await?;
    let done = work.await;
    guard.release().await;
    done
}

async fn send(
    job: &Job<'_>,
    route: &Route,
    options: &DeliveryOptions,
    report: &mut DeliveryReport,
) -> Result<()> {
    let name = format!("process {}", std::process::id());
    let delivering = ask_until_answered(job, "starting the delivery", async |client| {
        batch::start_delivery(client, route, &name).await
    })
    .await?;
    let epoch = delivering.epoch;
    let done = async {
        let destination = Destination::open(&delivering, &options.host, &job.budget);
        let destination = job.stop.unless_requested(destination).await?;
        Sender::new(job, Arc::new(destination), &delivering, options.workers).send_all(report).await
    }
    .await;
    let outcome = done.as_ref().err().map_or("ok", |error| error.kind().outcome());
    let told = done.as_ref().err().map(ToString::to_string);
    let finish = async |client: &Client| {
        batch::finish_delivery(client, route, epoch, outcome, told.as_deref()).await
    };
    let left = match &done {
        Ok(()) => ask_until_answered(job, "ending the delivery", finish).await,
        Err(_) => job.ask(finish).await,
    };
    match (left, &done) {
        (Ok(left), _) => {
            report.waiting = left.waiting;
            report.superseded = left.superseded;
        }
        // What ended the delivery says more.
        (Err(error), Err(_)) => {
            tracing::warn!("the end of the delivery was not recorded: {}", error.message())
        }
        (Err(error), Ok(())) => return Err(error),
    }
    done
}

/// As [`Job::ask_until_answered`], but the session that holds a lock is that of a sender.
async fn ask_until_answered<T>(
    job: &Job<'_>,
    what: &str,
    question: impl AsyncFn(&Client) -> Result<T>,
) -> Result<T> {
    let evict = async |client: &Client| batch::evict_sender(client, job.pipeline).await;
    job.ask_evicting(what, question, evict).await
}

/// One sender at a time for a pipeline: a courtesy, as with runs. `ours` are the sessions of earlier tries:
/// one whose connection was lost may still hold the lock.
async fn take(job: &Job<'_>, options: &DeliveryOptions, ours: &Mutex<Vec<i32>>) -> Result<Guard> {
    let session = job.connector.connect().await?;
    job.connector.while_alive(hold(job, session, options, ours)).await?
}

async fn hold(
    job: &Job<'_>,
    session: Session,
    options: &DeliveryOptions,
    ours: &Mutex<Vec<i32>>,
) -> Result<Guard> {
    crate::install::check_installed(&session).await?;
    let pid = batch::backend_pid(&session).await?;
    let ours = {
        let mut ours = ours.lock().unwrap_or_else(PoisonError::into_inner);
        ours.push(pid);
        ours.clone()
    };
    let stale_after = match options.takeover {
        true => 0.0,
        false => options.stale_after.as_secs_f64(),
    };
    let mut tries = 0;
    loop {
        tries += 1;
        batch::begin(&session).await?;
        let Some(holder) = batch::hold_delivery(&session, job.pipeline, stale_after, &ours).await?
        else {
            return Ok(Guard::keep(session));
        };
        session.batch_execute("rollback").await?;
        if tries >= TRIES || !options.takeover && tries >= TRIES_FOR_THE_DEAD {
            return Err(Error::new(
                Kind::Locked,
                format!("the deliveries of {} are held by another sender: {holder}", job.pipeline),
            )
            .next("wait until it ends, or replace it with --takeover"));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
