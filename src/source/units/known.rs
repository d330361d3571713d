//! What earlier runs recorded about files and objects.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::mpsc::{Receiver, channel};

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use tokio::runtime::Handle;

use super::super::records::Position;
use crate::error::{Error, Result};
use crate::source::ObjectState;

/// Units that are looked up at once. There may be very many, so they are never all in memory.
pub(crate) const ASKED_AT_ONCE: usize = 1000;

/// A file or object in a listing.
#[derive(Debug, Clone)]
pub struct ListedUnit {
    /// Its name: a path or a key.
    pub name: String,
    /// What of its identity shows from outside, as JSON; null if nothing does.
    pub facts: Box<RawValue>,
}

impl ListedUnit {
    pub(in crate::source) fn new<I: UnitIdentity>(
        name: String,
        facts: &impl Serialize,
    ) -> Result<Self> {
        match to_raw_value(facts) {
            Ok(facts) => Ok(ListedUnit { name, facts }),
            Err(cause) => Err(not_noted(I::NOUN, &name, cause)),
        }
    }
}

/// Places among those listed, in any order, and what is known of each.
pub type ChangedUnits = Vec<(usize, Option<ObjectState>)>;

/// What the database knows of a pipeline's files and objects.
#[async_trait]
pub trait KnownObjects: Debug + Send + Sync {
    /// Of `listed`, those that may have something new: they were not read to their end, or have changed.
    async fn news(&self, listed: &[ListedUnit]) -> Result<ChangedUnits>;

    /// All that were begun and not read to their end.
    async fn begun(&self) -> Result<Vec<ObjectState>>;
}

/// For a source whose state is not in a database: none, or that of a test.
#[async_trait]
impl KnownObjects for Vec<ObjectState> {
    async fn news(&self, listed: &[ListedUnit]) -> Result<ChangedUnits> {
        let known: HashMap<&str, &ObjectState> =
            self.iter().map(|state| (state.object.as_str(), state)).collect();
        let news = listed.iter().enumerate().filter_map(|(place, unit)| {
            match known.get(unit.name.as_str()) {
                Some(state) if state.is_done && state.has_facts(&unit.facts) => None,
                state => Some((place, state.map(|state| (*state).clone()))),
            }
        });
        Ok(news.collect())
    }

    async fn begun(&self) -> Result<Vec<ObjectState>> {
        let is_begun = |state: &&ObjectState| !state.is_done && !state.is_skipped();
        Ok(self.iter().filter(is_begun).cloned().collect())
    }
}

/// Runs `question` on `runtime`, and blocks until it is answered.
pub(crate) fn ask<T: Send + 'static>(
    runtime: &Handle,
    question: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    Answer::to(question, runtime).wait()
}

/// An answer that is being computed.
pub(crate) struct Answer<T>(Receiver<Result<T>>);

impl<T: Send + 'static> Answer<T> {
    pub(crate) fn to(
        question: impl Future<Output = Result<T>> + Send + 'static,
        runtime: &Handle,
    ) -> Self {
        let (sender, answer) = channel();
        runtime.spawn(async move {
            // The caller waits for it, or has failed meanwhile.
            let _ = sender.send(question.await);
        });
        Answer(answer)
    }

    pub(crate) fn wait(self) -> Result<T> {
        self.0.recv().map_err(|cause| {
            Error::failed("the run has ended")
                .caused_by(cause)
                .next("run again; what was committed stays")
        })?
    }
}

pub(crate) fn by_name(states: Vec<ObjectState>) -> HashMap<String, ObjectState> {
    let named = |state: ObjectState| (state.object.clone(), state);
    states.into_iter().map(named).collect()
}

/// What a unit is recognised by, and what that kind of unit is called.
pub(crate) trait UnitIdentity: Serialize + DeserializeOwned {
    const NOUN: &'static str;
    /// The participle for one that has changed.
    const REPLACED: &'static str;
    const ANOTHER_NAME: &'static str;
    /// Whether it may grow after it was read to its end.
    const MAY_GROW: bool;

    /// The stored form.
    fn to_json(&self, name: &str) -> Result<Value> {
        serde_json::to_value(self).map_err(|cause| not_noted(Self::NOUN, name, cause))
    }
}

/// What earlier runs, or a `skip`, recorded about a unit.
#[derive(Debug)]
pub(crate) enum KnownUnit<I> {
    /// Read up to its position.
    Read(Box<UnitProgress<I>>),
    /// Read to its end, and cannot grow.
    Done(I),
    /// To be skipped, whatever its content.
    ToSkip(Box<ObjectState>),
    /// Skipped, with this identity.
    Skipped(I),
}

/// A parsed [`ObjectState`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnitProgress<I> {
    pub(crate) identity: I,
    pub(crate) position: Position,
    pub(crate) is_done: bool,
}

impl<I: UnitIdentity> KnownUnit<I> {
    pub(crate) fn new(state: ObjectState) -> Result<Self> {
        let is_skipped = state.is_skipped();
        if is_skipped && !state.has_identity() {
            return Ok(KnownUnit::ToSkip(Box::new(state)));
        }
        let ObjectState { object: name, identity, position, is_done } = state;
        let parts = serde_json::from_value(identity).and_then(|identity| {
            Ok(match is_done && !I::MAY_GROW {
                _ if is_skipped => KnownUnit::Skipped(identity),
                true => KnownUnit::Done(identity),
                false => KnownUnit::Read(Box::new(UnitProgress {
                    identity,
                    position: serde_json::from_value(position)?,
                    is_done,
                })),
            })
        });
        parts.map_err(|cause| {
            Error::failed(format!("what is recorded about {} `{name}` cannot be read", I::NOUN))
                .caused_by(cause)
                .next(format!(
                    "run `sluice rewind PIPELINE --object {name}` to read it again from the start"
                ))
        })
    }
}

impl<I: UnitIdentity> UnitProgress<I> {
    /// The stored form; short for a unit that is done, since there are many of those.
    pub(crate) fn to_object(&self, name: &str) -> Result<ObjectState> {
        let place = &self.position.place;
        Ok(ObjectState {
            object: name.to_owned(),
            identity: self.identity.to_json(name)?,
            position: match self.is_done && !I::MAY_GROW {
                true => json!({"bytes": place.bytes, "records": place.records}),
                false => serde_json::to_value(&self.position)
                    .map_err(|cause| not_noted(I::NOUN, name, cause))?,
            },
            is_done: self.is_done,
        })
    }
}

fn not_noted(noun: &str, name: &str, cause: serde_json::Error) -> Error {
    Error::failed(format!("the state of {noun} `{name}` cannot be recorded")).caused_by(cause)
}
