//! What is the same for every source: batches under their limits, what a batch is to a complete
//! read, errors that wait for the records before them, the end and its proof.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;
use tokio::runtime::Handle;

use super::secret::Redactor;
use super::{Batch, BatchBuilder, Limits, Snapshot, Start};
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::retry::Budget;

/// Where records come from: a plain blocking reader that runs on a thread of its own.
///
/// It reads **units**: files, objects, pages. Nothing counts as read without the [`Proof`] at the
/// end of its unit. Whatever it read ahead of the last commit is simply read again after a crash.
pub trait Source: Send {
    /// Adds records to `out` until it is full or a unit ends. With a batch that is full already it
    /// only says whether there is more.
    ///
    /// What `out` holds when this fails is sound and is committed first; nothing more is asked of
    /// the source then.
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress>;

    /// Up to where the source has been read; none as long as that is where it was.
    fn cursor(&self) -> Option<Value>;

    /// Whether what is read next are the first records of all, if the source can know.
    fn is_at_start(&self) -> bool {
        false
    }

    /// How many bytes of input this run has in all, if that can be known (for the progress bar
    /// and the time left).
    fn total_bytes(&self) -> Option<u64> {
        None
    }
}

/// How far [`Source::read`] came.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// The batch is full, and there is more.
    Full,
    /// A unit ended; others may follow.
    UnitEnded(Proof),
    /// There is nothing more for this run.
    End(Proof),
}

/// What a source knows of the end of a unit, or of its own end.
#[derive(Debug, PartialEq, Eq)]
pub enum Proof {
    /// It was read to what proves to be its end.
    Complete,
    /// It was not.
    Partial(Reason),
}

/// Why a unit, or all of them, cannot be called complete.
#[derive(Debug, PartialEq, Eq)]
pub enum Reason {
    /// The source offers more than can be read today: `name` of what, and why.
    Waiting {
        /// The file, object or address.
        name: String,
        /// What stands in the way.
        why: String,
    },
    /// What the source no longer has cannot be told by this read.
    Inconclusive(String),
}

/// What a source works with. All of it belongs to the run.
#[derive(Debug, Clone)]
pub struct Means {
    /// Where what is not blocking runs.
    pub runtime: Handle,
    /// The retries of the run, shared with all else that repeats something.
    pub budget: Arc<Budget>,
    /// What the user should know at the end of the run.
    pub remarks: Remarks,
    /// What the host gives to pipelines.
    pub host: HostRules,
    pub(in crate::source) secrets: Arc<Redactor>,
}

impl Means {
    /// Those of a run that begins, inside of a runtime.
    pub fn of_run(budget: Arc<Budget>, host: HostRules) -> Self {
        Means {
            host,
            runtime: Handle::current(),
            budget,
            remarks: Remarks::default(),
            secrets: Arc::default(),
        }
    }
}

/// Remarks for the user at the end of a run, one a line: a file that was replaced, for instance.
#[derive(Debug, Clone, Default)]
pub struct Remarks(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    lines: Vec<String>,
    more: usize,
    waiting: Vec<Waiting>,
}

/// What a source offers and could not be read to its end in this run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The file, object or address.
    pub name: String,
    /// What stands in the way.
    pub reason: String,
    /// Whoever ran it left it.
    pub on_purpose: bool,
}

impl Remarks {
    /// So many are shown; what is more is counted.
    const MOST: usize = 20;

    /// Notes one.
    pub fn add(&self, line: impl Into<String>) {
        let mut noted = self.noted();
        match noted.lines.len() < Self::MOST {
            true => noted.lines.push(line.into()),
            false => noted.more += 1,
        }
    }

    /// What was noted.
    pub fn lines(&self) -> Vec<String> {
        let noted = self.noted();
        let more = (noted.more > 0).then(|| format!("and {} more such notes", noted.more));
        noted.lines.iter().cloned().chain(more).collect()
    }

    /// Notes what waits.
    pub(crate) fn wait_for(&self, waiting: Waiting) {
        self.noted().waiting.push(waiting);
    }

    /// What waits.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.noted().waiting.clone()
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Units without records cost a batch nothing, so their number needs a limit of its own.
const UNITS_IN_BATCH: usize = 1000;

/// From a source that is slow to answer a batch is not gathered for longer.
const GATHERING: Duration = Duration::from_secs(30);

/// Makes batches of what a source reads, in the order in which they must be committed.
pub struct Driver {
    source: Box<dyn Source>,
    limits: Limits,
    /// What the database knows, or will once the batches handed out are committed.
    cursor: Option<Value>,
    /// The records are not the pipeline's own source.
    is_elsewhere: bool,
    /// An error that waits until the records before it have been handed out.
    failure: Option<Error>,
    end: Option<End>,
    remarks: Remarks,
    /// What the next batch has to say about the completeness of the read.
    spoilt_by: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Reached,
    Failed,
}

impl Driver {
    /// A driver of `source`, which works with `means` and goes on from the pipeline's `cursor`.
    pub fn new(
        source: Box<dyn Source>,
        means: &Means,
        cursor: Option<Value>,
        limits: Limits,
    ) -> Self {
        Driver {
            source,
            limits,
            cursor,
            is_elsewhere: false,
            failure: None,
            end: None,
            remarks: means.remarks.clone(),
            spoilt_by: None,
        }
    }

    /// A driver of the source that `settings` describe.
    pub fn open(settings: &Value, start: Start, limits: Limits, means: &Means) -> Result<Self> {
        let cursor = start.cursor.clone();
        let source = super::open(settings, start, means)?;
        Ok(Self::new(source, means, cursor, limits))
    }

    /// The same for records that are not the pipeline's own source, and so tell nothing of what
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
        let mut out = BatchBuilder::new(self.limits);
        let units = self.fill(&mut out);
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
                Ok(Progress::End(proof)) => (proof, Some(End::Reached)),
                Err(error) => {
                    self.failure = Some(error);
                    self.end = Some(End::Failed);
                    return units;
                }
            };
            units += 1;
            self.end = end;
            self.take(proof);
            let is_slow = out.rows() > 0 && began.elapsed() >= GATHERING;
            if end.is_some() || is_slow || units >= UNITS_IN_BATCH {
                return units;
            }
        }
    }

    fn take(&mut self, proof: Proof) {
        match proof {
            Proof::Complete => {}
            Proof::Partial(Reason::Inconclusive(why)) => self.spoilt_by = Some(why),
            Proof::Partial(Reason::Waiting { name, why }) => {
                self.remarks.add(&*why);
                // Of a unit its state says so to the engine.
                if self.end.is_some() {
                    self.spoilt_by = Some(why.clone());
                }
                self.remarks.wait_for(Waiting {
                    name,
                    reason: why,
                    on_purpose: false,
                });
            }
        }
    }

    /// Notes that what follows was left on purpose: no more batches were wanted.
    pub(crate) fn leave_the_rest(&self) {
        self.remarks.wait_for(Waiting {
            name: "the rest of the source".to_owned(),
            reason: "left by --max-batches".to_owned(),
            on_purpose: true,
        });
    }

    /// Whether there is nothing left to read for this run.
    pub fn is_over(&self) -> bool {
        self.end == Some(End::Reached)
    }

    /// Whether the run has then seen all that the source has, together with the runs before that
    /// it goes on from, but for what batches say in `spoilt_by`.
    pub fn is_complete(&self) -> bool {
        self.is_over() && !self.is_elsewhere && self.spoilt_by.is_none()
    }

    /// What the user should know, as far as it was read.
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
