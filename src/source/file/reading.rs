//! A file that is being read, and what was known of it before.

use std::sync::Arc;

use super::identity::FileProgress;
use super::watch::Handle;
use crate::error::Result;
use crate::source::ObjectState;
use crate::source::records::Content;
use crate::source::units::{Unit, UnitChange};

/// A file being read.
pub(super) struct FileReading {
    content: Box<dyn Content>,
    handle: Arc<Handle>,
    known: Option<FileProgress>,
    /// It was read to its end before, and nothing has been added since.
    is_unchanged: bool,
}

impl FileReading {
    /// A file that is read on from where `known` ends, unless the file ends there, too.
    pub(super) fn new(
        content: Box<dyn Content>,
        handle: Arc<Handle>,
        known: Option<FileProgress>,
        is_unchanged: bool,
    ) -> Self {
        FileReading { content, handle, known, is_unchanged }
    }

    pub(super) fn name(&self) -> &str {
        self.content.name()
    }

    /// Whether batches before the current one contain records of it.
    pub(super) fn is_handed_out(&self) -> bool {
        self.known.is_some() || self.content.is_handed_out()
    }
}

impl Unit for FileReading {
    fn content(&mut self) -> &mut dyn Content {
        self.content.as_mut()
    }

    fn has_grown(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.is_done) && !self.is_unchanged
    }

    fn state(&self) -> Result<Option<ObjectState>> {
        let position = match &self.known {
            Some(known) if self.is_unchanged => known.position.clone(),
            _ => self.content.position(),
        };
        let state = FileProgress {
            identity: self.handle.identity.clone(),
            position,
            is_done: self.content.is_done(),
        };
        if self.known.as_ref() == Some(&state) {
            return Ok(None);
        }
        state.to_object(self.content.name()).map(Some)
    }

    fn change(&self) -> Result<Option<UnitChange>> {
        let read = self.content.raw_position();
        let disturbance = self.handle.disturbance(self.content.name(), read)?;
        Ok(disturbance.map(UnitChange::Replaced))
    }
}
