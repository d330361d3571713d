//! A place in content to which reading can return, checked by the bytes before it.

use std::io;

use sha2::{Digest, Sha256};

use super::super::position::ContentOffset;
use super::{HISTORY, Window};

/// Whether the content is found as it was left.
pub(in crate::source) enum Resumed {
    Unchanged,
    /// It is other content: how it differs.
    Changed(String),
}

impl Window {
    /// Holds the current place while the record that begins here is skipped: should reading
    /// fail before its end, it has not been read.
    pub(in super::super) fn pin(&mut self) -> ContentOffset {
        let place = self.place();
        self.pin_at(place.clone());
        place
    }

    pub(in super::super) fn pin_at(&mut self, place: ContentOffset) {
        self.pinned = Some(place);
    }

    pub(in super::super) fn unpin(&mut self) {
        self.pinned = None;
    }

    /// The current place, to be found again by [`Window::is_anchored`].
    pub(in super::super) fn place(&self) -> ContentOffset {
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

    /// Continues from `place`, if the content is still what it was there.
    pub(in crate::source) fn resume(&mut self, place: &ContentOffset) -> io::Result<Resumed> {
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

    /// Whether the bytes before the current place are those that preceded `place`.
    fn is_anchored(&self, place: &ContentOffset) -> bool {
        usize::try_from(place.anchor_bytes)
            .ok()
            .and_then(|len| self.start.checked_sub(len))
            .is_some_and(|from| hex_sha256(&self.buf[from..self.start]) == place.anchor)
    }
}

/// SHA-256 as text.
pub(in crate::source) fn hex_sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
