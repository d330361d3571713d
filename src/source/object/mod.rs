//! Records from object stores: S3 and what speaks its language, Google Cloud Storage, Azure
//! Blob Storage, and a local folder under a `file:///` URL. Formats and resuming are those of
//! files; how the bytes come is not.
//!
//! Each run lists the whole prefix and compares it with what is known: an object is known by
//! its ETag and size. What is to be read is fetched ahead, several objects at once and large
//! ones in parts, each part under the condition that the ETag is still the same. An object
//! counts as done when as many bytes were read as it has.

mod body;
mod deleted;
mod fetch;
mod fetching;
mod identity;
mod keys;
mod listing;
mod place;
mod reading;
mod refusal;
mod service;
mod settings;
mod store;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::source::records::OnReplace;
use crate::source::{
    BatchBuilder, Means, ObjectState, Progress, Proof, Reason, Remarks, Savepoint, Source,
};

use self::body::Trouble;
use self::deleted::Deleted;
use self::fetch::{Event, Fetcher, Found};
use self::fetching::Fetching;
use self::identity::{Known, replaced};
use self::listing::Listing;
use self::reading::{ObjectReading, Opened};
use self::settings::Settings;

/// How often an object that is replaced while it is read is begun again in one run.
const RELOADS: usize = 3;

/// The source that reads objects.
pub struct ObjectSource {
    settings: Settings,
    fetching: Fetching,
    /// Heard of, but not begun.
    next: Option<Found>,
    current: Option<Box<ObjectReading>>,
    reloads: usize,
    deleted: Option<Deleted>,
    cursor: Option<Value>,
    remarks: Remarks,
    host: HostRules,
}

impl ObjectSource {
    /// A source for the pipeline's `settings`, which goes on from what is `known` of each
    /// object. Nothing is asked of the store before the first batch is.
    pub fn open(settings: &Value, known: Vec<ObjectState>, means: &Means) -> Result<Self> {
        let settings = Settings::parse(settings)?;
        settings.ask(&means.host)?;
        let store = store::open(&settings.place, &settings.access, &means.budget)?;
        let known = known
            .into_iter()
            .filter(|object| object.object.starts_with(&settings.place.root))
            .map(Known::from_object)
            .collect::<Result<HashMap<_, _>>>()?;
        let fetching = Fetching::new(
            Fetcher::new(store, settings.place.clone(), Arc::clone(&means.budget)),
            Listing {
                place: settings.place.clone(),
                pattern: settings.pattern.clone(),
                on_replace: settings.on_replace,
                known,
            },
            means.runtime.clone(),
        );
        Ok(ObjectSource {
            settings,
            fetching,
            next: None,
            current: None,
            reloads: 0,
            deleted: None,
            cursor: None,
            remarks: means.remarks.clone(),
            host: means.host.clone(),
        })
    }

    /// Opens an object. Nothing is current afterwards if it has gone away, and it says so.
    fn begin(&mut self, found: Found) -> Result<Proof> {
        if let Some(file) = found.candidate.name.strip_prefix("file://") {
            self.host.file(Path::new(file))?;
        }
        let candidate = found.candidate.clone();
        let is_handed_out = candidate.position.is_some();
        match ObjectReading::open(&self.settings, found) {
            Opened::Reading(object) => {
                self.current = Some(object);
                Ok(Proof::Complete)
            }
            Opened::Elsewhere(difference) => {
                self.begin_again(&candidate, &difference, is_handed_out)
            }
            Opened::Lost(Some(Trouble::Replaced), _) => {
                self.begin_again(&candidate, WHILE_READ, is_handed_out)
            }
            Opened::Lost(Some(Trouble::Gone), _) if !is_handed_out => {
                Ok(self.lose(&candidate.name))
            }
            Opened::Lost(Some(Trouble::Archived), error) => {
                let name = candidate.name.clone();
                let why = format!("{}: restore it, or `sluice skip` it", error.message());
                Ok(Proof::Partial(Reason::Waiting { name, why }))
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
    ) -> Result<Proof> {
        let is_allowed = !is_handed_out || self.settings.on_replace == OnReplace::Reload;
        if !is_allowed || self.reloads >= RELOADS {
            return Err(replaced(&candidate.name, difference));
        }
        self.reloads += 1;
        self.remarks.add(format!(
            "{} was replaced ({difference}): read again from the start",
            candidate.name
        ));
        match self.fetching.again(candidate)? {
            Some(found) => self.begin(found),
            None if is_handed_out => Err(replaced(&candidate.name, "it is gone")),
            None => Ok(self.lose(&candidate.name)),
        }
    }

    /// Reads on in an object.
    fn read_on(
        &mut self,
        mut object: Box<ObjectReading>,
        out: &mut BatchBuilder,
    ) -> Result<Progress> {
        out.set_origin(object.reading.name());
        let before = out.savepoint();
        let (_, handed_out) = object.reading.progress();
        match object.read_into(out) {
            Ok(is_over) => {
                self.note(&object, out)?;
                if !is_over {
                    object.is_handed_out = true;
                    self.current = Some(object);
                    return Ok(Progress::Full);
                }
                self.reloads = 0;
                for remark in object
                    .reading
                    .note()
                    .into_iter()
                    .chain(object.reading.remark())
                {
                    self.remarks.add(remark);
                }
                Ok(Progress::UnitEnded(Proof::Complete))
            }
            Err(error) => self
                .disturbed(
                    &object,
                    object.reading.regret(error, handed_out),
                    before,
                    out,
                )
                .map(Progress::UnitEnded),
        }
    }

    fn disturbed(
        &mut self,
        object: &ObjectReading,
        error: Error,
        before: Savepoint,
        out: &mut BatchBuilder,
    ) -> Result<Proof> {
        match object.trouble() {
            // What this batch holds of the old content is taken out of it.
            Some(Trouble::Replaced) => {
                out.roll_back(before);
                self.begin_again(&object.candidate, WHILE_READ, object.is_handed_out)
            }
            Some(Trouble::Gone) if !object.is_handed_out => {
                out.roll_back(before);
                Ok(self.lose(&object.candidate.name))
            }
            _ if object.reading.is_damaged() => {
                out.roll_back(before);
                Err(error)
            }
            // What was read up to the fault is sound and need not be read again.
            _ => {
                if out.rows() > before.rows() {
                    self.note(object, out)?;
                }
                Err(error)
            }
        }
    }

    /// An object is gone that was listed: perhaps the whole dump is being replaced.
    fn lose(&mut self, name: &str) -> Proof {
        self.deleted = Some(Deleted::with(self.deleted.take(), name));
        Proof::Partial(Reason::Inconclusive(format!(
            "{name} was deleted before it could be read"
        )))
    }

    /// Takes down how far `object` has been read.
    fn note(&mut self, object: &ObjectReading, out: &mut BatchBuilder) -> Result<()> {
        let (bytes, records) = object.reading.progress();
        let name = &object.candidate.name;
        self.cursor = Some(json!({"object": name, "bytes": bytes, "records": records}));
        out.note_object(object.state()?);
        Ok(())
    }
}

const WHILE_READ: &str = "while it was read";

impl ObjectSource {
    fn read_next(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        loop {
            if let Some(object) = self.current.take() {
                return self.read_on(object, out);
            }
            let event = match self.next.take() {
                Some(found) => Event::Object(found),
                None => self.fetching.next()?,
            };
            match event {
                Event::Object(found) if out.is_full() => {
                    self.next = Some(found);
                    return Ok(Progress::Full);
                }
                Event::Object(found) => match self.begin(found)? {
                    Proof::Complete => {}
                    partial => return Ok(Progress::UnitEnded(partial)),
                },
                Event::Skipped(state) => {
                    self.remarks
                        .add(format!("{} is passed over, as told", state.object));
                    self.cursor = Some(json!({"object": state.object, "skipped": true}));
                    out.note_object(*state);
                    return Ok(Progress::UnitEnded(Proof::Complete));
                }
                Event::Remark(remark) => self.remarks.add(remark),
                Event::Waiting(name, why) => {
                    let reason = Reason::Waiting { name, why };
                    return Ok(Progress::UnitEnded(Proof::Partial(reason)));
                }
                Event::Failed(error) => return Err(error),
                // A prefix that is empty today is no proof that the rows are gone.
                Event::End { is_empty: true } => {
                    let why = "there was no object".to_owned();
                    return Ok(Progress::End(Proof::Partial(Reason::Inconclusive(why))));
                }
                Event::End { is_empty: false } => return Ok(Progress::End(Proof::Complete)),
            }
        }
    }
}

impl Source for ObjectSource {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        let progress = self.read_next(out);
        if matches!(progress, Ok(Progress::End(_)) | Err(_)) {
            let deleted = self.deleted.take();
            deleted
                .into_iter()
                .for_each(|deleted| self.remarks.add(deleted.to_string()));
        }
        progress
    }

    fn cursor(&self) -> Option<Value> {
        self.cursor.clone()
    }
}
