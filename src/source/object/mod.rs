//! Records from object stores: S3 and compatible ones, Google Cloud Storage, Azure Blob Storage, and a local
//! folder by a `file:///` URL. Formats and resuming are those of files.
//!
//! Each run lists the whole prefix and compares ETags and sizes with what is known. Objects to be read are
//! fetched ahead, several at once and large ones in parts, each part on condition that the ETag is the
//! same (If-Match). An object is done when as many bytes were read as it has.

mod body;
mod error_response;
mod explain;
mod fetch;
mod fetch_handle;
mod identity;
mod key_filter;
mod key_walk;
mod keys;
mod listing;
mod part;
mod reading;
mod service;
mod settings;
mod store;
mod url;

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use crate::error::Result;
use crate::host::HostRules;
use crate::source::units::{self, KnownObjects, Tally, UnitRead, Units};
use crate::source::{BatchBuilder, Progress, Proof, Reason, Source, SourceContext};

use self::body::ObjectChange;
use self::fetch::{FetchEvent, IncomingObject, ObjectFetcher};
use self::fetch_handle::FetchHandle;
use self::identity::ObjectIdentity;
use self::listing::{ObjectCandidate, ObjectListing};
use self::reading::{ObjectReading, OpenedObject, WHILE_READ};
use self::settings::ObjectSettings;

/// The source that reads objects.
pub struct ObjectSource {
    settings: ObjectSettings,
    fetching: FetchHandle,
    /// Received, but not begun.
    next: Option<IncomingObject>,
    current: Option<ObjectReading>,
    deleted: Tally,
    units: Units,
    host: HostRules,
}

/// Checks that the host allows the bucket or folder, and its endpoint.
pub(super) fn preflight(settings: &Value, host: &HostRules) -> Result<String> {
    let settings = ObjectSettings::parse(settings)?;
    settings.ask(host)?;
    Ok(format!(
        "may read {} as far as this host is concerned; the store was not asked",
        settings.address.url()
    ))
}

impl ObjectSource {
    /// A source for the pipeline's `settings`, resumed from what is `known` of each object. The store is not
    /// contacted before the first batch.
    pub fn open(
        settings: &Value,
        known: Arc<dyn KnownObjects>,
        context: &SourceContext,
    ) -> Result<Self> {
        let settings = ObjectSettings::parse(settings)?;
        settings.ask(&context.host)?;
        let store = store::open(&settings.address, &settings.access, &context.budget)?;
        let fetching = FetchHandle::new(
            ObjectFetcher::new(store, settings.address.clone(), Arc::clone(&context.budget)),
            ObjectListing::new(&settings, known),
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

    /// Opens an object. If it cannot be read, the proof is partial and no object is current.
    fn begin(&mut self, found: IncomingObject) -> Result<Proof> {
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
            OpenedObject::Reading(object) => {
                self.current = Some(*object);
                Ok(Proof::Complete)
            }
            OpenedObject::Changed(difference) => {
                self.begin_again(&candidate, &difference, is_handed_out)
            }
            OpenedObject::PartError(Some(ObjectChange::Replaced), _) => {
                self.begin_again(&candidate, WHILE_READ, is_handed_out)
            }
            OpenedObject::PartError(Some(ObjectChange::Gone), _) if !is_handed_out => {
                Ok(self.lose(&candidate.name))
            }
            OpenedObject::PartError(Some(ObjectChange::Archived), error) => {
                Ok(units::archived(&candidate.name, &error))
            }
            OpenedObject::PartError(_, error) => Err(error),
        }
    }

    /// Restarts an object that has changed.
    fn begin_again(
        &mut self,
        candidate: &ObjectCandidate,
        difference: &str,
        is_handed_out: bool,
    ) -> Result<Proof> {
        let name = &candidate.name;
        self.units.begin_again::<ObjectIdentity>(name, difference, is_handed_out)?;
        match self.fetching.again(candidate, None)? {
            Some(found) => self.begin(found),
            None if is_handed_out => Err(units::replaced::<ObjectIdentity>(name, "it is gone")),
            None => Ok(self.lose(name)),
        }
    }

    /// Opens an object again where its records end of which more was read.
    fn reopen(&mut self, object: &ObjectReading) -> Result<Proof> {
        let candidate = &object.candidate;
        let Some(found) = (self.fetching).again(candidate, Some(object.position()))? else {
            return Err(units::replaced::<ObjectIdentity>(&candidate.name, "it is gone"));
        };
        match candidate.identity.difference(&found.candidate.identity) {
            Some(difference) => self.begin_again(candidate, &difference, true),
            None => self.begin(found),
        }
    }

    /// Reads more of an object.
    fn read_on(&mut self, object: ObjectReading, out: &mut BatchBuilder) -> Result<Progress> {
        Ok(Progress::UnitEnded(match self.units.read_on(object, out)? {
            UnitRead::BatchFull(object) => {
                self.current = Some(object);
                return Ok(Progress::Full);
            }
            UnitRead::Ended(proof) => proof,
            UnitRead::Overread(object) => self.reopen(&object)?,
            UnitRead::Changed(object, units::UnitChange::Replaced(difference)) => {
                let is_handed_out = object.is_handed_out();
                self.begin_again(&object.candidate, &difference, is_handed_out)?
            }
            UnitRead::Changed(object, units::UnitChange::Gone) => self.lose(&object.candidate.name),
        }))
    }

    /// A listed object is gone; perhaps all are being replaced.
    fn lose(&mut self, name: &str) -> Proof {
        self.deleted.add(name);
        Proof::Partial(Reason::Inconclusive(format!("{name} was deleted before it could be read")))
    }

    fn read_next(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        loop {
            if let Some(object) = self.current.take() {
                return self.read_on(object, out);
            }
            let event = match self.next.take() {
                Some(found) => FetchEvent::Object(found),
                None => self.fetching.next()?,
            };
            match event {
                FetchEvent::Object(found) if out.is_full() => {
                    self.next = Some(found);
                    return Ok(Progress::Full);
                }
                FetchEvent::Object(found) => match self.begin(found)? {
                    Proof::Complete => {}
                    partial => return Ok(Progress::UnitEnded(partial)),
                },
                FetchEvent::Skip(state, identity) => {
                    self.units.pass_over(*state, &identity, out)?;
                    return Ok(Progress::UnitEnded(Proof::Complete));
                }
                FetchEvent::Remark(remark) => self.units.remark(remark),
                FetchEvent::Waiting(reason) => {
                    return Ok(Progress::UnitEnded(Proof::Partial(reason)));
                }
                FetchEvent::Failed(error) => return Err(error),
                // An empty prefix is no proof that the rows are gone.
                FetchEvent::End { is_empty: true } => {
                    let why = "there was no object".to_owned();
                    return Ok(Progress::End(Proof::Partial(Reason::Inconclusive(why))));
                }
                FetchEvent::End { is_empty: false } => return Ok(Progress::End(Proof::Complete)),
            }
        }
    }
}

impl Source for ObjectSource {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        let progress = self.read_next(out);
        if matches!(progress, Ok(Progress::End(_)) | Err(_)) {
            let deleted = std::mem::take(&mut self.deleted).deleted();
            deleted.into_iter().for_each(|deleted| self.units.remark(deleted));
        }
        progress
    }

    fn cursor(&self) -> Option<Value> {
        self.units.cursor()
    }
}
