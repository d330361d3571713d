//! A queue from the thread that runs a program to a pipeline that reads it, bounded by bytes: the slowest pipeline
//! slows the program down.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cursor::ResumePoint;
use super::router::StreamMessage;
use crate::error::{Error, Result};

/// Bytes that may wait for a pipeline; one message always may.
const WAITING: usize = 1 << 20;
/// Bytes that are sent at once, so that a fast program does not wake the pipeline for each record.
const PENDING: usize = 64 << 10;
/// Overhead of a message in bytes.
const MESSAGE: usize = 64;
/// After this time without a message the pipeline receives [`Received::Silence`].
const SILENCE: Duration = Duration::from_secs(1);

enum QueueItem {
    Message(StreamMessage),
    /// The end, or the error.
    Over(Result<Option<ResumePoint>>),
}

/// What a pipeline receives.
pub(super) enum Received {
    Message(StreamMessage),
    /// No message for a while.
    Silence,
    /// The program has exited successfully and the stream is complete; with a state of other pipelines up to which
    /// this one has all records.
    End(Option<ResumePoint>),
}

#[derive(Default)]
struct QueueState {
    items: VecDeque<QueueItem>,
    bytes: usize,
    /// One end is dropped.
    is_closed: bool,
    /// One end waits, so the other has to notify it.
    is_awaited: bool,
}

#[derive(Default)]
struct MessageQueue {
    waiting: Mutex<QueueState>,
    change: Condvar,
}

impl MessageQueue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, mut waiting: MutexGuard<'_, QueueState>) {
        if mem::take(&mut waiting.is_awaited) {
            drop(waiting);
            self.change.notify_one();
        }
    }

    fn close(&self) {
        let mut waiting = self.lock();
        waiting.is_closed = true;
        self.call(waiting);
    }
}

/// The sender, which buffers messages.
pub(super) struct MessageSender {
    queue: Arc<MessageQueue>,
    pending: Vec<QueueItem>,
    bytes: usize,
}

/// The receiver.
pub(super) struct MessageReceiver {
    queue: Arc<MessageQueue>,
    /// Messages that were taken out of the queue.
    taken: VecDeque<QueueItem>,
    on_drop: Option<Box<dyn FnOnce() + Send>>,
}

/// A queue; `on_drop` is called when the receiver is dropped.
pub(super) fn queue(on_drop: impl FnOnce() + Send + 'static) -> (MessageSender, MessageReceiver) {
    let queue = Arc::<MessageQueue>::default();
    let receiver = MessageReceiver {
        queue: Arc::clone(&queue),
        taken: VecDeque::new(),
        on_drop: Some(Box::new(on_drop)),
    };
    let sender = MessageSender { queue, pending: Vec::new(), bytes: 0 };
    (sender, receiver)
}

impl MessageSender {
    /// Sends a message, which may stay buffered until the next flush; false if the receiver is known to be gone.
    pub(super) fn send(&mut self, message: StreamMessage) -> bool {
        self.bytes += MESSAGE + message.bytes();
        self.pending.push(QueueItem::Message(message));
        self.bytes < PENDING || self.flush()
    }

    /// Sends the end.
    pub(super) fn end(&mut self, how: Result<Option<ResumePoint>>) {
        self.pending.push(QueueItem::Over(how));
        self.flush();
    }

    /// Sends what is buffered; false if the receiver is gone.
    pub(super) fn flush(&mut self) -> bool {
        let mut waiting = self.queue.lock();
        while waiting.bytes > 0 && waiting.bytes + self.bytes > WAITING && !waiting.is_closed {
            waiting.is_awaited = true;
            let woken = self.queue.change.wait(waiting);
            waiting = woken.unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.is_closed {
            return false;
        }
        if !self.pending.is_empty() {
            waiting.bytes += mem::take(&mut self.bytes);
            waiting.items.extend(self.pending.drain(..));
            self.queue.call(waiting);
        }
        true
    }
}

impl Drop for MessageSender {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl MessageReceiver {
    pub(super) fn receive(&mut self) -> Result<Received> {
        if self.taken.is_empty() && self.take() {
            return Err(Error::failed("the program is read no longer")
                .next("this is a fault of sluice: please report what it printed above"));
        }
        match self.taken.pop_front() {
            Some(QueueItem::Message(message)) => Ok(Received::Message(message)),
            Some(QueueItem::Over(how)) => how.map(Received::End),
            None => Ok(Received::Silence),
        }
    }

    /// Takes what is in the queue, or comes soon; true if it is closed and empty.
    fn take(&mut self) -> bool {
        let mut waiting = self.queue.lock();
        if waiting.items.is_empty() && !waiting.is_closed {
            waiting.is_awaited = true;
            let woken = self.queue.change.wait_timeout(waiting, SILENCE);
            waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
        mem::swap(&mut self.taken, &mut waiting.items);
        waiting.bytes = 0;
        let is_over = waiting.is_closed && self.taken.is_empty();
        self.queue.call(waiting);
        is_over
    }
}

impl Drop for MessageReceiver {
    fn drop(&mut self) {
        self.queue.close();
        // Free what nobody will receive.
        self.queue.lock().items.clear();
        if let Some(on_drop) = self.on_drop.take() {
            on_drop();
        }
    }
}

#[cfg(test)]
mod tests;
