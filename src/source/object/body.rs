//! The bytes of an object in order, while its parts are being fetched.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

use bytes::{Buf, Bytes};
use tokio::sync::OwnedSemaphorePermit;

use crate::error::Error;

/// A part that was fetched, and the memory it was allowed to take.
pub(super) struct Part {
    pub(super) bytes: Bytes,
    pub(super) permit: OwnedSemaphorePermit,
}

/// A part that will never come.
#[derive(Debug)]
pub(super) struct LostPart {
    pub(super) trouble: Option<Trouble>,
    pub(super) error: Error,
}

/// What may happen to an object while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    Replaced,
    Gone,
    /// It is in an archive and has to be restored first.
    Archived,
}

/// Where a part arrives.
pub(super) type Pending = Receiver<Result<Part, LostPart>>;

/// Reads parts as they come. It ends only when as many bytes have come as there should be.
pub(super) struct Body {
    parts: Receiver<Pending>,
    current: Option<Part>,
    left: u64,
    lines: BodyState,
}

/// What reader and fetcher tell each other besides the bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct BodyState {
    trouble: Arc<OnceLock<Trouble>>,
    is_abandoned: Arc<AtomicBool>,
}

impl BodyState {
    /// What happened to the object, if something did.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.trouble.get().copied()
    }

    /// Notes what happened to the object.
    pub(super) fn lose(&self, trouble: Option<Trouble>) {
        if let Some(trouble) = trouble {
            // The first one stands.
            let _ = self.trouble.set(trouble);
        }
    }

    /// Whether nobody reads the object any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Relaxed)
    }
}

impl Body {
    /// The body that `parts` make up, `len` bytes in all.
    pub(super) fn new(parts: Receiver<Pending>, len: u64) -> Self {
        Body {
            parts,
            current: None,
            left: len,
            lines: BodyState::default(),
        }
    }

    pub(super) fn lines(&self) -> BodyState {
        self.lines.clone()
    }

    fn next_part(&mut self) -> io::Result<Part> {
        let stopped = || io::Error::other(Error::failed("fetching objects has stopped"));
        let pending = self.parts.recv().map_err(|_| stopped())?;
        match pending.recv().map_err(|_| stopped())? {
            Ok(part) => Ok(part),
            Err(lost) => {
                self.lines.lose(lost.trouble);
                Err(io::Error::other(lost.error))
            }
        }
    }
}

impl Read for Body {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 || buf.is_empty() {
            return Ok(0);
        }
        let mut part = match self.current.take() {
            Some(part) => part,
            None => self.next_part()?,
        };
        let n = buf.len().min(part.bytes.len());
        part.bytes.copy_to_slice(&mut buf[..n]);
        self.left -= n as u64;
        if part.bytes.has_remaining() {
            self.current = Some(part);
        } else {
            // The next part may take the memory only once this one has given it back.
            let Part { bytes, permit } = part;
            drop(bytes);
            drop(permit);
        }
        Ok(n)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        self.lines.is_abandoned.store(true, Ordering::Relaxed);
    }
}
