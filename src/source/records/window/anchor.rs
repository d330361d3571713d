//! Resuming at an offset, which is checked by a hash of the bytes before it.

use std::io;

use sha2::{Digest, Sha256};

use super::super::position::ContentOffset;
use super::{HISTORY, Window};

/// Whether the content before an offset is what it was.
pub(crate) enum Resumed {
    Unchanged,
    /// It is other content: how it differs.
    Changed(String),
}

impl Window {
    /// Keeps the current offset as the one to resume from while a record is skipped: if reading fails
    /// inside it, it has not been read.
    pub(crate) fn pin(&mut self) -> ContentOffset {
        let place = self.place();
        self.pin_at(place.clone());
        place
    }

    pub(crate) fn pin_at(&mut self, place: ContentOffset) {
        self.pinned = Some(place);
    }

    pub(crate) fn unpin(&mut self) {
        self.pinned = None;
    }

    /// The current offset, or the pinned one, with its anchor.
    pub(crate) fn place(&self) -> ContentOffset {
        if let Some(place) = &self.pinned {
            return place.clone();
        }
        let at = self.start + self.behind(0);
        let history = &self.buf[at.saturating_sub(HISTORY)..at];
        ContentOffset {
            bytes: self.offset(),
            records: self.records,
            line: self.line,
            anchor: hex_sha256(history),
            anchor_bytes: history.len() as u64,
        }
    }

    /// Skips to `place`, if the content before it is unchanged.
    pub(crate) fn resume(&mut self, place: &ContentOffset) -> io::Result<Resumed> {
        if !self.skip_to(place.bytes)? {
            return Ok(Resumed::Changed(format!(
                "its content ends before byte {}, up to which it was read",
                place.bytes
            )));
        }
        if !self.is_anchored(place) {
            return Ok(Resumed::Changed(format!(
                "the bytes before byte {} of its content are not the same as before",
                place.bytes
            )));
        }
        self.line = place.line;
        self.records = place.records;
        Ok(Resumed::Unchanged)
    }

    /// Whether the bytes before the current offset have the anchor of `place`.
    fn is_anchored(&self, place: &ContentOffset) -> bool {
        usize::try_from(place.anchor_bytes)
            .ok()
            .and_then(|len| self.start.checked_sub(len))
            .is_some_and(|from| hex_sha256(&self.buf[from..self.start]) == place.anchor)
    }
}

/// SHA-256 as text.
pub(crate) fn hex_sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
