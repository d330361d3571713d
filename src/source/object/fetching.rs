//! The threads on which objects are fetched, and the way from them to the reader, which is a
//! thread of its own and blocks.

use std::sync::mpsc::{Receiver, channel};

use tokio::runtime::{Builder, Runtime};

use super::fetch::{Event, Fetcher, Found};
use super::listing::{Candidate, Listing};
use crate::error::{Error, Result};

/// The fetcher and the threads it runs on, once there is something to fetch.
pub(super) struct Fetching {
    fetcher: Fetcher,
    listing: Option<Listing>,
    running: Option<(Runtime, Receiver<Event>)>,
}

impl Fetching {
    pub(super) fn new(fetcher: Fetcher, listing: Listing) -> Self {
        Fetching {
            fetcher,
            listing: Some(listing),
            running: None,
        }
    }

    /// What the fetcher tells next; it is started by the first call. That it has fallen silent
    /// does not mean that there is nothing more.
    pub(super) fn next(&mut self) -> Result<Event> {
        if let Some(listing) = self.listing.take() {
            let runtime = Builder::new_multi_thread()
                .worker_threads(2)
                .thread_name("objects")
                .enable_all()
                .build()
                .map_err(|cause| {
                    Error::failed("the threads that fetch objects cannot be started")
                        .caused_by(cause)
                })?;
            let (sender, events) = channel();
            runtime.spawn(self.fetcher.clone().run(listing, sender));
            self.running = Some((runtime, events));
        }
        self.running
            .as_ref()
            .and_then(|(_, events)| events.recv().ok())
            .ok_or_else(stopped)
    }

    /// Begins an object again; `None` if it is gone.
    pub(super) fn again(&self, candidate: &Candidate) -> Result<Option<Found>> {
        let Some((runtime, _)) = &self.running else {
            return Ok(None);
        };
        let fetcher = self.fetcher.clone();
        let candidate = Candidate {
            name: candidate.name.clone(),
            path: candidate.path.clone(),
            identity: candidate.identity.clone(),
            position: None,
        };
        let (sender, answer) = channel();
        runtime.spawn(async move {
            // The one who asked waits for it.
            let _ = sender.send(fetcher.again(&candidate).await);
        });
        answer.recv().map_err(|_| stopped())?
    }
}

fn stopped() -> Error {
    Error::failed("fetching objects has stopped").next("run again; what was committed stays")
}

impl Drop for Fetching {
    fn drop(&mut self) {
        if let Some((runtime, _)) = self.running.take() {
            // Not waited for: this may be dropped where waiting is not allowed.
            runtime.shutdown_background();
        }
    }
}
