//! Compares the rows of a source with those of the target, and repairs those that differ.
//!
//! All records are read, whatever the cursor says, and transformed as in a batch that is never loaded. As runs go on
//! meanwhile, differing records are compared again, in a new snapshot of the source. A repair is a run of the
//! pipeline whose source consists of the records that still differ.

use super::{Options, Stop, run_pipeline};
use crate::batch::{self, Difference, DifferingRecords, Opening, Payloads, SourceCheck, Verdict};
use crate::db::{Connector, Session};
use crate::error::{Error, Result};
use crate::report::{ProgressDisplay, Report};
use crate::retry::Budget;
use crate::source::database::{
    self, DigestedBatch, RecordDigest, RepairSource, RereadRequest, Rereader,
};
use crate::source::{Batch, BatchLimits, SourceContext};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::sync::mpsc;

/// How many records are looked at again, or repaired, at a time.
const CHUNK: i32 = 20_000;

/// What a comparison came to.
#[derive(Debug)]
pub struct Compared {
    /// The verdict.
    pub verdicts: Vec<Verdict>,
    /// Some of the differences.
    pub differences: Vec<Difference>,
    /// The runs of the repair.
    pub repairs: Vec<Report>,
}

/// Compares the source of `pipeline` with its target and repairs what differs, if asked to; names at most
/// `most` differences.
pub async fn check_source(
    connector: &Connector,
    pipeline: &str,
    options: &Options,
    stop: &Stop,
    progress: &ProgressDisplay,
    most: i32,
) -> Result<Compared> {
    let checking = async {
        let session = connector.connect().await?;
        let check = connector.while_alive(SourceCheck::begin(&session, pipeline)).await??;
        let kind = check.source["kind"].as_str().unwrap_or_default();
        if !matches!(kind, "postgres" | "mysql" | "sqlite") {
            return Err(no_database(pipeline, kind));
        }
        let reads_from =
            database::next_run_reads_from(pipeline, &check.source, check.cursor.as_ref())?;
        let budget = Arc::new(Budget::new(options.retries, stop.clone()));
        let checking = Checking {
            connector,
            session,
            context: SourceContext::of_run(budget, options.host.clone()),
            limits: options.limits_of(check.batch_rows, check.batch_bytes),
            reads_from,
            check,
            progress,
        };
        progress.start(None);
        checking.look(RereadRequest::All, false).await?;
        while checking.look_again().await? {}
        Ok(checking)
    };
    let checking = stop.unless_requested(checking).await?;
    let mut repairs = Vec::new();
    if options.repair {
        // Those are not in repair whose keys other records make.
        checking.finish(0).await?;
        while let Some(report) = checking.repair(pipeline, options, stop).await? {
            let has_failed = report.error.is_some();
            repairs.push(report);
            if has_failed {
                break;
            }
        }
    }
    let (verdicts, differences) = stop.unless_requested(checking.finish(most)).await?;
    progress.finish();
    Ok(Compared { verdicts, differences, repairs })
}

fn no_database(pipeline: &str, kind: &str) -> Error {
    Error::usage(format!(
        "pipeline {pipeline} reads a source of the kind {kind}, and only those of databases can be compared: elsewhere the same key may come many times, and what counts is the order of arrival"
    ))
    .next(format!(
        "sluice rewind {pipeline} --to-start, then sluice run {pipeline} --dry-run: everything is read again, and what would change is shown"
    ))
}

struct Checking<'a> {
    connector: &'a Connector,
    /// In which the comparison has its tables.
    session: Session,
    check: SourceCheck,
    context: SourceContext,
    limits: BatchLimits,
    /// With what the next run begins, if the source has a cursor.
    reads_from: Option<String>,
    progress: &'a ProgressDisplay,
}

impl Checking<'_> {
    /// Reads and compares; for a second look, returns the places of all records.
    async fn look(&self, wanted: RereadRequest, is_second: bool) -> Result<HashSet<String>> {
        let mut seen = HashSet::new();
        let mut batches = self.read(wanted)?;
        while let Some(next) = batches.recv().await {
            let (batch, digests) = next?;
            self.compare(&batch, &digests, is_second).await?;
            let records = i64::try_from(batch.rows).unwrap_or(i64::MAX);
            self.progress.advance(batch.bytes, records);
            if is_second {
                seen.extend(digests.into_iter().map(|sighting| sighting.place));
            }
        }
        Ok(seen)
    }

    /// Reads ahead on a thread of its own, by one batch.
    fn read(&self, wanted: RereadRequest) -> Result<mpsc::Receiver<Result<DigestedBatch>>> {
        let (sender, batches) = mpsc::channel(1);
        let (source, context) = (self.check.source.clone(), self.context.clone());
        let (limits, columns) = (self.limits, self.check.input_columns.clone());
        let work = move || {
            let mut rereading = match Rereader::open(&source, wanted, &context) {
                Ok(rereading) => rereading,
                Err(error) => return drop(sender.blocking_send(Err(error))),
            };
            while let Some(next) = rereading.next_batch(limits, columns.as_ref()).transpose() {
                let is_last = next.is_err();
                // Closed: nobody wants more.
                if sender.blocking_send(next).is_err() || is_last {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("reader".to_owned());
        thread.spawn(work).map_err(|error| {
            Error::failed("the reader thread cannot be started").caused_by(error)
        })?;
        Ok(batches)
    }

    /// One batch, in a transaction that leaves nothing behind but what was found.
    async fn compare(
        &self,
        batch: &Batch,
        digests: &[RecordDigest],
        is_second: bool,
    ) -> Result<()> {
        let client = &*self.session;
        let work = async {
            let opening = Opening::Check(&self.check);
            let begin = batch::begin(client);
            batch::stage(client, begin, opening, batch, Payloads::Wanted).await?;
            let mut found = DifferingRecords::default();
            for ordinal in self.check.find(client, is_second).await? {
                let index = usize::try_from(ordinal).ok();
                if let Some(sighting) = index.and_then(|index| digests.get(index)) {
                    found.ordinals.push(ordinal);
                    found.places.push(sighting.place.clone());
                    found.digests.push(hex::encode(sighting.digest));
                }
            }
            let looked_at: Option<Vec<String>> =
                is_second.then(|| digests.iter().map(|s| s.place.clone()).collect());
            self.check.note(client, &found, looked_at.as_deref()).await?;
            client.batch_execute("commit").await?;
            self.context.budget.progressed();
            Ok(())
        };
        self.connector.while_alive(work).await?
    }

    /// A second look at some of what differs; whether there was anything to look at.
    async fn look_again(&self) -> Result<bool> {
        let places = self.places(false).await?;
        self.look_at(&places).await?;
        Ok(!places.is_empty())
    }

    async fn look_at(&self, places: &[String]) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let seen = self.look(RereadRequest::Places(places.to_vec()), true).await?;
        let gone: Vec<String> =
            places.iter().filter(|place| !seen.contains(*place)).cloned().collect();
        let nothing = DifferingRecords::default();
        let note = self.check.note(&self.session, &nothing, Some(&gone));
        self.connector.while_alive(note).await??;
        if let Some(from) = &self.reads_from {
            let mut due = self.read(RereadRequest::Due(places.to_vec(), from.clone()))?;
            while let Some(next) = due.recv().await {
                let places: Vec<String> = next?.1.into_iter().map(|s| s.place).collect();
                let note = self.check.note_due(&self.session, &places);
                self.connector.while_alive(note).await??;
            }
        }
        Ok(())
    }

    async fn places(&self, is_repair: bool) -> Result<Vec<String>> {
        let places = self.check.places(&self.session, is_repair, CHUNK);
        self.connector.while_alive(places).await?
    }

    /// A run with some of the records that differ, and a look at the result; none if nothing is left to
    /// repair.
    async fn repair(
        &self,
        pipeline: &str,
        options: &Options,
        stop: &Stop,
    ) -> Result<Option<Report>> {
        let places = self.places(true).await?;
        if places.is_empty() {
            return Ok(None);
        }
        let again = places.clone();
        let options = Options {
            open_source: Arc::new(move |settings, _, context| {
                Ok(Box::new(RepairSource::open(settings, again.clone(), context)?))
            }),
            ..options.clone()
        };
        let report = run_pipeline(self.connector, pipeline, &options, stop, self.progress).await;
        if report.error.is_none() {
            stop.unless_requested(self.look_at(&places)).await?;
        }
        Ok(Some(report))
    }

    async fn finish(&self, most: i32) -> Result<(Vec<Verdict>, Vec<Difference>)> {
        let finish = self.check.finish(&self.session, most);
        self.connector.while_alive(finish).await?
    }
}
