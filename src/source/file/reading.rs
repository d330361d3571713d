//! One file being read, with what was known of it before.

use std::sync::Arc;

use super::identity::State;
use super::watch::Handle;
use crate::error::Result;
use crate::source::ObjectState;
use crate::source::records::Reading;

/// A file being read.
pub(super) struct FileReading {
    pub(super) reading: Reading,
    handle: Arc<Handle>,
    known: Option<State>,
    /// It was read to its end before, and nothing has come since.
    is_unchanged: bool,
}

impl FileReading {
    /// A file that is read on from where `known` ends, unless it ends there.
    pub(super) fn new(
        mut reading: Reading,
        handle: Arc<Handle>,
        known: Option<State>,
        is_unchanged: bool,
    ) -> Self {
        if is_unchanged {
            reading.nothing_new();
        }
        FileReading {
            reading,
            handle,
            known,
            is_unchanged,
        }
    }

    /// Whether it had been read to its end before and has grown since.
    pub(super) fn is_addition(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.is_done) && !self.is_unchanged
    }

    /// What to remember of the file as far as it was read; none if that is known already.
    pub(super) fn changed_state(&self) -> Result<Option<ObjectState>> {
        let position = match &self.known {
            Some(known) if self.is_unchanged => known.position.clone(),
            _ => self.reading.position(),
        };
        let state = State {
            identity: self.handle.identity.clone(),
            position,
            is_done: self.reading.is_done(),
        };
        if self.known.as_ref() == Some(&state) {
            return Ok(None);
        }
        state.to_object(self.reading.name()).map(Some)
    }

    /// How the file stood in the way of a sound reading.
    pub(super) fn disturbance(&self) -> Result<Option<String>> {
        let read = self.reading.window.raw_position();
        self.handle.disturbance(self.reading.name(), read)
    }
}
