//! Records from object stores: S3 and what speaks its language, Google Cloud Storage, Azure
//! Blob Storage, and a local folder under a `file:///` URL. Formats and resuming are those of
//! files; how the bytes come is not.
//!
//! Each run lists the whole prefix and compares it with what is known: an object is known by
//! its ETag and size. What is to be read is fetched ahead, several objects at once and large
//! ones in parts, each part under the condition that the ETag is still the same. An object
//! counts as done when as many bytes were read as it has.

mod body;
mod fetch;
mod fetching;
mod identity;
mod listing;
mod place;
mod reading;
mod refusal;
mod service;
mod settings;
mod store;

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::source::records::OnReplace;
use crate::source::{Batch, BatchBuilder, Limits, ObjectState, Savepoint, Source};

use self::body::Trouble;
use self::fetch::{Event, Fetcher, Found};
use self::fetching::Fetching;
use self::identity::{Known, replaced};
use self::listing::Listing;
use self::reading::{ObjectReading, Opened};
use self::settings::Settings;

/// Objects without records cost a batch nothing, so their number needs a limit of its own.
const OBJECTS_IN_BATCH: usize = 1000;

/// How often an object that is replaced while it is read is begun again in one run.
const RELOADS: usize = 3;

/// Remarks of one run; what is more is counted.
const REMARKS: usize = 20;

/// The source that reads objects.
pub struct ObjectSource {
    settings: Settings,
    limits: Limits,
    fetching: Fetching,
    current: Option<Box<ObjectReading>>,
    reloads: usize,
    /// An error that waits until the records before it have been handed out.
    failure: Option<Error>,
    is_over: bool,
    /// All that was listed was read, and that was something.
    is_complete: bool,
    /// What the next batch has to say about the completeness of the read.
    spoilt_by: Option<String>,
    remarks: Vec<String>,
    more_remarks: usize,
}

impl ObjectSource {
    /// A source for the pipeline's `settings`, which goes on from what is `known` of each
    /// object. Nothing is asked of the store before the first batch is.
    pub fn open(settings: &Value, known: Vec<ObjectState>, limits: Limits) -> Result<Self> {
        let settings = Settings::parse(settings)?;
        let store = store::open(&settings.place, &settings.access)?;
        let known = known
            .into_iter()
            .filter(|object| object.object.starts_with(&settings.place.root))
            .map(Known::from_object)
            .collect::<Result<HashMap<_, _>>>()?;
        let fetching = Fetching::new(
            Fetcher::new(store, settings.place.clone()),
            Listing {
                place: settings.place.clone(),
                pattern: settings.pattern.clone(),
                on_replace: settings.on_replace,
                known,
            },
        );
        Ok(ObjectSource {
            settings,
            limits,
            fetching,
            current: None,
            reloads: 0,
            failure: None,
            is_over: false,
            is_complete: false,
            spoilt_by: None,
            remarks: Vec::new(),
            more_remarks: 0,
        })
    }

    fn gather(&mut self, batch: &mut Gathering) -> Result<()> {
        while !batch.builder.is_full() && batch.objects < OBJECTS_IN_BATCH {
            if let Some(object) = self.current.take() {
                if !self.read_on(object, batch)? {
                    break;
                }
                continue;
            }
            match self.fetching.next()? {
                Event::Object(found) => self.begin(found)?,
                Event::Skipped(state) => {
                    self.remark(format!("{} is passed over, as told", state.object));
                    batch.skip(*state);
                }
                Event::Remark(remark) => self.remark(remark),
                Event::Failed(error) => return Err(error),
                Event::End { is_empty } => {
                    self.is_over = true;
                    // A prefix that is empty today is no proof that the rows are gone.
                    self.is_complete = !is_empty;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Opens an object. Nothing is current afterwards if it has gone away.
    fn begin(&mut self, found: Found) -> Result<()> {
        let candidate = found.candidate.clone();
        let is_handed_out = candidate.position.is_some();
        match ObjectReading::open(&self.settings, found) {
            Opened::Reading(object) => {
                self.current = Some(object);
                Ok(())
            }
            Opened::Elsewhere(difference) => {
                self.begin_again(&candidate, &difference, is_handed_out)
            }
            Opened::Lost(Some(Trouble::Replaced), _) => {
                self.begin_again(&candidate, WHILE_READ, is_handed_out)
            }
            Opened::Lost(Some(Trouble::Gone), _) if !is_handed_out => {
                self.lose(&candidate.name);
                Ok(())
            }
            Opened::Lost(_, error) => Err(error),
        }
    }

    /// Begins an object again that is not what it was. As long as nothing of the old content
    /// was handed out, that changes nothing for anybody; else the pipeline has to allow it.
    fn begin_again(
        &mut self,
        candidate: &listing::Candidate,
        difference: &str,
        is_handed_out: bool,
    ) -> Result<()> {
        let is_allowed = !is_handed_out || self.settings.on_replace == OnReplace::Reload;
        if !is_allowed || self.reloads >= RELOADS {
            return Err(replaced(&candidate.name, difference));
        }
        self.reloads += 1;
        self.remark(format!(
            "{} was replaced ({difference}): read again from the start",
            candidate.name
        ));
        match self.fetching.again(candidate)? {
            Some(found) => self.begin(found),
            None if is_handed_out => Err(replaced(&candidate.name, "it is gone")),
            None => {
                self.lose(&candidate.name);
                Ok(())
            }
        }
    }

    /// Reads on in the current object. False once the batch is full.
    fn read_on(&mut self, mut object: Box<ObjectReading>, batch: &mut Gathering) -> Result<bool> {
        batch.builder.set_origin(object.reading.name());
        let before = batch.builder.savepoint();
        match object.read_into(&mut batch.builder) {
            Ok(true) => {
                self.reloads = 0;
                batch.note(&object)?;
                if let Some(remark) = object.reading.remark() {
                    self.remark(remark);
                }
                Ok(true)
            }
            Ok(false) => {
                batch.note(&object)?;
                object.is_handed_out = true;
                self.current = Some(object);
                Ok(false)
            }
            Err(error) => self.disturbed(&object, error, before, batch).map(|()| true),
        }
    }

    fn disturbed(
        &mut self,
        object: &ObjectReading,
        error: Error,
        before: Savepoint,
        batch: &mut Gathering,
    ) -> Result<()> {
        match object.trouble() {
            // What this batch holds of the old content is taken out of it.
            Some(Trouble::Replaced) => {
                batch.builder.roll_back(before);
                self.begin_again(&object.candidate, WHILE_READ, object.is_handed_out)
            }
            Some(Trouble::Gone) if !object.is_handed_out => {
                batch.builder.roll_back(before);
                self.lose(&object.candidate.name);
                Ok(())
            }
            // What was read up to the fault is sound and need not be read again.
            _ => {
                if batch.builder.rows() > before.rows() {
                    batch.note(object)?;
                }
                Err(error)
            }
        }
    }

    /// An object is gone that was listed: perhaps the whole dump is being replaced.
    fn lose(&mut self, name: &str) {
        let remark = format!("{name} was deleted before it could be read");
        self.spoilt_by = Some(remark.clone());
        self.remark(remark);
    }

    fn remark(&mut self, remark: String) {
        match self.remarks.len() < REMARKS {
            true => self.remarks.push(remark),
            false => self.more_remarks += 1,
        }
    }
}

const WHILE_READ: &str = "while it was read";

impl Source for ObjectSource {
    fn next_batch(&mut self) -> Result<Option<Batch>> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        let mut batch = Gathering {
            builder: BatchBuilder::new(self.limits),
            cursor: Value::Null,
            objects: 0,
        };
        if !self.is_over
            && let Err(error) = self.gather(&mut batch)
        {
            self.is_over = true;
            self.current = None;
            if batch.builder.is_empty() {
                return Err(error);
            }
            self.failure = Some(error);
        }
        if batch.builder.is_empty() {
            return Ok(None);
        }
        Ok(Some(Batch {
            spoilt_by: self.spoilt_by.take(),
            ..batch.builder.finish(batch.cursor)
        }))
    }

    fn is_complete(&self) -> bool {
        self.is_complete && self.spoilt_by.is_none()
    }

    fn remarks(&self) -> Vec<String> {
        let mut remarks = self.remarks.clone();
        if self.more_remarks > 0 {
            remarks.push(format!("and {} more such notes", self.more_remarks));
        }
        remarks
    }
}

/// A batch in the making.
struct Gathering {
    builder: BatchBuilder,
    cursor: Value,
    objects: usize,
}

impl Gathering {
    /// Takes down that an object is passed over.
    fn skip(&mut self, state: ObjectState) {
        self.cursor = json!({"object": state.object, "skipped": true});
        self.builder.note_object(state);
        self.objects += 1;
    }

    /// Takes down how far `object` has been read.
    fn note(&mut self, object: &ObjectReading) -> Result<()> {
        let (bytes, records) = object.reading.progress();
        self.cursor = json!({"object": object.candidate.name, "bytes": bytes, "records": records});
        self.builder.note_object(object.state()?);
        self.objects += 1;
        Ok(())
    }
}
