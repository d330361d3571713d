//! Lists the objects below the prefix and decides which to read, in the order of their keys.
//!
//! Every run lists the whole prefix and compares it, in chunks, with what is known: so a late key that sorts
//! before those already read is found, and few keys are in memory.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::identity::{KnownObject, ObjectIdentity, ObjectProgress};
use super::key_filter::KeyFilter;
use super::key_walk::KeyWalk;
use super::keys::{key_at, unrequestable};
use super::settings::ObjectSettings;
use super::url::ObjectUrl;
use crate::error::Result;
use crate::source::parquet;
use crate::source::records::{Format, OnReplace, Position};
use crate::source::units::{
    KnownObjects, ListedUnit, PassedOver, by_name, lost, read_after_all, read_again, replaced,
};
use crate::source::{ObjectState, Reason};

/// An object that is to be read.
#[derive(Debug)]
pub(super) struct ObjectCandidate {
    pub(super) name: String,
    pub(super) path: Path,
    pub(super) identity: ObjectIdentity,
    /// Where to begin, if an earlier run has begun it.
    pub(super) position: Option<Position>,
    /// It is read by ranges, not from start to end.
    pub(super) is_parquet: bool,
}

/// What is to be done about a listed object.
#[derive(Debug)]
pub(super) enum ObjectAction {
    Read(ObjectCandidate),
    /// To be read from the start, as it has changed; with a remark.
    Reload(ObjectCandidate, String),
    /// It was read to its end before.
    Done,
    /// To be skipped from now on: its state and identity.
    Skip(Box<ObjectState>, ObjectIdentity),
    /// It cannot be read.
    Wait(Reason),
    /// It has no records.
    Ignore,
}

pub(super) struct ObjectListing {
    pub(super) address: ObjectUrl,
    wanted: KeyFilter,
    on_replace: OnReplace,
    format: Option<Format>,
    known: Arc<dyn KnownObjects>,
    walk: KeyWalk,
    /// Listed and looked up.
    ready: VecDeque<(String, ObjectMeta, Option<KnownObject>)>,
    /// Begun by an earlier run, and not listed yet in this one.
    begun: Option<HashMap<String, ObjectState>>,
    passed_over: PassedOver,
}

impl ObjectListing {
    pub(super) fn new(settings: &ObjectSettings, known: Arc<dyn KnownObjects>) -> Self {
        ObjectListing {
            wanted: KeyFilter::new(settings.pattern.clone(), settings.after.clone()),
            walk: KeyWalk::new(settings.address.clone()),
            address: settings.address.clone(),
            on_replace: settings.on_replace,
            format: settings.records.format,
            known,
            ready: VecDeque::new(),
            begun: None,
            passed_over: PassedOver::default(),
        }
    }

    /// What to do about the next object; none at the end.
    pub(super) async fn next(&mut self, store: &dyn ObjectStore) -> Result<Option<ObjectAction>> {
        if self.begun.is_none() {
            self.begun = Some(by_name(self.known.begun().await?));
        }
        loop {
            if let Some((key, meta, known)) = self.ready.pop_front() {
                return self.judge(&key, meta, known).map(Some);
            }
            let some = self.walk.next(store).await?;
            if some.is_empty() {
                return Ok(None);
            }
            self.look_up(some).await?;
        }
    }

    /// A remark for the user since the last call.
    pub(super) fn remark(&mut self) -> Option<String> {
        self.walk.remark()
    }

    /// Remarks after everything was listed (`is_empty`: there was nothing), and begun objects that are gone.
    pub(super) fn finish(&mut self, is_empty: bool) -> (Vec<String>, Vec<Reason>) {
        let nothing = is_empty.then(|| self.wanted.nothing(&self.address.url()));
        let remarks = nothing.into_iter().chain(self.passed_over.remarks());
        let scope = self.address.name(&self.address.key);
        let begun = self.begun.take().unwrap_or_default();
        let mut gone: Vec<_> = begun.into_values().collect();
        gone.retain(|state| state.object.starts_with(&scope));
        gone.sort_unstable_by(|a, b| a.object.cmp(&b.object));
        (remarks.collect(), gone.into_iter().map(lost).collect())
    }

    /// Looks up what is known about those of these objects that are wanted.
    async fn look_up(&mut self, some: Vec<(String, ObjectMeta)>) -> Result<()> {
        let mut wanted = Vec::new();
        let mut listed = Vec::new();
        for (key, meta) in some {
            let name = self.address.name(&key);
            let is_begun = self.begun.as_mut().is_some_and(|begun| begun.remove(&name).is_some());
            let below = self.address.below(&key);
            // An object that was begun is read to its end.
            if is_begun || self.wanted.wants(below, &name, &mut self.passed_over) {
                let identity = ObjectIdentity::new(&meta);
                listed.push(ListedUnit::new::<ObjectIdentity>(name, &identity)?);
                // Unless the lookup says otherwise.
                wanted.push((key, meta, Some(KnownObject::Done(identity))));
            }
        }
        if listed.is_empty() {
            return Ok(());
        }
        for (place, state) in self.known.news(&listed).await? {
            wanted[place].2 = state.map(KnownObject::new).transpose()?;
        }
        self.ready.extend(wanted);
        Ok(())
    }

    /// Compares an object with what is known about it.
    fn judge(
        &self,
        key: &str,
        meta: ObjectMeta,
        known: Option<KnownObject>,
    ) -> Result<ObjectAction> {
        let name = self.address.name(key);
        let identity = ObjectIdentity::new(&meta);
        // Empty objects have no records; stores represent folders by them.
        if known.is_none() && identity.size == 0 {
            return Ok(ObjectAction::Ignore);
        }
        let difference = known.as_ref().and_then(|known| known.identity()?.difference(&identity));
        let is_settled = matches!(known, Some(KnownObject::Done(_) | KnownObject::Skipped(_)));
        let is_to_skip = matches!(known, Some(KnownObject::ToSkip(_)));
        let can_be_read = key_at(&meta.location).1 || is_to_skip;
        if !can_be_read && (difference.is_some() || !is_settled) {
            let why = unrequestable(&name);
            return Ok(ObjectAction::Wait(Reason::Waiting { name, why }));
        }
        let candidate = |position: Option<Position>| ObjectCandidate {
            is_parquet: parquet::is_expected(self.format, position.as_ref(), &name),
            path: meta.location.clone(),
            name: name.clone(),
            identity: identity.clone(),
            position,
        };
        Ok(match (difference, known) {
            (Some(_), Some(KnownObject::Skipped(_))) => {
                ObjectAction::Reload(candidate(None), read_after_all(&name))
            }
            (Some(difference), _) if self.on_replace == OnReplace::Error => {
                return Err(replaced::<ObjectIdentity>(&name, &difference));
            }
            (Some(difference), _) => {
                ObjectAction::Reload(candidate(None), read_again(&name, &difference))
            }
            (None, None) => ObjectAction::Read(candidate(None)),
            (None, Some(KnownObject::Done(_) | KnownObject::Skipped(_))) => ObjectAction::Done,
            (None, Some(KnownObject::ToSkip(state))) => ObjectAction::Skip(state, identity),
            (None, Some(KnownObject::Read(state))) => {
                let ObjectProgress { position, .. } = *state;
                ObjectAction::Read(candidate(Some(position)))
            }
        })
    }
}
