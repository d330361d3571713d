//! A queue from the thread that runs a program to a pipeline that reads it, bounded by bytes: the slowest pipeline
//! slows the program down.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cursor::ResumePoint;
use super::router::StreamMessage;
use crate::error::{Error, Result};

/// As many bytes wait for a pipeline; one message may always.
const WAITING: usize = 1 << 20;
/// As many are put into the queue at once, so that a fast program does not wake the pipeline for each record.
const PENDING: usize = 64 << 10;
/// What a message takes beside its bytes.
const MESSAGE: usize = 64;
/// After so long without a message the pipeline is told so.
const SILENCE: Duration = Duration::from_secs(1);

enum QueueItem {
    Message(StreamMessage),
    /// There is nothing more; with what is behind it, if it is the end.
    Over(Result<Option<ResumePoint>>),
}

/// What a pipeline receives.
pub(super) enum Received {
    Message(StreamMessage),
    /// Nothing came for a while.
    Silence,
    /// The program has ended well, and the stream is whole; with a state of other pipelines that is behind
    /// what was read here.
    End(Option<ResumePoint>),
}

#[derive(Default)]
struct QueueState {
    items: VecDeque<QueueItem>,
    bytes: usize,
    /// One of the two is gone.
    is_closed: bool,
    /// One of the two waits, so that the other has to call.
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

/// The end of the program. Messages are put into the queue some at a time.
pub(super) struct MessageSender {
    queue: Arc<MessageQueue>,
    pending: Vec<QueueItem>,
    bytes: usize,
}

/// The end of the pipeline.
pub(super) struct MessageReceiver {
    queue: Arc<MessageQueue>,
    /// What was taken out of it, all at once.
    taken: VecDeque<QueueItem>,
    on_drop: Option<Box<dyn FnOnce() + Send>>,
}

/// A queue, and what is to be done when nobody receives any more.
pub(super) fn queue(on_drop: impl FnOnce() + Send + 'static) -> (MessageSender, MessageReceiver) {
    let queue = Arc::<MessageQueue>::default();
    let receiver = MessageReceiver {
        queue: Arc::clone(&queue),
        taken: VecDeque::new(),
        on_drop: Some(Box::new(on_drop)),
    };
    let sender = MessageSender {
        queue,
        pending: Vec::new(),
        bytes: 0,
    };
    (sender, receiver)
}

impl MessageSender {
    /// Sends a message, which may stay pending until the next flush; whether anybody receives still, as far as is known.
    pub(super) fn send(&mut self, message: StreamMessage) -> bool {
        self.bytes += MESSAGE + message.bytes();
        self.pending.push(QueueItem::Message(message));
        self.bytes < PENDING || self.flush()
    }

    /// Says that there is nothing more.
    pub(super) fn end(&mut self, how: Result<Option<ResumePoint>>) {
        self.pending.push(QueueItem::Over(how));
        self.flush();
    }

    /// Puts what is pending into the queue; whether anybody receives still.
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

    /// Takes what waits, or comes soon; whether nothing will come any more.
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
        // What nobody receives any more takes no memory.
        self.queue.lock().items.clear();
        if let Some(on_drop) = self.on_drop.take() {
            on_drop();
        }
    }
}

#[cfg(test)]
mod tests;
