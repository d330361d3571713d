//! One file being read, with what was known of it before.

use std::sync::Arc;

use super::identity::State;
use super::watch::Handle;
use crate::error::Result;
use crate::source::ObjectState;
use crate::source::records::{Content, Reading};
use crate::source::units::{Trouble, Unit};

/// A file being read.
pub(super) struct FileReading {
    reading: Reading,
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
        if let Some(known) = &known {
            reading.resume(&known.position);
        }
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

    pub(super) fn name(&self) -> &str {
        self.reading.name()
    }

    /// Whether batches before the one in hand have records of it.
    pub(super) fn is_handed_out(&self) -> bool {
        self.known.is_some() || self.reading.is_handed_out()
    }
}

impl Unit for FileReading {
    fn content(&mut self) -> &mut dyn Content {
        &mut self.reading
    }

    fn is_addition(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.is_done) && !self.is_unchanged
    }

    fn state(&self) -> Result<Option<ObjectState>> {
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

    fn trouble(&self) -> Result<Option<Trouble>> {
        let read = self.reading.raw_position();
        let disturbance = self.handle.disturbance(self.reading.name(), read)?;
        Ok(disturbance.map(Trouble::Replaced))
    }
}
