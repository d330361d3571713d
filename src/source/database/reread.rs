//! Reads rows again, whatever the pipeline's cursor says: all of them, or those at some places.

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::DatabaseSource;
use super::cursor::{DatabaseCursor, DatabaseDone, DatabaseSweep, RowPosition};
use super::settings::{DatabaseSettings, Reread};
use crate::error::{Error, Result};
use crate::source::{Batch, BatchBuilder, BatchLimits, Progress, Source, SourceContext, Start};
use std::sync::Arc;

/// Which rows are wanted.
pub(crate) enum RereadRequest {
    /// All, by key.
    All,
    /// Those at these places ([`RecordDigest::place`]).
    Places(Vec<String>),
    /// Of these, those that a run starting from this mark would read.
    Due(Vec<String>, String),
}

/// A record by its place and its digest.
pub(crate) struct RecordDigest {
    /// Its key, as JSON.
    pub(crate) place: String,
    /// The first half of the SHA-256 of its payload.
    pub(crate) digest: [u8; 16],
}

/// A batch, and the digests of its records in order.
pub(crate) type DigestedBatch = (Batch, Vec<RecordDigest>);

impl RecordDigest {
    pub(super) fn of(place: &RowPosition, payload: &[u8]) -> Self {
        let mut digest = [0; 16];
        digest.copy_from_slice(&Sha256::digest(payload)[..16]);
        RecordDigest { place: Value::from(place.key.clone()).to_string(), digest }
    }
}

/// Reads rows again, and digests them.
pub(crate) struct Rereader {
    source: DatabaseSource,
    is_over: bool,
}

impl Rereader {
    pub(crate) fn open(
        settings: &Value,
        wanted: RereadRequest,
        context: &SourceContext,
    ) -> Result<Self> {
        let mut source = open(settings, wanted, context)?;
        source.digests = Some(Vec::new());
        Ok(Rereader { source, is_over: false })
    }

    /// The next batch; positions go on from the batch before.
    pub(crate) fn next_batch(
        &mut self,
        limits: BatchLimits,
        columns: Option<&Arc<[String]>>,
    ) -> Result<Option<DigestedBatch>> {
        if self.is_over {
            return Ok(None);
        }
        let mut out = BatchBuilder::new(limits).with_columns(columns.cloned());
        while !self.is_over && !out.is_full() {
            self.is_over = matches!(self.source.read(&mut out)?, Progress::End(_));
        }
        if out.is_empty() {
            return Ok(None);
        }
        let digests = self.source.digests.replace(Vec::new());
        Ok(Some((out.finish(Value::Null), digests.unwrap_or_default())))
    }
}

/// The source of a repair: reads some rows again and leaves the cursor where it is.
pub(crate) struct RepairSource(DatabaseSource);

impl RepairSource {
    pub(crate) fn open(
        settings: &Value,
        places: Vec<String>,
        context: &SourceContext,
    ) -> Result<Self> {
        open(settings, RereadRequest::Places(places), context).map(RepairSource)
    }
}

impl Source for RepairSource {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        self.0.read(out)
    }

    fn cursor(&self) -> Option<Value> {
        None
    }
}

fn open(
    settings: &Value,
    wanted: RereadRequest,
    context: &SourceContext,
) -> Result<DatabaseSource> {
    let mut source = DatabaseSource::open(settings, &Start::default(), context)?;
    let (places, due_from) = match wanted {
        RereadRequest::All => {
            source.settings.reread = Some(Reread::All);
            (Vec::new(), None)
        }
        RereadRequest::Places(places) => (places, None),
        RereadRequest::Due(places, from) => (places, Some(from)),
    };
    if source.settings.reread.is_none() {
        let keys = places.iter().map(|place| serde_json::from_str(place));
        let keys = keys.collect::<Result<_, _>>().map_err(|cause| {
            Error::failed("a place of the source cannot be read").caused_by(cause)
        })?;
        source.settings.reread = Some(Reread::Places { keys, due_from });
    }
    source.known = None;
    Ok(source)
}

/// The mark from which the next run begins, without its lag; none if the source has no cursor. Refuses a
/// source that has not been read completely once.
pub(crate) fn next_run_reads_from(
    pipeline: &str,
    settings: &Value,
    cursor: Option<&Value>,
) -> Result<Option<String>> {
    let settings = DatabaseSettings::parse(settings)?;
    let from = match DatabaseCursor::parse(cursor)? {
        Some(DatabaseCursor::Done(DatabaseDone { marks, .. })) => match (&settings.cursor, marks) {
            (None, _) => return Ok(None),
            (Some(by), Some(marks)) if marks.by == *by => marks.settled,
            _ => None,
        },
        // What is older has been read by the sweeps before, and this one reads the rest.
        Some(DatabaseCursor::Sweeping(DatabaseSweep { from, then, .. }))
            if then.as_ref().map(|then| &then.by) == settings.cursor.as_ref() =>
        {
            from
        }
        _ => None,
    };
    from.map(Some).ok_or_else(|| {
        Error::usage(format!(
            "pipeline {pipeline} has not read its source to its end once, so most of what differs is still to come"
        ))
        .next(format!("sluice run {pipeline}, then compare"))
    })
}
