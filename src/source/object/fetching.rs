//! The channel from the tasks that fetch objects to the reader, which blocks.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use bytes::Bytes;
use tokio::runtime::Handle;

use super::body::BodyState;
use super::fetch::{Event, Fetcher, Found};
use super::listing::{Candidate, Listing};
use crate::error::{Error, Result};
use crate::source::parquet::Ranges;
use crate::source::records::Position;
use crate::source::units::ask;

/// The fetcher, once there is something to fetch. Dropped, it stops: nobody listens any more.
pub(super) struct Fetching {
    fetcher: Fetcher,
    listing: Option<Listing>,
    runtime: Handle,
    events: Option<Receiver<Event>>,
}

impl Fetching {
    pub(super) fn new(fetcher: Fetcher, listing: Listing, runtime: Handle) -> Self {
        Fetching {
            fetcher,
            listing: Some(listing),
            runtime,
            events: None,
        }
    }

    /// What the fetcher tells next; the first call starts it. Its silence does not mean that there is
    /// nothing more.
    pub(super) fn next(&mut self) -> Result<Event> {
        if let Some(listing) = self.listing.take() {
            let (sender, events) = channel();
            self.runtime
                .spawn(self.fetcher.clone().run(listing, sender));
            self.events = Some(events);
        }
        self.events
            .as_ref()
            .and_then(|events| events.recv().ok())
            .ok_or_else(stopped)
    }

    /// Opens an object again, from its beginning unless there is a `position`; `None` if it is gone.
    pub(super) fn again(
        &self,
        candidate: &Candidate,
        position: Option<Position>,
    ) -> Result<Option<Found>> {
        let fetcher = self.fetcher.clone();
        let candidate = Candidate {
            name: candidate.name.clone(),
            path: candidate.path.clone(),
            identity: candidate.identity.clone(),
            position,
            is_parquet: candidate.is_parquet,
        };
        ask(&self.runtime, async move { fetcher.again(candidate).await })
    }
}

impl Fetching {
    /// The bytes of an object by their place; `lines` is told what happens to it.
    pub(super) fn ranges(&self, candidate: &Arc<Candidate>, lines: &BodyState) -> Arc<dyn Ranges> {
        Arc::new(ObjectRanges {
            fetcher: self.fetcher.clone(),
            runtime: self.runtime.clone(),
            candidate: Arc::clone(candidate),
            lines: lines.clone(),
        })
    }
}

struct ObjectRanges {
    fetcher: Fetcher,
    runtime: Handle,
    candidate: Arc<Candidate>,
    lines: BodyState,
}

impl Ranges for ObjectRanges {
    fn size(&self) -> u64 {
        self.candidate.identity.size
    }

    fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        let (fetcher, candidate) = (self.fetcher.clone(), Arc::clone(&self.candidate));
        let fetched = ask(&self.runtime, async move {
            Ok(fetcher.fetch(&candidate, range).await)
        });
        fetched.map_err(io::Error::other)?.map_err(|lost| {
            self.lines.lose(lost.trouble);
            io::Error::other(lost.error)
        })
    }
}

fn stopped() -> Error {
    Error::failed("fetching objects has stopped").next("run again; what was committed stays")
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.fetcher.stop();
    }
}
