//! From the prefix to the objects that are to be read, in the order of their keys.
//!
//! Every run lists the whole prefix and compares it with what is known, some keys at a time: a
//! key that sorts before ones already read is found like any other, and however many there are,
//! few are held.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::address::Address;
use super::identity::{Identity, Known, State};
use super::keys::{key_at, unaskable};
use super::settings::Settings;
use super::walk::Walk;
use super::wanted::Wanted;
use crate::error::Result;
use crate::source::parquet;
use crate::source::records::{FormatChoice, OnReplace, Position};
use crate::source::units::{
    KnownObjects, Listed, PassedOver, by_name, lost, read_after_all, read_again, replaced,
};
use crate::source::{ObjectState, Reason};

/// An object that is to be read.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) path: Path,
    pub(super) identity: Identity,
    /// Where to begin, if an earlier run has begun it.
    pub(super) position: Option<Position>,
    /// It is not read from its beginning to its end.
    pub(super) is_parquet: bool,
}

/// What is to be done about a listed object.
#[derive(Debug)]
pub(super) enum Verdict {
    Read(Candidate),
    /// To be read from the start, as it is not what it was; says what to tell about it.
    Reload(Candidate, String),
    /// It was read to its end before.
    Done,
    /// To be passed over from now on: its state, and what it is recognised by.
    Skip(Box<ObjectState>, Identity),
    /// It cannot be read.
    Wait(Reason),
    /// It is none of ours.
    Ignore,
}

pub(super) struct Listing {
    pub(super) address: Address,
    wanted: Wanted,
    on_replace: OnReplace,
    format: FormatChoice,
    known: Arc<dyn KnownObjects>,
    walk: Walk,
    /// Listed and looked up.
    ready: VecDeque<(String, ObjectMeta, Option<Known>)>,
    /// Begun by an earlier run, and not seen yet in this one.
    begun: Option<HashMap<String, ObjectState>>,
    passed_over: PassedOver,
}

impl Listing {
    pub(super) fn new(settings: &Settings, known: Arc<dyn KnownObjects>) -> Self {
        Listing {
            wanted: Wanted::new(settings.pattern.clone(), settings.after.clone()),
            walk: Walk::new(settings.address.clone()),
            address: settings.address.clone(),
            on_replace: settings.on_replace,
            format: settings.records.format,
            known,
            ready: VecDeque::new(),
            begun: None,
            passed_over: PassedOver::default(),
        }
    }

    /// What is to be done about the next object that the store has; none at the end.
    pub(super) async fn next(&mut self, store: &dyn ObjectStore) -> Result<Option<Verdict>> {
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

    /// What has come up since the last call, for the user.
    pub(super) fn remark(&mut self) -> Option<String> {
        self.walk.remark()
    }

    /// What to say once everything was listed: `is_empty` if there was nothing.
    pub(super) fn last_words(&mut self, is_empty: bool) -> (Vec<String>, Vec<Reason>) {
        let nothing = is_empty.then(|| self.wanted.nothing(&self.address.url()));
        let remarks = nothing.into_iter().chain(self.passed_over.remarks());
        let scope = self.address.name(&self.address.key);
        let begun = self.begun.take().unwrap_or_default();
        let mut gone: Vec<_> = begun.into_values().collect();
        gone.retain(|state| state.object.starts_with(&scope));
        gone.sort_unstable_by(|a, b| a.object.cmp(&b.object));
        (remarks.collect(), gone.into_iter().map(lost).collect())
    }

    /// Asks what is known of the objects with these keys, if they are wanted.
    async fn look_up(&mut self, some: Vec<(String, ObjectMeta)>) -> Result<()> {
        let mut wanted = Vec::new();
        let mut listed = Vec::new();
        for (key, meta) in some {
            let name = self.address.name(&key);
            let is_begun = self
                .begun
                .as_mut()
                .is_some_and(|begun| begun.remove(&name).is_some());
            let below = self.address.below(&key);
            // What was begun is read to its end.
            if is_begun || self.wanted.wants(below, &name, &mut self.passed_over) {
                let identity = Identity::new(&meta);
                listed.push(Listed::new::<Identity>(name, &identity)?);
                // As long as nobody says otherwise.
                wanted.push((key, meta, Some(Known::Done(identity))));
            }
        }
        if listed.is_empty() {
            return Ok(());
        }
        for (place, state) in self.known.news(&listed).await? {
            wanted[place].2 = state.map(Known::new).transpose()?;
        }
        self.ready.extend(wanted);
        Ok(())
    }

    /// Compares a listed object with what is known of it.
    fn judge(&self, key: &str, meta: ObjectMeta, known: Option<Known>) -> Result<Verdict> {
        let name = self.address.name(key);
        let identity = Identity::new(&meta);
        // Without content there are no records; and stores show folders as such objects.
        if known.is_none() && identity.size == 0 {
            return Ok(Verdict::Ignore);
        }
        let difference = known
            .as_ref()
            .and_then(|known| known.identity()?.difference(&identity));
        let is_settled = matches!(known, Some(Known::Done(_) | Known::Skipped(_)));
        let is_to_skip = matches!(known, Some(Known::ToSkip(_)));
        let can_be_read = key_at(&meta.location).1 || is_to_skip;
        if !can_be_read && (difference.is_some() || !is_settled) {
            let why = unaskable(&name);
            return Ok(Verdict::Wait(Reason::Waiting { name, why }));
        }
        let candidate = |position: Option<Position>| Candidate {
            is_parquet: parquet::is_expected(self.format, position.as_ref(), &name),
            path: meta.location.clone(),
            name: name.clone(),
            identity: identity.clone(),
            position,
        };
        Ok(match (difference, known) {
            (Some(_), Some(Known::Skipped(_))) => {
                Verdict::Reload(candidate(None), read_after_all(&name))
            }
            (Some(difference), _) if self.on_replace == OnReplace::Error => {
                return Err(replaced::<Identity>(&name, &difference));
            }
            (Some(difference), _) => {
                Verdict::Reload(candidate(None), read_again(&name, &difference))
            }
            (None, None) => Verdict::Read(candidate(None)),
            (None, Some(Known::Done(_) | Known::Skipped(_))) => Verdict::Done,
            (None, Some(Known::ToSkip(state))) => Verdict::Skip(state, identity),
            (None, Some(Known::Read(state))) => {
                let State { position, .. } = *state;
                Verdict::Read(candidate(Some(position)))
            }
        })
    }
}
