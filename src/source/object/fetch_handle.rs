//! The blocking interface of the tasks that fetch objects.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use bytes::Bytes;
use tokio::runtime::Handle;

use super::body::BodyState;
use super::fetch::{FetchEvent, IncomingObject, ObjectFetcher};
use super::listing::{ObjectCandidate, ObjectListing};
use crate::error::{Error, Result};
use crate::source::parquet::Ranges;
use crate::source::records::Position;
use crate::source::units::ask;

/// Starts the fetcher at the first call; stops it when dropped.
pub(super) struct FetchHandle {
    fetcher: ObjectFetcher,
    listing: Option<ObjectListing>,
    runtime: Handle,
    events: Option<Receiver<FetchEvent>>,
}

impl FetchHandle {
    pub(super) fn new(fetcher: ObjectFetcher, listing: ObjectListing, runtime: Handle) -> Self {
        FetchHandle { fetcher, listing: Some(listing), runtime, events: None }
    }

    /// The next event. Fails if the fetcher ends without [`FetchEvent::End`].
    pub(super) fn next(&mut self) -> Result<FetchEvent> {
        if let Some(listing) = self.listing.take() {
            let (sender, events) = channel();
            self.runtime.spawn(self.fetcher.clone().run(listing, sender));
            self.events = Some(events);
        }
        self.events.as_ref().and_then(|events| events.recv().ok()).ok_or_else(stopped)
    }

    /// Opens an object again, from its beginning unless there is a `position`; `None` if it is gone.
    pub(super) fn again(
        &self,
        candidate: &ObjectCandidate,
        position: Option<Position>,
    ) -> Result<Option<IncomingObject>> {
        let fetcher = self.fetcher.clone();
        let candidate = ObjectCandidate {
            name: candidate.name.clone(),
            path: candidate.path.clone(),
            identity: candidate.identity.clone(),
            position,
            is_parquet: candidate.is_parquet,
        };
        ask(&self.runtime, async move { fetcher.again(candidate).await })
    }
}

impl FetchHandle {
    /// The bytes of an object by their place; `body_state` is told what happens to it.
    pub(super) fn ranges(
        &self,
        candidate: &Arc<ObjectCandidate>,
        body_state: &BodyState,
    ) -> Arc<dyn Ranges> {
        Arc::new(ObjectRanges {
            fetcher: self.fetcher.clone(),
            runtime: self.runtime.clone(),
            candidate: Arc::clone(candidate),
            body_state: body_state.clone(),
        })
    }
}

struct ObjectRanges {
    fetcher: ObjectFetcher,
    runtime: Handle,
    candidate: Arc<ObjectCandidate>,
    body_state: BodyState,
}

impl Ranges for ObjectRanges {
    fn size(&self) -> u64 {
        self.candidate.identity.size
    }

    fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let (fetcher, candidate) = (self.fetcher.clone(), Arc::clone(&self.candidate));
        let fetched = ask(&self.runtime, async move { Ok(fetcher.fetch(&candidate, range).await) });
        fetched.map_err(io::Error::other)?.map_err(|lost| {
            self.body_state.lose(lost.change);
            io::Error::other(lost.error)
        })
    }
}

fn stopped() -> Error {
    Error::failed("fetching objects has stopped").next("run again; what was committed stays")
}

impl Drop for FetchHandle {
    fn drop(&mut self) {
        self.fetcher.stop();
    }
}
