//! How a file is recognised in the next run.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use serde::{Deserialize, Serialize};

use crate::source::records::{Compression, hex_sha256};
use crate::source::units;

const HEAD: usize = 64 * 1024;

/// Facts about the file as it was before it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileIdentity {
    pub(super) size: u64,
    pub(super) mtime_ns: i64,
    head: String,
    head_bytes: u64,
}

impl units::UnitIdentity for FileIdentity {
    const NOUN: &'static str = "file";
    const REPLACED: &'static str = "replaced or truncated";
    const ANOTHER_NAME: &'static str = "a new name";
    const MAY_GROW: bool = true;
}

/// What is known of a file.
pub(super) type KnownFile = units::KnownUnit<FileIdentity>;
pub(super) type FileProgress = units::UnitProgress<FileIdentity>;

impl FileProgress {
    /// Whether a file with this size and time has nothing new in it.
    pub(super) fn covers(&self, meta: &Metadata) -> bool {
        self.is_done && self.identity.is_as_before(meta)
    }

    /// How the file differs from the one that was read, if it does, judged from outside.
    pub(super) fn difference(&self, size: u64, head: &[u8]) -> Option<String> {
        let consumed = match self.position.compression {
            Compression::None => self.position.place.bytes,
            _ => self.identity.size,
        };
        if size < consumed {
            return Some(format!("it has {size} bytes now, and had at least {consumed} before"));
        }
        (!self.identity.has_head(head)).then(|| {
            format!("its first {} bytes are not the same as before", self.identity.head_bytes)
        })
    }
}

impl FileIdentity {
    pub(super) fn new(meta: &Metadata, head: &[u8]) -> Self {
        FileIdentity {
            size: meta.len(),
            mtime_ns: mtime_ns(meta),
            head: hex_sha256(head),
            head_bytes: head.len() as u64,
        }
    }

    /// Whether a file with this size and time is taken to be untouched.
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

/// What of a file's identity shows without opening it. One of which all of this is as it was is taken for untouched.
#[derive(Debug, Serialize)]
pub(super) struct Facts {
    size: u64,
    mtime_ns: i64,
}

impl Facts {
    pub(super) fn new(meta: &Metadata) -> Self {
        Facts { size: meta.len(), mtime_ns: mtime_ns(meta) }
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

pub(super) fn mtime_ns(meta: &Metadata) -> i64 {
    meta.mtime().saturating_mul(1_000_000_000).saturating_add(meta.mtime_nsec())
}
