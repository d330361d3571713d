//! Replays quarantined records, with a commit per batch.

use super::job::Job;
use super::{ShowChanges, Stop};
use crate::batch::{self, Replayed};
use crate::db::Connector;
use crate::error::Result;
use crate::report::ReplayReport;
use std::time::Instant;
use tokio_postgres::Client;

/// What to replay, and how.
#[derive(Clone)]
pub struct ReplayOptions {
    /// Through this version; the active one where not given.
    pub version: Option<i32>,
    /// Only records that meet this condition on `sluice.quarantine_open_details`.
    pub filter: Option<String>,
    /// Only these records.
    pub ids: Option<Vec<i64>>,
    /// Load records also where the row in the target may be newer.
    pub overwrite_unsure: bool,
    /// Records in a batch.
    pub batch_rows: i32,
    /// Do everything, then roll it back.
    pub dry_run: bool,
    /// For a dry run: shows what would change.
    pub changes: ShowChanges,
    /// Retries in all.
    pub retries: u32,
}

/// Replays and reports; the report carries the error if there was one. Killed anywhere, what was
/// committed stays, and what was not is open still: another replay goes on.
pub async fn replay(
    connector: &Connector,
    pipeline: &str,
    options: &ReplayOptions,
    stop: &Stop,
) -> ReplayReport {
    let started = Instant::now();
    let mut report = ReplayReport {
        pipeline: pipeline.to_owned(),
        dry_run: options.dry_run,
        ..ReplayReport::default()
    };
    let done = Job::alone(connector, pipeline, options.retries, stop, async |job| {
        let work = work(job, options, &mut report);
        stop.unless_forced(work).await
    });
    report.error = done.await.err();
    report.seconds = started.elapsed().as_secs_f64();
    report
}

async fn work(job: &Job<'_>, options: &ReplayOptions, report: &mut ReplayReport) -> Result<()> {
    let find = || {
        job.ask(async |client| {
            crate::install::check_installed(client).await?;
            let (ids, filter) = (options.ids.as_deref(), options.filter.as_deref());
            batch::quarantined_ids(client, job.pipeline, ids, filter).await
        })
    };
    let find = job.budget.retrying("looking for the records", find);
    let ids = job.stop.unless_requested(find).await?;
    if options.dry_run {
        return job.stop.unless_requested(dry(job, options, &ids, report)).await;
    }
    for some in ids.chunks(usize::try_from(options.batch_rows).unwrap_or(1)) {
        // Whether a lost batch was committed need not be known: its records are closed then,
        // and are not taken again.
        let attempt = || async {
            let client = job.stop.unless_requested(job.connection()).await?;
            job.connector.while_alive(one_more(&client, job, options, some)).await?
        };
        for (version, batch) in job.budget.retrying("the replay", attempt).await? {
            report.add(version, &batch);
        }
        job.budget.progressed();
        if job.stop.is_requested() {
            return Err(job.stop.error());
        }
    }
    Ok(())
}

/// All of it in one transaction, then rolled back.
async fn dry(
    job: &Job<'_>,
    options: &ReplayOptions,
    ids: &[i64],
    report: &mut ReplayReport,
) -> Result<()> {
    let replay = async |client: &Client| {
        batch::begin(client).await?;
        batch::capture_changes(client, options.changes.most).await?;
        for (version, batch) in one_more(client, job, options, ids).await? {
            report.add(version, &batch);
        }
        batch::captured_changes(client, |change| (options.changes.show)(job.pipeline, change))
            .await?;
        client.batch_execute("rollback").await?;
        Ok(())
    };
    job.ask(replay).await
}

async fn one_more(
    client: &Client,
    job: &Job<'_>,
    options: &ReplayOptions,
    ids: &[i64],
) -> Result<Vec<(Option<i32>, Replayed)>> {
    batch::replay(
        client,
        job.pipeline,
        options.version,
        ids,
        options.overwrite_unsure,
        options.batch_rows,
    )
    .await
}
