//! A dry run: the whole run for real in one transaction, then rolled back.

use super::job::Job;
use super::reader::{self, Numbered};
use super::snapshot;
use crate::batch::{self, Opening, Payloads};
use crate::error::{Error, Kind, Result};
use crate::report::Report;
use std::future::ready;

/// One worker, one transaction, no retries: if a failure breaks it off, what was done so far is shown.
pub(super) async fn run(job: &Job<'_>, report: &mut Report) -> Result<()> {
    let pipeline = job.pipeline;
    let client = job.connector.connect().await?;
    batch::begin(&client).await?;
    batch::capture_changes(&client, job.options.changes.most).await?;
    let run = batch::start_run(&client, pipeline, "dry run").await?;
    report.version = Some(run.version);
    let rows = batch::source_rows(&client, &run, pipeline).await?;
    let reader = reader::start(job, &run, rows)?;
    let mut seq = run.batch_seq;
    let done = async {
        while let Some(Numbered { batch, .. }) = tokio::select! {
            () = job.stop.requested() => return Err(job.stop.error()),
            next = reader.next() => next,
        } {
            let batch = batch?;
            seq += 1;
            // In one transaction nothing can be sent again.
            let payloads = Payloads::All;
            batch::stage(
                &client,
                ready(Ok(())),
                Opening::Load { pipeline, run_id: run.run_id },
                &batch,
                payloads,
            )
            .await?;
            // To the end, whatever share is bad: that is what a dry run is for.
            let loaded = batch::load(&client, &run, seq, &batch, 0, Some(1.0), false).await?;
            if let Some(note) = loaded.note {
                job.remarks.add(note);
            }
            job.committed(&loaded.books, &batch);
        }
        Ok(())
    }
    .await;
    let remarks = reader.remarks();
    let ending = match done {
        Ok(()) => reader.ending().await,
        Err(error) => Err(error),
    };
    report.remarks = remarks.lines();
    let mut refusal = None;
    match ending {
        Ok(ending) => {
            report.waiting = ending.waiting.iter().cloned().map(Into::into).collect();
            if ending.is_complete && run.takes_snapshots() {
                let (remark, refused) = snapshot::finish_dry(job, &client, &run).await?;
                report.remarks.extend(remark);
                refusal = refused;
            }
        }
        // What was read before is still shown, if the server still answers.
        Err(error) if error.sqlstate().is_none() && !job.stop.is_requested() => {
            refusal = Some(error)
        }
        Err(error) => return Err(error),
    }
    batch::captured_changes(&client, |change| {
        (job.options.changes.show)(pipeline, change);
    })
    .await?;
    report.quarantined = batch::quarantined_in_transaction(&client, pipeline).await?;
    client.batch_execute("rollback").await?;
    job.tell(report);
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    refuse_too_many_bad(report, job.options.max_bad_ratio.unwrap_or(run.max_bad_ratio))
}

/// Says what a real run would have said, now that everything has been looked at.
fn refuse_too_many_bad(report: &Report, limit: f64) -> Result<()> {
    let counters = &report.counters;
    if counters.quarantined as f64 <= limit * counters.extracted as f64 {
        return Ok(());
    }
    Err(Error::new(
        Kind::Threshold,
        format!(
            "{} of {} records of pipeline {} are bad (limit {}%): a real run stops",
            counters.quarantined,
            counters.extracted,
            report.pipeline,
            100.0 * limit
        ),
    )
    .next("fix the source or the transform, or accept it once with --max-bad-ratio"))
}
