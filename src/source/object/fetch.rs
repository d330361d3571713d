//! Fetches objects ahead of the reader: several at once, large ones in parts, no more bytes
//! than a budget allows, and handed over strictly in order.
//!
//! Parts are started in the order in which they will be read, and each takes its share of the
//! budget before it starts. So the part the reader waits for never waits for memory that a
//! later one holds.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use object_store::{ObjectStore, ObjectStoreExt};
use tokio::sync::Semaphore;

use super::address::Address;
use super::body::{Body, Part, Pending};
use super::explain::{explain, is_gone};
use super::identity::Identity;
use super::listing::{Candidate, Listing, Verdict};
use crate::error::{Error, Result};
use crate::retry::Budget;
use crate::source::records::Compression;
use crate::source::{ObjectState, Reason};

/// What is fetched in one request.
const PART: u64 = 4 << 20;
/// What may lie in memory before it is read.
const AHEAD: u64 = 32 << 20;
/// What even the smallest object counts for, which bounds their number.
const LEAST: u64 = 16 << 10;
/// Requests under way.
const REQUESTS: usize = 32;
const KIB: u64 = 1 << 10;

/// What the fetcher tells the reader, in order.
pub(super) enum Event {
    Object(Found),
    /// An object that is passed over from now on: its state, and what it is recognised by.
    Skip(Box<ObjectState>, Identity),
    Remark(String),
    /// An object that cannot be read, or no longer can.
    Waiting(Reason),
    Failed(Error),
    /// Everything was listed and handed over.
    End {
        /// There was nothing, whether new or known.
        is_empty: bool,
    },
}

/// An object whose bytes are on their way.
pub(super) struct Found {
    pub(super) candidate: Arc<Candidate>,
    /// Where in the object the body begins.
    pub(super) start: u64,
    pub(super) body: Body,
}

#[derive(Clone)]
pub(super) struct Fetcher {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) address: Arc<Address>,
    pub(super) budget: Arc<Budget>,
    memory: Arc<Semaphore>,
    requests: Arc<Semaphore>,
}

impl Fetcher {
    pub(super) fn new(store: Arc<dyn ObjectStore>, address: Address, budget: Arc<Budget>) -> Self {
        Fetcher {
            store,
            address: Arc::new(address),
            budget,
            memory: room_for(AHEAD),
            requests: Arc::new(Semaphore::new(REQUESTS)),
        }
    }

    /// The same with memory of its own.
    fn with_memory(&self, bytes: u64) -> Self {
        Fetcher {
            memory: room_for(bytes),
            requests: Arc::new(Semaphore::new(REQUESTS)),
            ..self.clone()
        }
    }

    /// Begins no further request.
    pub(super) fn stop(&self) {
        self.memory.close();
        self.requests.close();
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.requests.is_closed()
    }

    /// Lists and fetches until everything was handed over or nobody listens.
    pub(super) async fn run(self, mut listing: Listing, events: Sender<Event>) {
        let last = match self.hand_over(&mut listing, &events).await {
            Ok(Some(is_empty)) => Event::End { is_empty },
            Ok(None) => return,
            Err(error) => Event::Failed(error),
        };
        // The listener may have gone.
        let _ = events.send(last);
    }

    /// Whether there was nothing; none if nobody listens any more.
    async fn hand_over(
        &self,
        listing: &mut Listing,
        events: &Sender<Event>,
    ) -> Result<Option<bool>> {
        let mut is_empty = true;
        while let Some(verdict) = listing.next(self.store.as_ref()).await? {
            is_empty &= matches!(verdict, Verdict::Ignore);
            let remark = listing.remark().into_iter();
            let mut told: Vec<Event> = remark.map(Event::Remark).collect();
            let mut to_fetch = None;
            match verdict {
                Verdict::Read(candidate) => to_fetch = Some(announce(candidate)),
                Verdict::Reload(candidate, remark) => {
                    told.push(Event::Remark(remark));
                    to_fetch = Some(announce(candidate));
                }
                Verdict::Skip(state, identity) => told.push(Event::Skip(state, identity)),
                Verdict::Wait(reason) => told.push(Event::Waiting(reason)),
                Verdict::Done | Verdict::Ignore => {}
            }
            let fetch = to_fetch.map(|(found, parts)| {
                let (candidate, start, lines) =
                    (found.candidate.clone(), found.start, found.body.lines());
                told.push(Event::Object(found));
                self.fetch_all(candidate, start, parts, move || lines.is_abandoned())
            });
            if told.into_iter().any(|event| events.send(event).is_err()) {
                return Ok(None);
            }
            if let Some(fetch) = fetch {
                fetch.await;
            }
        }
        let (remarks, gone) = listing.last_words(is_empty);
        let remarks = remarks.into_iter().map(Event::Remark);
        let mut told = remarks.chain(gone.into_iter().map(Event::Waiting));
        let is_heard = told.all(|event| events.send(event).is_ok());
        Ok(is_heard.then_some(is_empty))
    }

    /// Fetches an object again, as it is now; `None` if it is gone.
    pub(super) async fn again(&self, candidate: Candidate) -> Result<Option<Found>> {
        let meta = match self.store.head(&candidate.path).await {
            Ok(meta) => meta,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(self.explain(&candidate, &error)),
        };
        let (found, parts) = announce(Candidate {
            identity: Identity::new(&meta),
            ..candidate
        });
        // What others hold of the budget is not given back before this object is read.
        let own = self.with_memory(2 * PART);
        let (candidate, start, lines) = (found.candidate.clone(), found.start, found.body.lines());
        tokio::spawn(async move {
            own.fetch_all(candidate, start, parts, || lines.is_abandoned())
                .await;
        });
        Ok(Some(found))
    }

    /// Starts the parts of an object, one after the other, as memory allows.
    async fn fetch_all(
        &self,
        candidate: Arc<Candidate>,
        start: u64,
        parts: Sender<Pending>,
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
                // Nobody waits for a part of an object that was given up.
                let _ = arrives.send(part.map(|bytes| Part { bytes, permit }));
            });
        }
    }

    pub(super) fn explain(&self, candidate: &Candidate, error: &object_store::Error) -> Error {
        explain(&self.address, Some(candidate.path.as_ref()), error)
    }
}

/// Room for this many unread bytes.
fn room_for(bytes: u64) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((bytes / KIB) as usize))
}

/// An object to hand to the reader, and where to put its parts.
fn announce(candidate: Candidate) -> (Found, Sender<Pending>) {
    // What is compressed has to be decoded from its beginning.
    let start = match &candidate.position {
        _ if candidate.is_parquet => candidate.identity.size,
        Some(position) if position.compression == Compression::None => {
            position.place.anchor_start()
        }
        _ => 0,
    };
    let (sender, parts): (_, Receiver<Pending>) = mpsc::channel();
    let body = Body::new(parts, candidate.identity.size.saturating_sub(start));
    let found = Found {
        candidate: Arc::new(candidate),
        start,
        body,
    };
    (found, sender)
}
