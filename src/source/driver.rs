//! The driver makes batches of what a source reads: it closes them at their limits, delivers the records before an
//! error, and tracks whether a read was complete.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::context::{Remarks, SourceContext, Waiting};
use super::contract::{Progress, Proof, Reason, Source};
use super::{Batch, BatchBuilder, BatchLimits, Snapshot};
use crate::error::{Error, Result};

/// Units without records cost a batch nothing, so their number needs a limit of its own.
const UNITS_IN_BATCH: usize = 1000;

/// Makes batches of what a source reads, in the order in which they must be committed.
pub struct Driver {
    source: Box<dyn Source>,
    limits: BatchLimits,
    /// The columns of the row that the transform takes, if it takes one.
    columns: Option<Arc<[String]>>,
    /// How long a batch of a slow source is filled.
    gathering: Duration,
    /// The cursor after the last batch.
    cursor: Option<Value>,
    /// The records do not come from the pipeline's own source.
    is_elsewhere: bool,
    /// An error that is returned after the records before it.
    failure: Option<Error>,
    end: Option<ReadEnd>,
    remarks: Remarks,
    /// Notes about records so far, which are not repeated.
    noted: HashSet<String>,
    /// Why the read is incomplete; for the next batch.
    spoilt_by: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadEnd {
    Reached,
    Failed,
}

impl Driver {
    /// A driver of `source`, which continues from the pipeline's `cursor`.
    pub fn new(
        source: Box<dyn Source>,
        context: &SourceContext,
        cursor: Option<Value>,
        limits: BatchLimits,
    ) -> Self {
        Driver {
            source,
            limits,
            columns: None,
            gathering: Self::GATHERING,
            cursor,
            is_elsewhere: false,
            failure: None,
            end: None,
            remarks: context.remarks.clone(),
            noted: HashSet::new(),
            spoilt_by: None,
        }
    }

    /// A driver of the source that `settings` describe.
    #[cfg(not(closed))]
    pub fn open(
        settings: &Value,
        start: super::Start,
        limits: BatchLimits,
        context: &SourceContext,
    ) -> Result<Self> {
        let cursor = start.cursor.clone();
        let source = super::open(settings, start, context)?;
        Ok(Self::new(source, context, cursor, limits))
    }

    /// The same for a transform that takes a row of these columns.
    #[must_use]
    pub fn with_columns(mut self, columns: Option<Arc<[String]>>) -> Self {
        self.columns = columns;
        self
    }

    /// How long a batch is gathered by default.
    pub const GATHERING: Duration = Duration::from_secs(30);

    /// The same, gathering a batch for at most this long.
    #[must_use]
    pub fn gathering(mut self, limit: Duration) -> Self {
        self.gathering = limit;
        self
    }

    /// The same for records that do not come from the pipeline's own source, and so say nothing about what
    /// it no longer has.
    #[must_use]
    pub fn elsewhere(mut self, is_elsewhere: bool) -> Self {
        self.is_elsewhere = is_elsewhere;
        self
    }

    /// The next batch, or `None` when the source has nothing more for this run. A batch never
    /// crosses the limits by more than the record that filled it.
    pub fn next_batch(&mut self) -> Result<Option<Batch>> {
        while self.end.is_none() {
            if let Some(batch) = self.gather() {
                return Ok(Some(batch));
            }
        }
        self.failure.take().map_or(Ok(None), Err)
    }

    /// One batch, if it has anything to commit.
    fn gather(&mut self) -> Option<Batch> {
        let snapshot = match self.source.is_at_start() {
            _ if self.is_elsewhere => Snapshot::Ignore,
            true => Snapshot::Begin,
            false => Snapshot::Continue,
        };
        let mut out = BatchBuilder::new(self.limits).with_columns(self.columns.clone());
        let units = self.fill(&mut out);
        for note in out.take_notes() {
            if self.noted.insert(note.clone()) {
                self.remarks.add(note);
            }
        }
        let cursor = self.source.cursor().or_else(|| self.cursor.clone());
        let has_moved = units > 0 && cursor != self.cursor;
        if out.is_empty() && !has_moved {
            return None;
        }
        self.cursor = cursor;
        let mut batch = out.finish(self.cursor.clone().unwrap_or_default());
        batch.snapshot = snapshot;
        if batch.spoilt_by.is_none() {
            batch.spoilt_by = self.spoilt_by.take();
        }
        Some(batch)
    }

    /// Reads until the batch is full or there is no more; says how many units ended.
    fn fill(&mut self, out: &mut BatchBuilder) -> usize {
        let began = Instant::now();
        let mut units = 0;
        loop {
            let (proof, end) = match self.source.read(out) {
                Ok(Progress::Full) => return units,
                Ok(Progress::UnitEnded(proof)) => (proof, None),
                Ok(Progress::End(proof)) => (proof, Some(ReadEnd::Reached)),
                Err(error) => {
                    self.failure = Some(error);
                    self.end = Some(ReadEnd::Failed);
                    return units;
                }
            };
            units += 1;
            self.end = end;
            self.take(proof);
            let is_slow = began.elapsed() >= self.gathering && self.has_something(out);
            if end.is_some() || is_slow || units >= UNITS_IN_BATCH {
                return units;
            }
        }
    }

    /// Whether there is something to commit: records, or a cursor that has moved.
    fn has_something(&self, out: &BatchBuilder) -> bool {
        let has_moved = |cursor| Some(cursor) != self.cursor;
        out.rows() > 0 || self.source.cursor().is_some_and(has_moved)
    }

    fn take(&mut self, proof: Proof) {
        match proof {
            Proof::Complete => {}
            Proof::Partial(Reason::Inconclusive(why)) => self.spoilt_by = Some(why),
            Proof::Partial(Reason::Waiting { name, why }) => {
                self.remarks.add(&*why);
                // Of a single unit, its state tells the engine.
                if self.end.is_some() {
                    self.spoilt_by = Some(why.clone());
                }
                self.remarks.wait_for(Waiting { name, reason: why, on_purpose: false });
            }
        }
    }

    /// Notes that the rest was left on purpose.
    pub(crate) fn leave_the_rest(&self) {
        self.remarks.wait_for(Waiting {
            name: "the rest of the source".to_owned(),
            reason: "left by --max-batches".to_owned(),
            on_purpose: true,
        });
    }

    /// Whether there is nothing left to read for this run.
    pub fn is_over(&self) -> bool {
        self.end == Some(ReadEnd::Reached)
    }

    /// Whether the run has then seen all that the source has, together with the runs that it continues,
    /// except for what batches say in `spoilt_by`.
    pub fn is_complete(&self) -> bool {
        self.is_over() && !self.is_elsewhere && self.spoilt_by.is_none()
    }

    /// Remarks for the user, so far.
    #[cfg(not(closed))]
    pub fn remarks(&self) -> Vec<String> {
        self.remarks.lines()
    }

    /// What could not be read to its end.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.remarks.waiting()
    }

    /// How many bytes of input this run has in all, if that can be known.
    pub fn total_bytes(&self) -> Option<u64> {
        self.source.total_bytes()
    }
}
