//! Lists the keys of a store in order.
//!
//! Most stores list in order, and few keys are in memory. One that does not is listed to its end first.

use std::collections::{BTreeMap, btree_map};

use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::explain::{explain, is_forbidden, is_gone};
use super::keys::key_at;
use super::url::{ObjectUrl, Store};
use crate::error::{Error, Result};
use crate::source::units::ASKED_AT_ONCE;

/// Keys that may be repeated in a row, besides all of them once.
const LISTED_AGAIN: usize = 100;

pub(super) struct KeyWalk {
    address: ObjectUrl,
    keys: Keys,
    /// The remark that the store lists out of order.
    remark: Option<String>,
    /// Why nobody knows whether there is an object whose name is the whole URL.
    refused: Option<Error>,
}

/// The keys of the store, as far as they were listed.
enum Keys {
    NotAsked,
    /// In order so far; with the last key.
    InOrder(BoxStream<'static, object_store::Result<ObjectMeta>>, String),
    /// All that are left.
    Collected(btree_map::IntoIter<String, ObjectMeta>),
}

impl KeyWalk {
    pub(super) fn new(address: ObjectUrl) -> Self {
        KeyWalk { address, keys: Keys::NotAsked, remark: None, refused: None }
    }

    /// What has come up since the last call, for the user.
    pub(super) fn remark(&mut self) -> Option<String> {
        self.remark.take()
    }

    /// The next keys, in order; none at the end.
    pub(super) async fn next(
        &mut self,
        store: &dyn ObjectStore,
    ) -> Result<Vec<(String, ObjectMeta)>> {
        if let Keys::NotAsked = self.keys {
            self.keys = self.ask(store).await?;
            if matches!(self.keys, Keys::InOrder(..)) && !self.address.is_prefix {
                // It comes before the keys that its name is a part of.
                let named = self.single(store).await?;
                if !named.is_empty() {
                    return Ok(named.into_iter().collect());
                }
            }
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
            let Some(meta) = next.map_err(|error| explain(&self.address, None, &error))? else {
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
        match self.refused.take_if(|_| some.is_empty() && last.is_empty()) {
            Some(error) => Err(error),
            None => Ok(some),
        }
    }

    /// Begins to list.
    async fn ask(&mut self, store: &dyn ObjectStore) -> Result<Keys> {
        let path = self.path()?;
        let is_local = self.address.store == Store::Local;
        if is_local && !self.address.is_prefix {
            return Ok(Keys::Collected(self.single(store).await?.into_iter()));
        }
        let prefix = (!is_local && !self.address.key.is_empty()).then_some(&path);
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
        self.remark = Some(format!(
            "{} lists its keys out of order (`{}` behind `{behind}`): all are listed before they are read",
            self.address.url(),
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
            let Some(meta) = next.map_err(|error| explain(&self.address, None, &error))? else {
                return Ok(held);
            };
            let key = key_at(&meta.location).0.into_owned();
            let is_new = held.insert(key, meta).is_none();
            again = if is_new { 0 } else { again + 1 };
            self.refuse_circle(again, held.len())?;
        }
    }

    /// That no new key comes may be an accident, but not once all of them have come again.
    fn refuse_circle(&self, again: usize, keys: usize) -> Result<()> {
        match again > keys + LISTED_AGAIN {
            false => Ok(()),
            true => Err(Error::failed(format!(
                "the listing of `{}` goes round in a circle: its keys come again and again",
                self.address.url()
            ))
            .next("the store gives the same continuation token again: ask whoever runs it")),
        }
    }

    fn path(&self) -> Result<Path> {
        Path::parse(&self.address.key).map_err(|cause| {
            Error::usage(format!("`{}` holds no valid key", self.address.url()))
                .caused_by(cause)
                .next("a key has no empty parts (`a//b`), no `.` and no `..`")
        })
    }

    /// The one object the URL names. Whoever may read only what is below it is not told whether it is there.
    async fn single(&mut self, store: &dyn ObjectStore) -> Result<BTreeMap<String, ObjectMeta>> {
        let path = self.path()?;
        match store.head(&path).await {
            Ok(meta) => Ok([(path.to_string(), meta)].into()),
            Err(error) if is_gone(&error) => Ok(BTreeMap::new()),
            Err(error) => {
                let explained = explain(&self.address, Some(&self.address.key), &error);
                if !is_forbidden(&error) {
                    return Err(explained);
                }
                self.refused = Some(explained);
                Ok(BTreeMap::new())
            }
        }
    }
}
