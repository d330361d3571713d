//! Fetches objects ahead of the reader: several at once, large ones in parts, in bounded memory and in
//! order.
//!
//! Each part takes its permit for memory before its request starts, in the order of reading. So the part
//! that the reader waits for never waits for memory that a later one holds.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use object_store::{ObjectStore, ObjectStoreExt};
use tokio::sync::Semaphore;

use super::body::{ObjectBody, ObjectPart, PendingPart};
use super::explain::{explain, is_gone};
use super::identity::ObjectIdentity;
use super::listing::{ObjectAction, ObjectCandidate, ObjectListing};
use super::url::ObjectUrl;
use crate::error::{Error, Result};
use crate::retry::Budget;
use crate::source::records::Compression;
use crate::source::{ObjectState, Reason};

/// Bytes that are fetched in one request.
const PART: u64 = 4 << 20;
/// Bytes that may wait to be read.
const AHEAD: u64 = 32 << 20;
/// The least that an object counts for, which limits their number.
const LEAST: u64 = 16 << 10;
/// Requests in flight.
const REQUESTS: usize = 32;
const KIB: u64 = 1 << 10;

/// Events for the reader, in order.
pub(super) enum FetchEvent {
    Object(IncomingObject),
    /// An object to be skipped from now on: its state and identity.
    Skip(Box<ObjectState>, ObjectIdentity),
    Remark(String),
    /// An object that cannot be read.
    Waiting(Reason),
    Failed(Error),
    /// Everything was listed and sent.
    End {
        /// There was no object, neither new nor known.
        is_empty: bool,
    },
}

/// An object that is being fetched.
pub(super) struct IncomingObject {
    pub(super) candidate: Arc<ObjectCandidate>,
    /// Offset in the object at which the body begins.
    pub(super) start: u64,
    pub(super) body: ObjectBody,
}

#[derive(Clone)]
pub(super) struct ObjectFetcher {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) address: Arc<ObjectUrl>,
    pub(super) budget: Arc<Budget>,
    memory: Arc<Semaphore>,
    requests: Arc<Semaphore>,
}

impl ObjectFetcher {
    pub(super) fn new(
        store: Arc<dyn ObjectStore>,
        address: ObjectUrl,
        budget: Arc<Budget>,
    ) -> Self {
        ObjectFetcher {
            store,
            address: Arc::new(address),
            budget,
            memory: room_for(AHEAD),
            requests: Arc::new(Semaphore::new(REQUESTS)),
        }
    }

    /// A fetcher with memory of its own.
    fn with_memory(&self, bytes: u64) -> Self {
        ObjectFetcher {
            memory: room_for(bytes),
            requests: Arc::new(Semaphore::new(REQUESTS)),
            ..self.clone()
        }
    }

    /// Starts no further request.
    pub(super) fn stop(&self) {
        self.memory.close();
        self.requests.close();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.requests.is_closed()
    }

    /// Lists and fetches until everything was sent, or the receiver is gone.
    pub(super) async fn run(self, mut listing: ObjectListing, events: Sender<FetchEvent>) {
        let last = match self.hand_over(&mut listing, &events).await {
            Ok(Some(is_empty)) => FetchEvent::End { is_empty },
            Ok(None) => return,
            Err(error) => FetchEvent::Failed(error),
        };
        // The listener may have gone.
        let _ = events.send(last);
    }

    /// Whether there was no object; none if the receiver is gone.
    async fn hand_over(
        &self,
        listing: &mut ObjectListing,
        events: &Sender<FetchEvent>,
    ) -> Result<Option<bool>> {
        let mut is_empty = true;
        while let Some(verdict) = listing.next(self.store.as_ref()).await? {
            is_empty &= matches!(verdict, ObjectAction::Ignore);
            let remark = listing.remark().into_iter();
            let mut told: Vec<FetchEvent> = remark.map(FetchEvent::Remark).collect();
            let mut to_fetch = None;
            match verdict {
                ObjectAction::Read(candidate) => to_fetch = Some(announce(candidate)),
                ObjectAction::Reload(candidate, remark) => {
                    told.push(FetchEvent::Remark(remark));
                    to_fetch = Some(announce(candidate));
                }
                ObjectAction::Skip(state, identity) => told.push(FetchEvent::Skip(state, identity)),
                ObjectAction::Wait(reason) => told.push(FetchEvent::Waiting(reason)),
                ObjectAction::Done | ObjectAction::Ignore => {}
            }
            let fetch = to_fetch.map(|(found, parts)| {
                let (candidate, start, body_state) =
                    (found.candidate.clone(), found.start, found.body.body_state());
                told.push(FetchEvent::Object(found));
                self.fetch_all(candidate, start, parts, move || body_state.is_abandoned())
            });
            if told.into_iter().any(|event| events.send(event).is_err()) {
                return Ok(None);
            }
            if let Some(fetch) = fetch {
                fetch.await;
            }
        }
        let (remarks, gone) = listing.finish(is_empty);
        let remarks = remarks.into_iter().map(FetchEvent::Remark);
        let mut told = remarks.chain(gone.into_iter().map(FetchEvent::Waiting));
        let is_heard = told.all(|event| events.send(event).is_ok());
        Ok(is_heard.then_some(is_empty))
    }

    /// Fetches an object again, as it is now; `None` if it is gone.
    pub(super) async fn again(&self, candidate: ObjectCandidate) -> Result<Option<IncomingObject>> {
        let meta = match self.store.head(&candidate.path).await {
            Ok(meta) => meta,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(self.explain(&candidate, &error)),
        };
        let (found, parts) =
            announce(ObjectCandidate { identity: ObjectIdentity::new(&meta), ..candidate });
        // Permits that other objects hold are not released before this one is read.
        let own = self.with_memory(2 * PART);
        let (candidate, start, body_state) =
            (found.candidate.clone(), found.start, found.body.body_state());
        tokio::spawn(async move {
            own.fetch_all(candidate, start, parts, || body_state.is_abandoned()).await;
        });
        Ok(Some(found))
    }

    /// Starts the requests for the parts of an object, as memory allows.
    async fn fetch_all(
        &self,
        candidate: Arc<ObjectCandidate>,
        start: u64,
        parts: Sender<PendingPart>,
        is_abandoned: impl Fn() -> bool,
    ) {
        let size = candidate.identity.size;
        let mut from = start;
        while from < size && !is_abandoned() {
            let range = from..size.min(from + PART);
            from = range.end;
            let cost = (range.end - range.start).max(LEAST).div_ceil(KIB) as u32;
            let memory = Arc::clone(&self.memory).acquire_many_owned(cost).await;
            let turn = Arc::clone(&self.requests).acquire_owned().await;
            let (Ok(permit), Ok(turn)) = (memory, turn) else {
                return;
            };
            let (arrives, pending) = mpsc::channel();
            if parts.send(pending).is_err() {
                return;
            }
            let (fetcher, candidate) = (self.clone(), Arc::clone(&candidate));
            tokio::spawn(async move {
                let part = fetcher.fetch(&candidate, range).await;
                drop(turn);
                // The object may have been abandoned.
                let _ = arrives.send(part.map(|bytes| ObjectPart { bytes, permit }));
            });
        }
    }

    pub(super) fn explain(
        &self,
        candidate: &ObjectCandidate,
        error: &object_store::Error,
    ) -> Error {
        explain(&self.address, Some(candidate.path.as_ref()), error)
    }
}

/// Permits for this many unread bytes.
fn room_for(bytes: u64) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((bytes / KIB) as usize))
}

/// The object for the reader, and the sender of its parts.
fn announce(candidate: ObjectCandidate) -> (IncomingObject, Sender<PendingPart>) {
    // Compressed content has to be decoded from its start.
    let start = match &candidate.position {
        _ if candidate.is_parquet => candidate.identity.size,
        Some(position) if position.compression == Compression::None => {
            position.place.anchor_start()
        }
        _ => 0,
    };
    let (sender, parts): (_, Receiver<PendingPart>) = mpsc::channel();
    let body = ObjectBody::new(parts, candidate.identity.size.saturating_sub(start));
    let found = IncomingObject { candidate: Arc::new(candidate), start, body };
    (found, sender)
}
