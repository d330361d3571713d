//! A dry run: the whole run for real in one transaction, then rolled back.

use super::reader::{self, Numbered};
use super::{Options, Shared, Stop};
use crate::batch::{self, ErrorGroup};
use crate::db::Connector;
use crate::error::Result;
use crate::report::{Progress, Report};

/// One worker, one transaction, no retries: what a failure breaks off is shown as it is.
pub(super) async fn run(
    connector: &Connector,
    pipeline: &str,
    options: &Options,
    stop: &Stop,
    progress: &Progress,
    shared: &Shared,
    report: &mut Report,
) -> Result<()> {
    let client = connector.connect().await?;
    client
        .batch_execute("begin isolation level read committed")
        .await?;
    let run = batch::start_run(&client, pipeline, "dry run").await?;
    report.version = Some(run.version);
    let known = batch::source_state(&client, pipeline).await?;
    let reader = reader::start(options, &run, known, progress)?;
    let mut seq = run.batch_seq;
    let done = async {
        while let Some(Numbered { batch, .. }) = tokio::select! {
            () = stop.requested() => return Err(stop.error()),
            next = reader.next() => next,
        } {
            let batch = batch?;
            seq += 1;
            batch::stage(&client, pipeline, run.run_id, &batch).await?;
            let counters = batch::load(&client, &run, seq, &batch, 0).await?;
            shared.committed(&counters);
            progress.advance(batch.bytes, counters.extracted);
        }
        let groups = batch::quarantined_in_transaction(&client, pipeline).await?;
        Ok(groups)
    }
    .await;
    report.remarks = reader.finish(done.is_ok()).await;
    let groups: Vec<ErrorGroup> = done?;
    report.quarantined = groups;
    client.batch_execute("rollback").await?;
    Ok(())
}
