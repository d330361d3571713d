//! Watches for changes of a file while it is read: it may grow, or be replaced.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use super::identity::{FileIdentity, mtime_ns, read_head};
use super::listing::unreadable;
use super::settings::{FileSettings, Partial};
use crate::error::Result;
use crate::source::records::{Input, Settled};

const POLL: Duration = Duration::from_millis(50);

/// The open file and what it was when it was opened. Its size and time are taken before
/// the first byte is read: whatever is written later makes the next run look again.
pub(super) struct Handle {
    pub(super) file: File,
    pub(super) meta: Metadata,
    pub(super) identity: FileIdentity,
}

impl Handle {
    /// How the file got in the way of a sound reading: replaced, cut or rewritten meanwhile.
    pub(super) fn disturbance(&self, name: &str, read: u64) -> Result<Option<String>> {
        let failed = |cause| unreadable(name, cause);
        let now = self.file.metadata().map_err(failed)?;
        if now.len() < read {
            return Ok(Some(format!("it shrank to {} bytes while it was read", now.len())));
        }
        if now.len() != self.meta.len() || mtime_ns(&now) != mtime_ns(&self.meta) {
            let head = read_head(&self.file, now.len()).map_err(failed)?;
            if !self.identity.has_head(&head) {
                return Ok(Some("its beginning was written anew while it was read".to_owned()));
            }
        }
        match fs::metadata(name) {
            Ok(there) if (there.dev(), there.ino()) != (now.dev(), now.ino()) => {
                Ok(Some("another file took its name while it was read".to_owned()))
            }
            // Moved away after it was opened: the handle led to its end all the same.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(None),
        }
    }
}

/// A file that may be growing.
pub(super) struct Growing {
    handle: Arc<Handle>,
    partial: Partial,
    settle: Duration,
    waited: Duration,
    has_grown: bool,
}

impl Growing {
    pub(super) fn new(handle: &Arc<Handle>, settings: &FileSettings) -> Self {
        Growing {
            handle: Arc::clone(handle),
            partial: settings.partial,
            settle: settings.settle,
            waited: Duration::ZERO,
            has_grown: false,
        }
    }
}

impl Input for Growing {
    fn noun(&self) -> &'static str {
        "file"
    }

    fn may_go_on(&self) -> bool {
        self.partial == Partial::Wait
    }

    /// Waits until the file has been left alone for long enough, `settle_seconds` in all.
    fn settle(&mut self, read: u64) -> io::Result<Settled> {
        loop {
            let meta = self.handle.file.metadata()?;
            if meta.len() > read {
                self.has_grown = true;
                return Ok(Settled::Grew);
            }
            let age = SystemTime::now().duration_since(meta.modified()?);
            if age.is_ok_and(|age| age >= self.settle) {
                return Ok(Settled::Complete);
            }
            if self.waited >= self.settle {
                return Ok(match self.has_grown {
                    true => Settled::StillGrowing,
                    false => Settled::Complete,
                });
            }
            thread::sleep(POLL);
            self.waited += POLL;
        }
    }
}
