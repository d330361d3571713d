//! Records from files: NDJSON, JSON arrays, CSV and TSV, plain or compressed, in a file, a
//! folder or a glob.
//!
//! Every file is read from where the last committed batch left it. Three facts decide
//! whether it still is the same file: its size, the hash of its first bytes, and the hash of
//! the bytes before the place where reading resumes. A file counts as done only when its end
//! proves to be one; a file that is still being written is loaded up to its last whole
//! record, and goes on from there in a later run.

mod discover;
mod identity;
mod listing;
mod reading;
mod settings;
mod start;
mod watch;

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::error::Result;
use crate::host::HostRules;
use crate::source::records::{Compression, OnReplace, Progress as Framed, RecordSettings};
use crate::source::{BatchBuilder, Means, ObjectState, Progress, Proof, Reason, Remarks, Source};

use self::identity::{Known, replaced};
use self::reading::FileReading;
use self::settings::Settings;
use self::start::{Opened, identify, open};

/// How often a file that is replaced while it is read is begun again in one run.
const RELOADS: usize = 3;

/// The source that reads files.
pub struct FileSource {
    settings: Settings,
    known: HashMap<String, Known>,
    queue: VecDeque<String>,
    /// Begun by an earlier run, and not there any more.
    gone: Vec<ObjectState>,
    current: Option<FileReading>,
    /// A folder that is empty today is no proof that the rows are gone.
    is_empty: bool,
    reloads: usize,
    total_bytes: u64,
    cursor: Option<Value>,
    remarks: Remarks,
    host: HostRules,
}

/// Of a file source's settings, how records stand in what comes on standard input.
pub(super) fn stream_settings(settings: &Value) -> Result<RecordSettings> {
    Ok(Settings::parse(settings)?.records)
}

impl FileSource {
    /// A source for the pipeline's `settings`, which goes on from what is `known` of each file.
    pub fn open(settings: &Value, known: Vec<ObjectState>, means: &Means) -> Result<Self> {
        let settings = Settings::parse(settings)?;
        means.host.file(discover::root(&settings.path))?;
        let found = discover::discover(&settings.path, &means.host)?;
        // Other paths may have been read before, and other sources.
        let names: HashSet<&str> = found.names.iter().map(String::as_str).collect();
        let (known, others): (Vec<_>, Vec<_>) = known
            .into_iter()
            .partition(|object| names.contains(object.object.as_str()));
        let gone = others
            .into_iter()
            .filter(|object| !object.is_done && !object.is_skipped())
            .filter(|object| discover::covers(&settings.path, &object.object))
            .collect();
        let known = known
            .into_iter()
            .map(|object| Ok((object.object.clone(), Known::from_object(&object)?)))
            .collect::<Result<HashMap<_, _>>>()?;
        let total_bytes = found
            .names
            .iter()
            .map(|name| remaining(name, known.get(name)))
            .sum();
        let remarks = means.remarks.clone();
        for remark in found.remarks {
            remarks.add(remark);
        }
        Ok(FileSource {
            settings,
            known,
            is_empty: found.names.is_empty(),
            queue: found.names.into(),
            gone,
            current: None,
            reloads: 0,
            total_bytes,
            cursor: None,
            remarks,
            host: means.host.clone(),
        })
    }

    /// Opens the next file in the queue. Nothing is current afterwards if it has nothing new;
    /// true if that has to be noted.
    fn open_next(&mut self, name: String, out: &mut BatchBuilder) -> Result<bool> {
        self.host.file(Path::new(&name))?;
        let state = match self.known.remove(&name) {
            Some(Known::Read(state)) => Some(state),
            Some(Known::Skipped(None, mut state)) => {
                // The content that was meant: what replaces it is told by this.
                state.identity = identify(&name)?;
                self.remarks.add(format!("{name} is passed over, as told"));
                self.cursor = Some(json!({"object": name, "skipped": true}));
                out.note_object(state);
                return Ok(true);
            }
            Some(known) if known.skips(&metadata(&name)?) => return Ok(false),
            Some(Known::Skipped(..)) => {
                self.remarks.add(format!(
                    "{name} was passed over, and has changed since: read from its start"
                ));
                None
            }
            None => None,
        };
        match open(&self.settings, &name, state)? {
            Opened::Reading(reading) => self.current = Some(*reading),
            Opened::Unchanged => {}
            Opened::Replaced(difference) => self.reload(name, &difference)?,
        }
        Ok(false)
    }

    /// Begins a replaced file again, if the pipeline allows it.
    fn reload(&mut self, name: String, difference: &str) -> Result<()> {
        if self.settings.on_replace == OnReplace::Error || self.reloads >= RELOADS {
            return Err(replaced(&name, difference));
        }
        self.remarks.add(format!(
            "{name} was replaced ({difference}): read again from the start"
        ));
        self.known.remove(&name);
        self.queue.push_front(name);
        Ok(())
    }

    /// Reads on in a file.
    fn read_on(&mut self, mut file: FileReading, out: &mut BatchBuilder) -> Result<Progress> {
        out.set_origin(file.reading.name());
        let before = out.savepoint();
        let (_, handed_out) = file.reading.progress();
        let read = file.reading.read_into(out);
        let has_records = out.rows() > before.rows();
        let progress = match read {
            Ok(progress) => progress,
            Err(error) => {
                if file.reading.is_damaged() {
                    out.roll_back(before);
                } else if has_records {
                    // What was read up to the fault is sound and need not be read again.
                    self.note(&file, out)?;
                }
                return Err(file.reading.regret(error, handed_out));
            }
        };
        if progress == Framed::InputHasEnded
            && let Some(difference) = file.disturbance()?
        {
            // The records may be of either content.
            out.roll_back(before);
            self.reloads += 1;
            self.reload(file.reading.name().to_owned(), &difference)?;
            return Ok(Progress::UnitEnded(Proof::Complete));
        }
        if file.is_addition() && has_records {
            out.spoil(format!(
                "of {} only what was added to it was read",
                file.reading.name()
            ));
        }
        self.note(&file, out)?;
        if progress == Framed::BatchIsFull {
            self.current = Some(file);
            return Ok(Progress::Full);
        }
        self.reloads = 0;
        if let Some(note) = file.reading.note() {
            self.remarks.add(note);
        }
        let Some(remark) = file.reading.remark() else {
            return Ok(Progress::UnitEnded(Proof::Complete));
        };
        Ok(Progress::UnitEnded(match file.reading.is_done() {
            true => {
                self.remarks.add(remark);
                Proof::Complete
            }
            false => Proof::Partial(Reason::Waiting {
                name: file.reading.name().to_owned(),
                why: remark,
            }),
        }))
    }

    /// Takes down how far `file` has been read.
    fn note(&mut self, file: &FileReading, out: &mut BatchBuilder) -> Result<()> {
        if let Some(state) = file.changed_state()? {
            let (bytes, records) = file.reading.progress();
            self.cursor = Some(json!({"object": state.object, "bytes": bytes, "records": records}));
            out.note_object(state);
        }
        Ok(())
    }
}

impl Source for FileSource {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        loop {
            if let Some(file) = self.current.take() {
                return self.read_on(file, out);
            }
            if out.is_full() && !self.queue.is_empty() {
                return Ok(Progress::Full);
            }
            let Some(name) = self.queue.pop_front() else {
                if let Some(gone) = self.gone.pop() {
                    return Ok(Progress::UnitEnded(lost(gone)));
                }
                return Ok(Progress::End(match self.is_empty {
                    true => Proof::Partial(Reason::Inconclusive("there was no file".to_owned())),
                    false => Proof::Complete,
                }));
            };
            if self.open_next(name, out)? {
                return Ok(Progress::UnitEnded(Proof::Complete));
            }
        }
    }

    fn cursor(&self) -> Option<Value> {
        self.cursor.clone()
    }

    fn total_bytes(&self) -> Option<u64> {
        Some(self.total_bytes)
    }
}

/// What is left to say of a file that nobody can read to its end any more.
fn lost(file: ObjectState) -> Proof {
    let records = &file.position["records"];
    Proof::Partial(Reason::Waiting {
        why: format!("{} is gone; {records} records of it were read", file.object),
        name: file.object,
    })
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
