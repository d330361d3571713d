//! Records from object stores: S3 and what speaks its language, Google Cloud Storage, Azure
//! Blob Storage, and a local folder under a `file:///` URL. Formats and resuming are those of
//! files; how the bytes come is not.
//!
//! Each run lists the whole prefix and compares it with what is known: an object is known by
//! its ETag and size. What is to be read is fetched ahead, several objects at once and large
//! ones in parts, each part under the condition that the ETag is still the same. An object
//! counts as done when as many bytes were read as it has.

mod address;
mod body;
mod explain;
mod fetch;
mod fetching;
mod identity;
mod keys;
mod listing;
mod part;
mod reading;
mod refusal;
mod service;
mod settings;
mod store;
mod walk;
mod wanted;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::error::Result;
use crate::host::HostRules;
use crate::source::units::{self, KnownObjects, ReadOn, Tally, Units};
use crate::source::{BatchBuilder, Progress, Proof, Reason, Source, SourceContext};

use self::body::Trouble;
use self::fetch::{Event, Fetcher, Found};
use self::fetching::Fetching;
use self::identity::Identity;
use self::listing::{Candidate, Listing};
use self::reading::{ObjectReading, Opened, WHILE_READ};
use self::settings::Settings;

/// The source that reads objects.
pub struct ObjectSource {
    settings: Settings,
    fetching: Fetching,
    /// Heard of, but not begun.
    next: Option<Found>,
    current: Option<ObjectReading>,
    deleted: Tally,
    units: Units,
    host: HostRules,
}

/// Whether the host gives the bucket or the folder, and where it is asked for.
pub(super) fn preflight(settings: &Value, host: &HostRules) -> Result<String> {
    let settings = Settings::parse(settings)?;
    settings.ask(host)?;
    Ok(format!(
        "may read {} as far as this host is concerned; the store was not asked",
        settings.address.url()
    ))
}

impl ObjectSource {
    /// A source for the pipeline's `settings`, which continues from what is `known` of each object. Nothing
    /// is asked of the store before the first batch is.
    pub fn open(
        settings: &Value,
        known: Arc<dyn KnownObjects>,
        context: &SourceContext,
    ) -> Result<Self> {
        let settings = Settings::parse(settings)?;
        settings.ask(&context.host)?;
        let store = store::open(&settings.address, &settings.access, &context.budget)?;
        let fetching = Fetching::new(
            Fetcher::new(store, settings.address.clone(), Arc::clone(&context.budget)),
            Listing::new(&settings, known),
            context.runtime.clone(),
        );
        Ok(ObjectSource {
            fetching,
            next: None,
            current: None,
            deleted: Tally::default(),
            units: Units::new(settings.on_replace, &context.remarks),
            host: context.host.clone(),
            settings,
        })
    }

    /// Opens an object. Nothing is current afterwards if it cannot be read, and the proof says so.
    fn begin(&mut self, found: Found) -> Result<Proof> {
        if let Some(file) = found.candidate.name.strip_prefix("file://") {
            let (folder, file) = (Path::new(&self.settings.address.bucket), Path::new(file));
            if self.host.leads_out(folder, file) {
                self.units.remark(format!(
                    "{}: passed over, a link that leads out of the folder, to where SLUICE_ALLOW_FILES does not name",
                    found.candidate.name
                ));
                return Ok(Proof::Complete);
            }
            self.host.file(file)?;
        }
        let candidate = found.candidate.clone();
        let is_handed_out = candidate.position.is_some();
        match ObjectReading::open(&self.settings, found, &self.fetching) {
            Opened::Reading(object) => {
                self.current = Some(*object);
                Ok(Proof::Complete)
            }
            Opened::Elsewhere(difference) => {
                self.begin_again(&candidate, &difference, is_handed_out)
            }
            Opened::LostPart(Some(Trouble::Replaced), _) => {
                self.begin_again(&candidate, WHILE_READ, is_handed_out)
            }
            Opened::LostPart(Some(Trouble::Gone), _) if !is_handed_out => {
                Ok(self.lose(&candidate.name))
            }
            Opened::LostPart(Some(Trouble::Archived), error) => {
                Ok(units::put_away(&candidate.name, &error))
            }
            Opened::LostPart(_, error) => Err(error),
        }
    }

    /// Begins again with an object that is not what it was.
    fn begin_again(
        &mut self,
        candidate: &Candidate,
        difference: &str,
        is_handed_out: bool,
    ) -> Result<Proof> {
        let name = &candidate.name;
        self.units
            .begin_again::<Identity>(name, difference, is_handed_out)?;
        match self.fetching.again(candidate, None)? {
            Some(found) => self.begin(found),
            None if is_handed_out => Err(units::replaced::<Identity>(name, "it is gone")),
            None => Ok(self.lose(name)),
        }
    }

    /// Opens an object again where its records end of which more was read.
    fn reopen(&mut self, object: &ObjectReading) -> Result<Proof> {
        let candidate = &object.candidate;
        let Some(found) = (self.fetching).again(candidate, Some(object.position()))? else {
            return Err(units::replaced::<Identity>(&candidate.name, "it is gone"));
        };
        match candidate.identity.difference(&found.candidate.identity) {
            Some(difference) => self.begin_again(candidate, &difference, true),
            None => self.begin(found),
        }
    }

    /// Reads on in an object.
    fn read_on(&mut self, object: ObjectReading, out: &mut BatchBuilder) -> Result<Progress> {
        Ok(Progress::UnitEnded(
            match self.units.read_on(object, out)? {
                ReadOn::BatchFull(object) => {
                    self.current = Some(object);
                    return Ok(Progress::Full);
                }
                ReadOn::Ended(proof) => proof,
                ReadOn::Overread(object) => self.reopen(&object)?,
                ReadOn::Disturbed(object, units::Trouble::Replaced(difference)) => {
                    let is_handed_out = object.is_handed_out();
                    self.begin_again(&object.candidate, &difference, is_handed_out)?
                }
                ReadOn::Disturbed(object, units::Trouble::Gone) => {
                    self.lose(&object.candidate.name)
                }
            },
        ))
    }

    /// An object that was listed is gone: perhaps the whole dump is being replaced.
    fn lose(&mut self, name: &str) -> Proof {
        self.deleted.add(name);
        Proof::Partial(Reason::Inconclusive(format!(
            "{name} was deleted before it could be read"
        )))
    }

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
                Event::Skip(state, identity) => {
                    self.units.pass_over(*state, &identity, out)?;
                    return Ok(Progress::UnitEnded(Proof::Complete));
                }
                Event::Remark(remark) => self.units.remark(remark),
                Event::Waiting(reason) => return Ok(Progress::UnitEnded(Proof::Partial(reason))),
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
            let deleted = std::mem::take(&mut self.deleted).deleted();
            deleted
                .into_iter()
                .for_each(|deleted| self.units.remark(deleted));
        }
        progress
    }

    fn cursor(&self) -> Option<Value> {
        self.units.cursor()
    }
}
