//! From the prefix to the objects that are to be read, in the order of their keys.
//!
//! Every run lists the whole prefix and compares it with what is known, some keys at a time: a
//! key that sorts before ones already read is found like any other, and however many there are,
//! few are held.

use std::collections::{BTreeMap, HashMap, VecDeque, btree_map};
use std::sync::Arc;

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::identity::{Identity, Known, State};
use super::keys::{key_at, unaskable};
use super::place::{Place, Store};
use super::refusal::{explain, is_gone};
use super::settings::Settings;
use super::wanted::Wanted;
use crate::error::{Error, Result};
use crate::source::parquet;
use crate::source::records::{FormatChoice, OnReplace, Position};
use crate::source::units::{
    ASKED_AT_ONCE, KnownObjects, PassedOver, by_name, lost, read_after_all, read_again, replaced,
};
use crate::source::{ObjectState, Reason};

/// So many keys may come again, with none that is new between them, besides all of them once.
const LISTED_AGAIN: usize = 100;

/// An object that is to be read.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) path: Path,
    pub(super) identity: Identity,
    /// From where, if an earlier run began it.
    pub(super) position: Option<Position>,
    /// It is not read from its beginning to its end.
    pub(super) is_parquet: bool,
}

/// What is to be done about a listed object.
#[derive(Debug)]
pub(super) enum Verdict {
    Read(Candidate),
    /// To be read from the start, for it is not what it was: what to say of it.
    Reload(Candidate, String),
    /// It was read to its end before.
    Done,
    /// To be passed over from now on: its state, and by what it is known again.
    Skip(Box<ObjectState>, Identity),
    /// It cannot be read.
    Wait(Reason),
    /// It is none of ours.
    Ignore,
}

pub(super) struct Listing {
    pub(super) place: Place,
    wanted: Wanted,
    on_replace: OnReplace,
    format: FormatChoice,
    known: Arc<dyn KnownObjects>,
    keys: Keys,
    /// Listed and looked up.
    ready: VecDeque<(String, ObjectMeta, Option<Known>)>,
    /// Begun by an earlier run, and not seen yet in this one.
    begun: HashMap<String, ObjectState>,
    passed_over: PassedOver,
    remarks: Vec<String>,
}

/// The keys of the store, as far as they were listed.
enum Keys {
    NotAsked,
    /// In order so far, the last one of which stands beside.
    InOrder(BoxStream<'static, object_store::Result<ObjectMeta>>, String),
    /// All that are left.
    Collected(btree_map::IntoIter<String, ObjectMeta>),
}

impl Listing {
    pub(super) fn new(settings: &Settings, known: Arc<dyn KnownObjects>) -> Self {
        Listing {
            wanted: Wanted::new(settings.pattern.clone()),
            place: settings.place.clone(),
            on_replace: settings.on_replace,
            format: settings.records.format,
            known,
            keys: Keys::NotAsked,
            ready: VecDeque::new(),
            begun: HashMap::new(),
            passed_over: PassedOver::default(),
            remarks: Vec::new(),
        }
    }

    /// What is to be done about the next object that the store has; none at the end.
    pub(super) async fn next(&mut self, store: &dyn ObjectStore) -> Result<Option<Verdict>> {
        loop {
            if let Some((key, meta, known)) = self.ready.pop_front() {
                return self.judge(&key, meta, known).map(Some);
            }
            let some = self.some_keys(store).await?;
            if some.is_empty() {
                return Ok(None);
            }
            self.look_up(some).await?;
        }
    }

    /// What has come up since it was asked for the last time, for the user.
    pub(super) fn remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }

    /// What is to be said when everything was listed: `is_empty` if there was nothing.
    pub(super) fn last_words(&mut self, is_empty: bool) -> (Vec<String>, Vec<Reason>) {
        let nothing = is_empty.then(|| self.wanted.nothing(&self.place.url()));
        let remarks = nothing.into_iter().chain(self.passed_over.remarks());
        let scope = self.place.name(&self.place.key);
        let mut gone: Vec<_> = self.begun.drain().map(|(_, state)| state).collect();
        gone.retain(|state| state.object.starts_with(&scope));
        gone.sort_unstable_by(|a, b| a.object.cmp(&b.object));
        (remarks.collect(), gone.into_iter().map(lost).collect())
    }

    /// The next keys, in order; none at the end.
    async fn some_keys(&mut self, store: &dyn ObjectStore) -> Result<Vec<(String, ObjectMeta)>> {
        if let Keys::NotAsked = self.keys {
            let begun = by_name(self.known.begun().await?);
            self.begun = begun;
            self.keys = self.ask(store).await?;
        }
        let (stream, last) = match &mut self.keys {
            Keys::Collected(keys) => return Ok(keys.take(ASKED_AT_ONCE).collect()),
            Keys::InOrder(stream, last) => (stream, last),
            Keys::NotAsked => return Ok(Vec::new()),
        };
        let mut some: Vec<(String, ObjectMeta)> = Vec::new();
        let mut again = 0;
        while some.len() < ASKED_AT_ONCE {
            let next = stream.try_next().await;
            let Some(meta) = next.map_err(|error| explain(&self.place, None, &error))? else {
                break;
            };
            let key = key_at(&meta.location).0.into_owned();
            if key > *last {
                last.clone_from(&key);
                some.push((key, meta));
                again = 0;
            } else if key != *last {
                let behind = last.clone();
                return self.collect(some, (key, meta), &behind).await;
            } else if let Some(listed) = some.last_mut() {
                // A key that changes meanwhile may be listed again: the last word counts.
                *listed = (key, meta);
                again += 1;
            }
            if again > LISTED_AGAIN {
                return self.refuse_circle(again, 0).map(|()| some);
            }
        }
        if some.is_empty() && last.is_empty() && !self.place.is_prefix {
            self.keys = Keys::Collected(BTreeMap::new().into_iter());
            return Ok(self.single(store).await?.into_iter().collect());
        }
        Ok(some)
    }

    /// Begins to list.
    async fn ask(&mut self, store: &dyn ObjectStore) -> Result<Keys> {
        let path = self.path()?;
        let is_local = self.place.store == Store::Local;
        if is_local && !self.place.is_prefix {
            return Ok(Keys::Collected(self.single(store).await?.into_iter()));
        }
        let prefix = (!is_local && !self.place.key.is_empty()).then_some(&path);
        // It is asked once more at its end.
        let stream = store.list(prefix).fuse().boxed();
        if !is_local {
            return Ok(Keys::InOrder(stream, String::new()));
        }
        // A folder has no order.
        let all = self.rest(stream, BTreeMap::new()).await?;
        Ok(Keys::Collected(all.into_iter()))
    }

    /// The store lists out of order: all keys that are left are held, to be read in order.
    async fn collect(
        &mut self,
        some: Vec<(String, ObjectMeta)>,
        next: (String, ObjectMeta),
        behind: &str,
    ) -> Result<Vec<(String, ObjectMeta)>> {
        self.remarks.push(format!(
            "{} lists its keys out of order (`{}` behind `{behind}`): all are listed before they are read",
            self.place.url(),
            next.0
        ));
        let mut held: BTreeMap<_, _> = some.into_iter().collect();
        held.insert(next.0, next.1);
        let Keys::InOrder(stream, _) = std::mem::replace(&mut self.keys, Keys::NotAsked) else {
            return Ok(held.into_iter().collect());
        };
        let mut keys = self.rest(stream, held).await?.into_iter();
        let some = keys.by_ref().take(ASKED_AT_ONCE).collect();
        self.keys = Keys::Collected(keys);
        Ok(some)
    }

    async fn rest(
        &mut self,
        stream: BoxStream<'static, object_store::Result<ObjectMeta>>,
        mut held: BTreeMap<String, ObjectMeta>,
    ) -> Result<BTreeMap<String, ObjectMeta>> {
        let mut stream = stream;
        let mut again = 0;
        loop {
            let next = stream.try_next().await;
            let Some(meta) = next.map_err(|error| explain(&self.place, None, &error))? else {
                return Ok(held);
            };
            let key = key_at(&meta.location).0.into_owned();
            let is_new = held.insert(key, meta).is_none();
            again = if is_new { 0 } else { again + 1 };
            self.refuse_circle(again, held.len())?;
        }
    }

    /// That no new key comes may be an accident, but not when all of them came once more.
    fn refuse_circle(&self, again: usize, keys: usize) -> Result<()> {
        match again > keys + LISTED_AGAIN {
            false => Ok(()),
            true => Err(Error::failed(format!(
                "the listing of `{}` goes round in a circle: its keys come again and again",
                self.place.url()
            ))
            .next("the store gives the same continuation token again: ask whoever runs it")),
        }
    }

    fn path(&self) -> Result<Path> {
        Path::parse(&self.place.key).map_err(|cause| {
            Error::usage(format!("`{}` holds no valid key", self.place.url()))
                .caused_by(cause)
                .next("a key has no empty parts (`a//b`), no `.` and no `..`")
        })
    }

    /// The one object the URL names.
    async fn single(&mut self, store: &dyn ObjectStore) -> Result<BTreeMap<String, ObjectMeta>> {
        let path = self.path()?;
        match store.head(&path).await {
            Ok(meta) => Ok([(path.to_string(), meta)].into()),
            Err(error) if is_gone(&error) => Ok(BTreeMap::new()),
            Err(error) => Err(explain(&self.place, Some(&self.place.key), &error)),
        }
    }

    /// Asks what is known of the objects with these keys, if they are wanted.
    async fn look_up(&mut self, some: Vec<(String, ObjectMeta)>) -> Result<()> {
        let mut wanted = Vec::new();
        let mut names = Vec::new();
        for (key, meta) in some {
            let name = self.place.name(&key);
            let is_begun = self.begun.remove(&name).is_some();
            let below = self.place.below(&key);
            // What was begun is read to its end.
            if is_begun || self.wanted.wants(below, &name, &mut self.passed_over) {
                wanted.push((key, meta));
                names.push(name);
            }
        }
        if names.is_empty() {
            return Ok(());
        }
        let mut states = by_name(self.known.states(&names).await?);
        for ((key, meta), name) in wanted.into_iter().zip(names) {
            let known = states.remove(&name).map(Known::new).transpose()?;
            self.ready.push_back((key, meta, known));
        }
        Ok(())
    }

    /// Compares a listed object with what is known of it.
    fn judge(&self, key: &str, meta: ObjectMeta, known: Option<Known>) -> Result<Verdict> {
        let name = self.place.name(key);
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
