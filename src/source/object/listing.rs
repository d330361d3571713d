//! From the prefix to the objects that are to be read, in the order of their keys.
//!
//! Every run lists the whole prefix and compares it with what is known: a key that sorts
//! before ones already read is found like any other.

use std::collections::{BTreeMap, HashMap};
use std::path::Path as FilePath;

use futures_util::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::identity::{Identity, Known, replaced};
use super::keys::key_at;
use super::place::{Place, Store};
use super::refusal::{explain, is_gone};
use crate::error::{Error, Result};
use crate::source::ObjectState;
use crate::source::names::{is_hidden, is_unfinished};
use crate::source::records::{OnReplace, Position};

/// An object that is to be read.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) path: Path,
    pub(super) identity: Identity,
    /// From where, if an earlier run began it.
    pub(super) position: Option<Position>,
}

/// What is to be done about a listed object.
#[derive(Debug)]
pub(super) enum Verdict {
    Read(Candidate),
    /// To be read from the start, for it is not what it was: in which respect.
    Reload(Candidate, String),
    /// It was read to its end before.
    Done,
    /// To be passed over from now on: its state.
    Skip(Box<ObjectState>),
    /// It cannot be read: its name, and why.
    Wait(String, String),
    /// It is none of ours.
    Ignore,
}

pub(super) struct Listing {
    pub(super) place: Place,
    pub(super) pattern: Option<glob::Pattern>,
    pub(super) on_replace: OnReplace,
    pub(super) known: HashMap<String, Known>,
}

impl Listing {
    /// What the store has under the prefix, or the one object the URL names, by key. Not every
    /// store lists in order, and a key that changes meanwhile may be listed again: the last word
    /// counts.
    pub(super) async fn objects(
        &self,
        store: &dyn ObjectStore,
    ) -> Result<BTreeMap<String, ObjectMeta>> {
        let path = Path::parse(&self.place.key).map_err(|cause| {
            Error::usage(format!("`{}` holds no valid key", self.place.url()))
                .caused_by(cause)
                .next("a key has no empty parts (`a//b`), no `.` and no `..`")
        })?;
        let is_local = self.place.store == Store::Local;
        if is_local && !self.place.is_prefix {
            return self.single(store, &path).await;
        }
        let prefix = (!is_local && !self.place.key.is_empty()).then_some(&path);
        let found: BTreeMap<_, _> = store
            .list(prefix)
            .map_ok(|meta| (key_at(&meta.location).0.into_owned(), meta))
            .try_collect()
            .await
            .map_err(|error| explain(&self.place, None, &error))?;
        match found.is_empty() && !self.place.is_prefix {
            true => self.single(store, &path).await,
            false => Ok(found),
        }
    }

    async fn single(
        &self,
        store: &dyn ObjectStore,
        path: &Path,
    ) -> Result<BTreeMap<String, ObjectMeta>> {
        match store.head(path).await {
            Ok(meta) => Ok([(path.to_string(), meta)].into()),
            Err(error) if is_gone(&error) => Ok(BTreeMap::new()),
            Err(error) => Err(explain(&self.place, Some(&self.place.key), &error)),
        }
    }

    /// Compares a listed object with what is known of it, which is forgotten then.
    pub(super) fn judge(&mut self, key: &str, meta: ObjectMeta) -> Result<Verdict> {
        if !self.is_wanted(key) {
            return Ok(Verdict::Ignore);
        }
        let name = self.place.name(key);
        let identity = Identity::new(&meta);
        let known = self.known.remove(&name);
        // Without content there are no records; and stores show folders as such objects.
        if known.is_none() && identity.size == 0 {
            return Ok(Verdict::Ignore);
        }
        let difference = known
            .as_ref()
            .and_then(|known| known.identity()?.difference(&identity));
        let candidate = |position| Candidate {
            path: meta.location.clone(),
            name: name.clone(),
            identity: identity.clone(),
            position,
        };
        let is_settled = matches!(known, Some(Known::Done(_) | Known::Skipped(_)));
        let is_to_skip = matches!(known, Some(Known::ToSkip(_)));
        let can_be_read = key_at(&meta.location).1 || is_to_skip;
        if !can_be_read && (difference.is_some() || !is_settled) {
            let why = unaskable(&name);
            return Ok(Verdict::Wait(name, why));
        }
        match (difference, known) {
            (Some(difference), Some(Known::Skipped(_))) => {
                Ok(Verdict::Reload(candidate(None), difference))
            }
            (Some(difference), _) => match self.on_replace {
                OnReplace::Error => Err(replaced(&name, &difference)),
                OnReplace::Reload => Ok(Verdict::Reload(candidate(None), difference)),
            },
            (None, None) => Ok(Verdict::Read(candidate(None))),
            (None, Some(Known::Done(_) | Known::Skipped(_))) => Ok(Verdict::Done),
            (None, Some(Known::ToSkip(mut state))) => {
                // The content that was meant: what replaces it is told by this.
                state.identity = identity.to_json(&name)?;
                Ok(Verdict::Skip(state))
            }
            (None, Some(Known::Begun(begun))) => Ok(Verdict::Read(candidate(Some(begun.1)))),
        }
    }

    /// Said when there was nothing to read, and never had been.
    pub(super) fn nothing(&self) -> String {
        let url = self.place.url();
        match &self.pattern {
            None => format!("there is no object with content under `{url}`"),
            Some(pattern) => format!("no object under `{url}` matches `{pattern}`"),
        }
    }

    /// Objects that an earlier run began and that are not there any more, and what is to be said
    /// of each. To be asked for when everything was judged.
    pub(super) fn vanished(&self) -> Vec<(String, String)> {
        let scope = self.place.name(&self.place.key);
        let mut gone: Vec<_> = self
            .known
            .iter()
            .filter(|(name, _)| name.starts_with(&scope))
            .filter_map(|(name, known)| match known {
                Known::Begun(begun) => Some((
                    name.clone(),
                    format!(
                        "{name} is gone; {} records of it were read",
                        begun.1.place.records
                    ),
                )),
                Known::Done(_) | Known::ToSkip(_) | Known::Skipped(_) => None,
            })
            .collect();
        gone.sort_unstable();
        gone
    }

    fn is_wanted(&self, key: &str) -> bool {
        let Some(pattern) = &self.pattern else {
            return !is_hidden(FilePath::new(key)) && !is_unfinished(FilePath::new(key));
        };
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        // Who asks for `*.part` by name gets it.
        let wants_unfinished = is_unfinished(FilePath::new(pattern.as_str()));
        pattern.matches_with(self.place.below(key), options)
            && (wants_unfinished || !is_unfinished(FilePath::new(key)))
    }
}

fn unaskable(name: &str) -> String {
    let shown: String = name
        .chars()
        .map(|c| match c.is_control() {
            true => c.escape_default().to_string(),
            false => c.to_string(),
        })
        .collect();
    format!(
        "{shown} cannot be asked for by this key (empty parts, `.`, `..`, control characters, and \
         slashes or spaces at an end stand in the way): copy it to another key, or `sluice skip` it"
    )
}
