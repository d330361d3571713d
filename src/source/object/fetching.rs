//! The way from the tasks that fetch objects to the reader, which is a thread that blocks.

use std::sync::mpsc::{Receiver, channel};

use tokio::runtime::Handle;

use super::fetch::{Event, Fetcher, Found};
use super::listing::{Candidate, Listing};
use crate::error::{Error, Result};
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

    /// What the fetcher tells next; it is started by the first call. That it has fallen silent
    /// does not mean that there is nothing more.
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

    /// Begins an object again; `None` if it is gone.
    pub(super) fn again(&self, candidate: &Candidate) -> Result<Option<Found>> {
        let fetcher = self.fetcher.clone();
        let candidate = Candidate {
            name: candidate.name.clone(),
            path: candidate.path.clone(),
            identity: candidate.identity.clone(),
            position: None,
        };
        ask(
            &self.runtime,
            async move { fetcher.again(&candidate).await },
        )
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
