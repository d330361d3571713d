//! A replay: quarantined records once more, a batch and a commit at a time.

use super::{ShowChanges, Stop};
use crate::batch;
use crate::db::{Connector, Session};
use crate::error::{Error, Kind, Result};
use crate::report::ReplayReport;
use crate::retry::{Backoff, is_retryable_error};
use std::time::Instant;

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
    /// For a dry run: who is told what would change.
    pub changes: ShowChanges,
    /// Retries in all.
    pub retries: u32,
}

/// Replays and reports. Killed anywhere, what was committed stays, and what was not is open
/// still: another replay goes on.
pub async fn replay(
    connector: &Connector,
    pipeline: &str,
    options: &ReplayOptions,
    stop: &Stop,
) -> Result<ReplayReport> {
    let started = Instant::now();
    let mut report = ReplayReport {
        pipeline: pipeline.to_owned(),
        dry_run: options.dry_run,
        ..ReplayReport::default()
    };
    let mut session = connector.connect().await?;
    crate::install::check_installed(&session).await?;
    let ids = batch::quarantined_ids(
        &session,
        pipeline,
        options.ids.as_deref(),
        options.filter.as_deref(),
    )
    .await?;
    if options.dry_run {
        session.batch_execute("begin").await?;
        batch::capture_changes(&session, options.changes.most).await?;
        one_more(&session, pipeline, options, &ids, &mut report).await?;
        batch::captured_changes(&session, |change| (options.changes.show)(pipeline, change))
            .await?;
        session.batch_execute("rollback").await?;
    } else {
        let mut backoff = Backoff::new(options.retries);
        for some in ids.chunks(usize::try_from(options.batch_rows).unwrap_or(1)) {
            while let Err(error) = one_more(&session, pipeline, options, some, &mut report).await {
                session = try_again(connector, &mut backoff, error).await?;
            }
            if stop.is_requested() {
                return Err(stop.error());
            }
        }
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

async fn one_more(
    session: &Session,
    pipeline: &str,
    options: &ReplayOptions,
    ids: &[i64],
    report: &mut ReplayReport,
) -> Result<()> {
    for batch in batch::replay(
        session,
        pipeline,
        options.version,
        ids,
        options.overwrite_unsure,
        options.batch_rows,
    )
    .await?
    {
        report.add(&batch);
    }
    Ok(())
}

/// Waits and connects anew after a passing failure. Whether the lost batch was committed need
/// not be known: its records are closed then, and are not taken again.
async fn try_again(
    connector: &Connector,
    backoff: &mut Backoff,
    mut error: Error,
) -> Result<Session> {
    loop {
        if !is_retryable_error(&error) {
            return Err(error);
        }
        let Some(pause) = backoff.next_pause() else {
            return Err(error
                .with_kind(Kind::Exhausted)
                .detail("every retry is used up")
                .next("it is safe to run again: what was replayed is closed"));
        };
        tracing::warn!(
            pause_ms = pause.as_millis() as u64,
            "the replay is tried again: {}",
            error.message()
        );
        tokio::time::sleep(pause).await;
        match connector.connect().await {
            Ok(session) => return Ok(session),
            Err(failed) => error = failed,
        }
    }
}
