//! The body of an object, read while its parts are being fetched.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, OnceLock};

use bytes::{Buf, Bytes};
use tokio::sync::OwnedSemaphorePermit;

use crate::error::Error;

/// A part that was fetched, and its permit for memory.
pub(super) struct ObjectPart {
    pub(super) bytes: Bytes,
    pub(super) permit: OwnedSemaphorePermit,
}

/// Why a part could not be fetched.
#[derive(Debug)]
pub(super) struct PartError {
    pub(super) change: Option<ObjectChange>,
    pub(super) error: Error,
}

/// What may happen to an object while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectChange {
    Replaced,
    Gone,
    /// It has to be restored from an archive first.
    Archived,
}

/// Where a part arrives.
pub(super) type PendingPart = Receiver<Result<ObjectPart, PartError>>;

/// Reads the parts in order. It ends only after as many bytes as the object has.
pub(super) struct ObjectBody {
    parts: Receiver<PendingPart>,
    current: Option<ObjectPart>,
    left: u64,
    body_state: BodyState,
}

/// State shared by reader and fetcher.
#[derive(Debug, Clone, Default)]
pub(super) struct BodyState {
    change: Arc<OnceLock<ObjectChange>>,
    is_abandoned: Arc<AtomicBool>,
}

impl BodyState {
    /// What happened to the object.
    pub(super) fn change(&self) -> Option<ObjectChange> {
        self.change.get().copied()
    }

    /// Notes what happened to the object.
    pub(super) fn lose(&self, change: Option<ObjectChange>) {
        if let Some(change) = change {
            // The first change counts.
            let _ = self.change.set(change);
        }
    }

    /// Whether nobody reads the object any more.
    pub(super) fn is_abandoned(&self) -> bool {
        self.is_abandoned.load(Ordering::Relaxed)
    }
}

impl ObjectBody {
    /// The body that `parts` make up, `len` bytes in all.
    pub(super) fn new(parts: Receiver<PendingPart>, len: u64) -> Self {
        ObjectBody { parts, current: None, left: len, body_state: BodyState::default() }
    }

    pub(super) fn body_state(&self) -> BodyState {
        self.body_state.clone()
    }

    fn next_part(&mut self) -> io::Result<ObjectPart> {
        let stopped = || io::Error::other(Error::failed("fetching objects has stopped"));
        let pending = self.parts.recv().map_err(|_| stopped())?;
        match pending.recv().map_err(|_| stopped())? {
            Ok(part) => Ok(part),
            Err(lost) => {
                self.body_state.lose(lost.change);
                Err(io::Error::other(lost.error))
            }
        }
    }
}

impl Read for ObjectBody {
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
            // The memory has to be free before its permit is.
            let ObjectPart { bytes, permit } = part;
            drop(bytes);
            drop(permit);
        }
        Ok(n)
    }
}

impl Drop for ObjectBody {
    fn drop(&mut self) {
        self.body_state.is_abandoned.store(true, Ordering::Relaxed);
    }
}
