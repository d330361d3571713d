//! Records from files: NDJSON, JSON arrays, CSV and TSV, plain or compressed, in a file, a
//! folder, a glob, or on standard input.
//!
//! Every file is read from where the last committed batch left it. Three facts decide
//! whether it still is the same file: its size, the hash of its first bytes, and the hash of
//! the bytes before the place where reading resumes. A file counts as done only when its end
//! proves to be one; a file that is still being written is loaded up to its last whole
//! record, and goes on from there in a later run.

mod discover;
mod identity;
mod reading;
mod settings;
mod start;
mod watch;

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::io::Read;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::source::records::{Compression, OnReplace, Progress};
use crate::source::{Batch, BatchBuilder, Limits, ObjectState, Snapshot, Source};

use self::identity::{Known, replaced};
use self::reading::FileReading;
use self::settings::Settings;
use self::start::{Opened, identify, open, open_stream};

/// Files without records cost a batch nothing, so their number needs a limit of its own.
const FILES_IN_BATCH: usize = 1000;

/// How often a file that is replaced while it is read is begun again in one run.
const RELOADS: usize = 3;

/// The source that reads files.
pub struct FileSource {
    settings: Settings,
    limits: Limits,
    known: HashMap<String, Known>,
    queue: VecDeque<String>,
    current: Option<FileReading>,
    /// What the next batch is to a complete read.
    snapshot: Snapshot,
    /// There was nothing to read, or reading broke off.
    is_incomplete: bool,
    reloads: usize,
    total_bytes: Option<u64>,
    /// An error that waits until the records before it have been handed out.
    failure: Option<Error>,
    remarks: Vec<String>,
}

impl FileSource {
    /// A source for the pipeline's `settings`, which goes on from what is `known` of each file.
    pub fn open(settings: &Value, known: Vec<ObjectState>, limits: Limits) -> Result<Self> {
        let settings = Settings::parse(settings)?;
        if settings.path == "-" {
            return Self::with_stream(settings, Box::new(std::io::stdin()), limits);
        }
        let found = discover::discover(&settings.path)?;
        // Other paths may have been read before, and other sources.
        let names: HashSet<&str> = found.names.iter().map(String::as_str).collect();
        let known = known
            .iter()
            .filter(|object| names.contains(object.object.as_str()))
            .map(|object| Ok((object.object.clone(), Known::from_object(object)?)))
            .collect::<Result<HashMap<_, _>>>()?;
        let total_bytes = found
            .names
            .iter()
            .map(|name| remaining(name, known.get(name)))
            .sum();
        Ok(FileSource {
            settings,
            limits,
            known,
            // A folder that is empty today is no proof that the rows are gone.
            is_incomplete: found.names.is_empty(),
            queue: found.names.into(),
            current: None,
            snapshot: Snapshot::Continue,
            reloads: 0,
            total_bytes: Some(total_bytes),
            failure: None,
            remarks: found.remark.into_iter().collect(),
        })
    }

    /// A source that reads `input` as if it were standard input (path `-`).
    pub fn from_reader(
        settings: &Value,
        input: Box<dyn Read + Send>,
        limits: Limits,
    ) -> Result<Self> {
        Self::with_stream(Settings::parse(settings)?, input, limits)
    }

    fn with_stream(
        settings: Settings,
        input: Box<dyn Read + Send>,
        limits: Limits,
    ) -> Result<Self> {
        let reading = open_stream(&settings, input)?;
        Ok(FileSource {
            settings,
            limits,
            known: HashMap::new(),
            queue: VecDeque::new(),
            current: Some(reading),
            snapshot: Snapshot::Begin,
            is_incomplete: false,
            reloads: 0,
            total_bytes: None,
            failure: None,
            remarks: Vec::new(),
        })
    }

    /// Opens the next file in the queue. Nothing is current afterwards if it has nothing new.
    fn open_next(&mut self, name: String, batch: &mut Gathering) -> Result<()> {
        let state = match self.known.remove(&name) {
            Some(Known::Read(state)) => Some(state),
            Some(Known::Skipped(None, mut state)) => {
                // The content that was meant: what replaces it is told by this.
                state.identity = identify(&name)?;
                self.remarks.push(format!("{name} is passed over, as told"));
                batch.skip(state);
                return Ok(());
            }
            Some(known) if known.skips(&metadata(&name)?) => return Ok(()),
            Some(Known::Skipped(..)) => {
                self.remarks.push(format!(
                    "{name} was passed over, and has changed since: read from its start"
                ));
                None
            }
            None => None,
        };
        match open(&self.settings, &name, state)? {
            Opened::Reading(reading) => {
                self.current = Some(*reading);
                Ok(())
            }
            Opened::Unchanged => Ok(()),
            Opened::Replaced(difference) => self.reload(name, &difference),
        }
    }

    /// Begins a replaced file again, if the pipeline allows it.
    fn reload(&mut self, name: String, difference: &str) -> Result<()> {
        if self.settings.on_replace == OnReplace::Error || self.reloads >= RELOADS {
            return Err(replaced(&name, difference));
        }
        self.remarks.push(format!(
            "{name} was replaced ({difference}): read again from the start"
        ));
        self.known.remove(&name);
        self.queue.push_front(name);
        Ok(())
    }

    /// Reads on in the current file. True once the batch is full.
    fn read_on(&mut self, mut file: FileReading, batch: &mut Gathering) -> Result<bool> {
        batch.builder.set_origin(file.reading.name());
        let rows_before = batch.builder.rows();
        let read = file.reading.read_into(&mut batch.builder);
        let progress = match read {
            Ok(progress) => progress,
            Err(error) => {
                // What was read up to the fault is sound and need not be read again.
                if batch.builder.rows() > rows_before {
                    batch.note(&file)?;
                }
                self.queue.clear();
                return Err(error);
            }
        };
        if file.is_addition() && batch.builder.rows() > rows_before {
            batch.spoilt_by = Some(format!(
                "of {} only what was added to it was read",
                file.reading.name()
            ));
        }
        if progress == Progress::BatchIsFull {
            batch.note(&file)?;
            self.current = Some(file);
            return Ok(true);
        }
        if let Some(difference) = file.disturbance()? {
            // The records may be of either content: none of this batch may be committed.
            // Unless the new content follows in it, which makes up for the old.
            batch.is_spoilt = true;
            self.reloads += 1;
            self.reload(file.reading.name().to_owned(), &difference)?;
            return Ok(false);
        }
        self.reloads = 0;
        batch.note(&file)?;
        self.remarks.extend(file.reading.remark());
        Ok(false)
    }

    fn gather(&mut self, batch: &mut Gathering) -> Result<()> {
        while !batch.builder.is_full() && batch.files < FILES_IN_BATCH {
            if let Some(file) = self.current.take() {
                if self.read_on(file, batch)? {
                    break;
                }
            } else if let Some(name) = self.queue.pop_front() {
                self.open_next(name, batch)?;
            } else {
                break;
            }
        }
        Ok(())
    }
}

impl Source for FileSource {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let mut batch = Gathering {
            builder: BatchBuilder::new(self.limits),
            cursor: Value::Null,
            files: 0,
            is_spoilt: false,
            spoilt_by: None,
        };
        if let Err(error) = self.gather(&mut batch) {
            self.queue.clear();
            self.is_incomplete = true;
            if batch.is_spoilt || batch.builder.is_empty() {
                return Err(error);
            }
            self.failure = Some(error);
        }
        if batch.builder.is_empty() {
            return Ok(None);
        }
        Ok(Some(Batch {
            snapshot: std::mem::take(&mut self.snapshot),
            spoilt_by: batch.spoilt_by,
            ..batch.builder.finish(batch.cursor)
        }))
    }

    /// Of a file that is still being written its state says so.
    fn is_complete(&self) -> bool {
        self.queue.is_empty() && self.current.is_none() && !self.is_incomplete
    }

    fn total_bytes(&self) -> Option<u64> {
        self.total_bytes
    }

    fn remarks(&self) -> Vec<String> {
        self.remarks.clone()
    }
}

/// A batch in the making.
struct Gathering {
    builder: BatchBuilder,
    cursor: Value,
    files: usize,
    is_spoilt: bool,
    spoilt_by: Option<String>,
}

impl Gathering {
    /// Takes down that a file is passed over.
    fn skip(&mut self, state: ObjectState) {
        self.cursor = json!({"object": state.object, "skipped": true});
        self.builder.note_object(state);
        self.files += 1;
    }

    /// Takes down how far `file` has been read.
    fn note(&mut self, file: &FileReading) -> Result<()> {
        let reading = &file.reading;
        let (bytes, records) = reading.progress();
        let is_stream = reading.name() == "-";
        self.cursor = if is_stream {
            json!({"object": "-", "records": records})
        } else {
            json!({"object": reading.name(), "bytes": bytes, "records": records})
        };
        if let Some(state) = file.changed_state()? {
            self.builder.note_object(state);
            self.files += 1;
        }
        Ok(())
    }
}

fn metadata(name: &str) -> Result<fs::Metadata> {
    fs::metadata(name).map_err(|cause| discover::unreadable(name, cause))
}

/// How many bytes of the file are still to be read.
fn remaining(name: &str, known: Option<&Known>) -> u64 {
    let Ok(meta) = fs::metadata(name) else {
        return 0;
    };
    match known {
        Some(known) if known.skips(&meta) => 0,
        Some(Known::Read(known)) if known.covers(&meta) => 0,
        Some(Known::Read(known)) if known.position.compression == Compression::None => {
            meta.len().saturating_sub(known.position.place.bytes)
        }
        _ => meta.len(),
    }
}
