//! Fetches objects ahead of the reader: several at once, large ones in parts, no more bytes
//! than a budget allows, and handed over strictly in order.
//!
//! Parts are started in the order in which they will be read, and each takes its share of the
//! budget before it starts. So the part the reader waits for never waits for memory that a
//! later one holds.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use tokio::sync::{Mutex, Semaphore};

use super::body::{Body, Lost, Part, Pending, Trouble};
use super::identity::Identity;
use super::listing::{Candidate, Listing, Verdict};
use super::place::{Place, Store};
use super::refusal::{explain, is_archived, is_gone, is_replaced};
use super::service::innermost;
use crate::error::Error;
use crate::retry::{self, Budget};
use crate::source::ObjectState;
use crate::source::records::Compression;

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
    /// The state of an object that is passed over from now on.
    Skipped(Box<ObjectState>),
    Remark(String),
    /// An object that cannot be read, or not any more: its name, and why.
    Waiting(String, String),
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
    store: Arc<dyn ObjectStore>,
    place: Arc<Place>,
    budget: Arc<Budget>,
    memory: Arc<Semaphore>,
    requests: Arc<Semaphore>,
}

/// Why an attempt at a part ended before its end.
enum Stop {
    Refused(object_store::Error),
    Replaced,
    /// The body broke off.
    Broken(String),
}

impl Fetcher {
    pub(super) fn new(store: Arc<dyn ObjectStore>, place: Place, budget: Arc<Budget>) -> Self {
        Fetcher {
            store,
            place: Arc::new(place),
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

    /// Lists and fetches until everything was handed over or nobody listens.
    pub(super) async fn run(self, mut listing: Listing, events: Sender<Event>) {
        let objects = match listing.objects(self.store.as_ref()).await {
            Ok(objects) => objects,
            Err(error) => {
                let _ = events.send(Event::Failed(error));
                return;
            }
        };
        let mut is_empty = true;
        for (key, object) in objects {
            let candidate = match listing.judge(&key, object) {
                Ok(Verdict::Read(candidate)) => candidate,
                Ok(Verdict::Reload(candidate, difference)) => {
                    let remark = format!(
                        "{} was replaced ({difference}): read again from the start",
                        candidate.name
                    );
                    if events.send(Event::Remark(remark)).is_err() {
                        return;
                    }
                    candidate
                }
                Ok(Verdict::Done) => {
                    is_empty = false;
                    continue;
                }
                Ok(Verdict::Skip(state)) => {
                    is_empty = false;
                    if events.send(Event::Skipped(state)).is_err() {
                        return;
                    }
                    continue;
                }
                Ok(Verdict::Wait(name, why)) => {
                    is_empty = false;
                    if events.send(Event::Waiting(name, why)).is_err() {
                        return;
                    }
                    continue;
                }
                Ok(Verdict::Ignore) => continue,
                Err(error) => {
                    let _ = events.send(Event::Failed(error));
                    return;
                }
            };
            is_empty = false;
            let (found, parts) = announce(candidate);
            let (candidate, start, lines) =
                (found.candidate.clone(), found.start, found.body.lines());
            if events.send(Event::Object(found)).is_err() {
                return;
            }
            self.fetch_all(candidate, start, parts, || lines.is_abandoned())
                .await;
        }
        let nothing = is_empty.then(|| Event::Remark(listing.nothing()));
        let vanished = listing.vanished().into_iter();
        let gone = vanished.map(|(name, why)| Event::Waiting(name, why));
        for event in nothing.into_iter().chain(gone) {
            if events.send(event).is_err() {
                return;
            }
        }
        let _ = events.send(Event::End { is_empty });
    }

    /// Begins an object again that was replaced while it was read; `None` if it is gone.
    pub(super) async fn again(&self, candidate: &Candidate) -> Result<Option<Found>, Error> {
        let meta = match self.store.head(&candidate.path).await {
            Ok(meta) => meta,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(self.explain(candidate, &error)),
        };
        let (found, parts) = announce(Candidate {
            name: candidate.name.clone(),
            path: candidate.path.clone(),
            identity: Identity::new(&meta),
            position: None,
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

    /// Fetches a part, going on where a body broke off.
    async fn fetch(&self, candidate: &Candidate, range: Range<u64>) -> Result<Bytes, Lost> {
        let got = Mutex::new(BytesMut::with_capacity((range.end - range.start) as usize));
        let attempt = || async {
            let lost = match self
                .attempt(candidate, &range, &mut *got.lock().await)
                .await
            {
                Ok(()) => return Ok(Ok(())),
                Err(Stop::Broken(what)) => {
                    let error =
                        Error::failed(format!("object `{}` cannot be read", candidate.name))
                            .detail("its body broke off")
                            .detail(what);
                    let error = Box::new(error);
                    return Err(match self.requests.is_closed() {
                        true => retry::Trouble::Fatal(error),
                        false => retry::Trouble::Passing { error, asked: None },
                    });
                }
                Err(Stop::Replaced) => self.replaced(candidate),
                Err(Stop::Refused(error)) if is_replaced(&error) => self.replaced(candidate),
                Err(Stop::Refused(error)) => Lost {
                    trouble: match () {
                        () if is_gone(&error) => Some(Trouble::Gone),
                        () if is_archived(&error) => Some(Trouble::Archived),
                        () => None,
                    },
                    error: self.explain(candidate, &error),
                },
            };
            Ok(Err(lost))
        };
        let what = format!("object {}", candidate.name);
        match self.budget.retrying(what, attempt).await {
            Ok(done) => done?,
            Err(error) => {
                return Err(Lost {
                    trouble: None,
                    error,
                });
            }
        }
        self.budget.progressed();
        Ok(got.into_inner().freeze())
    }

    /// One request for what is missing of a part.
    async fn attempt(
        &self,
        candidate: &Candidate,
        range: &Range<u64>,
        got: &mut BytesMut,
    ) -> Result<(), Stop> {
        let identity = &candidate.identity;
        let missing = range.start + got.len() as u64..range.end;
        let is_whole = missing == (0..identity.size);
        let options = GetOptions {
            range: (!is_whole).then(|| GetRange::Bounded(missing.clone())),
            if_match: match self.place.store {
                Store::Local => identity.etag.clone(),
                _ => identity.condition(),
            },
            ..GetOptions::default()
        };
        let answer = self
            .store
            .get_opts(&candidate.path, options)
            .await
            .map_err(Stop::Refused)?;
        if !identity.is_of(answer.meta.e_tag.as_deref(), answer.meta.size) {
            return Err(Stop::Replaced);
        }
        let wanted = (range.end - range.start) as usize;
        let mut chunks = answer.into_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = match chunk {
                Ok(chunk) => chunk,
                Err(error) if is_broken(&error) => return Err(Stop::Broken(innermost(&error))),
                Err(error) => return Err(Stop::Refused(error)),
            };
            if got.len() + chunk.len() > wanted {
                return Err(Stop::Broken(format!("more than {wanted} bytes came")));
            }
            got.extend_from_slice(&chunk);
        }
        match got.len() {
            n if n < wanted => Err(Stop::Broken(format!("{n} of {wanted} bytes came"))),
            _ => Ok(()),
        }
    }

    fn replaced(&self, candidate: &Candidate) -> Lost {
        Lost {
            trouble: Some(Trouble::Replaced),
            error: Error::failed(format!(
                "object `{}` was replaced while it was read",
                candidate.name
            )),
        }
    }

    fn explain(&self, candidate: &Candidate, error: &object_store::Error) -> Error {
        explain(&self.place, Some(candidate.path.as_ref()), error)
    }
}

/// Room for so many bytes that are not read yet.
fn room_for(bytes: u64) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((bytes / KIB) as usize))
}

/// Whether the network is behind an error that came after the answer had begun.
fn is_broken(error: &object_store::Error) -> bool {
    matches!(error, object_store::Error::Generic { .. })
}

/// An object to hand to the reader, and where to put its parts.
fn announce(candidate: Candidate) -> (Found, Sender<Pending>) {
    // What is compressed has to be decoded from its beginning.
    let start = match &candidate.position {
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
