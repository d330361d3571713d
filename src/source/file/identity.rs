//! How a file is known again.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::source::ObjectState;
use crate::source::records::{Compression, Position, hex_sha256};

const HEAD: usize = 64 * 1024;

/// Facts about the file as it was before it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) size: u64,
    pub(super) mtime_ns: i64,
    head: String,
    head_bytes: u64,
}

/// An [`ObjectState`] of this source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    pub(super) identity: Identity,
    pub(super) position: Position,
    pub(super) is_done: bool,
}

/// What an earlier run, or a person, left of a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Known {
    Read(State),
    /// To be passed over as it was found; or as it will be, if it was not found yet.
    Skipped(Option<Identity>, ObjectState),
}

impl Known {
    pub(super) fn from_object(object: &ObjectState) -> Result<Self> {
        let not_understood = |cause| {
            Error::failed(format!(
                "what is known of file `{}` cannot be understood",
                object.object
            ))
            .caused_by(cause)
            .next(format!(
                "run `sluice rewind PIPELINE --object {}` to read it again from the start",
                object.object
            ))
        };
        if object.is_skipped() && !object.has_identity() {
            return Ok(Known::Skipped(None, object.clone()));
        }
        let identity = Identity::deserialize(&object.identity).map_err(not_understood)?;
        if object.is_skipped() {
            return Ok(Known::Skipped(Some(identity), object.clone()));
        }
        Ok(Known::Read(State {
            identity,
            position: Position::deserialize(&object.position).map_err(not_understood)?,
            is_done: object.is_done,
        }))
    }

    /// Whether a file with this size and time is passed over.
    pub(super) fn skips(&self, meta: &Metadata) -> bool {
        matches!(self, Known::Skipped(identity, _)
            if identity.as_ref().is_none_or(|identity| identity.is_as_before(meta)))
    }
}

impl State {
    pub(super) fn to_object(&self, name: &str) -> Result<ObjectState> {
        let encode = |cause| {
            Error::failed(format!("cannot note the state of file `{name}`")).caused_by(cause)
        };
        Ok(ObjectState {
            object: name.to_owned(),
            identity: serde_json::to_value(&self.identity).map_err(encode)?,
            position: serde_json::to_value(&self.position).map_err(encode)?,
            is_done: self.is_done,
        })
    }

    /// Whether a file with this size and time has nothing new in it.
    pub(super) fn covers(&self, meta: &Metadata) -> bool {
        self.is_done && self.identity.is_as_before(meta)
    }

    /// How the file differs from the one that was read, if it does, judged by its outside.
    pub(super) fn difference(&self, size: u64, head: &[u8]) -> Option<String> {
        let consumed = match self.position.compression {
            Compression::None => self.position.place.bytes,
            _ => self.identity.size,
        };
        if size < consumed {
            return Some(format!(
                "it has {size} bytes now, and had at least {consumed} before"
            ));
        }
        (!self.identity.has_head(head)).then(|| {
            format!(
                "its first {} bytes are not the same as before",
                self.identity.head_bytes
            )
        })
    }
}

impl Identity {
    pub(super) fn new(meta: &Metadata, head: &[u8]) -> Self {
        Identity {
            size: meta.len(),
            mtime_ns: mtime_ns(meta),
            head: hex_sha256(head),
            head_bytes: head.len() as u64,
        }
    }

    /// Whether a file with this size and time is taken for untouched.
    fn is_as_before(&self, meta: &Metadata) -> bool {
        self.size == meta.len() && self.mtime_ns == mtime_ns(meta)
    }

    /// Whether a file that begins with `head` still begins as this one did.
    pub(super) fn has_head(&self, head: &[u8]) -> bool {
        usize::try_from(self.head_bytes)
            .ok()
            .and_then(|known| head.get(..known))
            .is_some_and(|bytes| hex_sha256(bytes) == self.head)
    }
}

/// The first bytes of a file, as many as identify it.
pub(super) fn read_head(file: &File, size: u64) -> io::Result<Vec<u8>> {
    let mut head = vec![0; usize::try_from(size).map_or(HEAD, |size| size.min(HEAD))];
    let mut len = 0;
    while len < head.len() {
        match file.read_at(&mut head[len..], len as u64) {
            Ok(0) => break,
            Ok(n) => len += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(len);
    Ok(head)
}

/// The error about a file that is not the one it was.
pub(super) fn replaced(name: &str, difference: &str) -> Error {
    Error::failed(format!(
        "file `{name}` was replaced or truncated since it was read"
    ))
    .detail(difference.to_owned())
    .next(format!(
        "give the new content a new name, or run `sluice rewind PIPELINE --object {name}` to \
         read it again from the start (unchanged rows are skipped)"
    ))
}

pub(super) fn mtime_ns(meta: &Metadata) -> i64 {
    meta.mtime()
        .saturating_mul(1_000_000_000)
        .saturating_add(meta.mtime_nsec())
}
