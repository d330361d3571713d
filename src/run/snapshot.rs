//! Ends a complete read: deletes or marks the rows that the source no longer has.

use super::job::Job;
use super::transaction::{commit_after, outcome};
use crate::batch::{self, Finished, Run};
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_postgres::Client;

/// Ends the read in a transaction of its own; what it did is counted, and what it has to say
/// is returned.
pub(super) async fn finish(job: &Job<'_>, run: &Run) -> Result<Option<String>> {
    let finished = finish_until_committed(job, run, next_seq(job, run));
    Ok(tell(job, job.stop.unless_forced(finished).await?))
}

/// The same inside of a dry run: what there is to say, and the refusal if a real run would have
/// been refused. Everything is done nevertheless, so that it can be shown.
pub(super) async fn finish_dry(
    job: &Job<'_>,
    client: &Client,
    run: &Run,
) -> Result<(Option<String>, Option<Error>)> {
    let seq = next_seq(job, run);
    client.batch_execute("savepoint sluice_snapshot").await?;
    let limit = job.options.max_delete_ratio;
    let refusal = match batch::finish_snapshot(client, run, seq, limit).await {
        Err(error) if error.sqlstate() == Some(TOO_MANY_MISSING) => error,
        done => return Ok((tell(job, done?), None)),
    };
    client.batch_execute("rollback to savepoint sluice_snapshot").await?;
    let done = batch::finish_snapshot(client, run, seq, Some(1.0)).await?;
    Ok((tell(job, done), Some(refusal)))
}

const TOO_MANY_MISSING: &str = "SL008";

/// The number of the entry in the ledger.
fn next_seq(job: &Job<'_>, run: &Run) -> i64 {
    run.batch_seq + 1 + i64::try_from(job.batches()).unwrap_or(i64::MAX)
}

fn tell(job: &Job<'_>, done: Finished) -> Option<String> {
    if let Some(books) = done.books {
        tracing::info!(
            deleted = books.counters.deleted,
            updated = books.counters.updated,
            "complete read ended"
        );
        job.snapshot_committed(&books);
    }
    done.note
}

async fn finish_until_committed(job: &Job<'_>, run: &Run, seq: i64) -> Result<Finished> {
    let is_sent = AtomicBool::new(false);
    let attempt = async || -> Result<Finished> {
        if is_sent.swap(true, Ordering::Relaxed)
            && let Some(books) = outcome(job, run, seq).await?
        {
            return Ok(Finished { books: Some(books), note: None });
        }
        let finish = async |client: &Client| {
            batch::begin(client).await?;
            batch::finish_snapshot(client, run, seq, job.options.max_delete_ratio).await
        };
        Ok(commit_after(job, job.connection().await?, finish).await?.0)
    };
    job.budget.retrying("ending the complete read", attempt).await
}
