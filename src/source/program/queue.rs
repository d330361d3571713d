//! A queue from the thread that runs a program to a pipeline that reads it, bounded by bytes: the slowest pipeline
//! slows the program down.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::mark::Point;
use super::router::Message;
use crate::error::{Error, Result};

/// As many bytes wait for a pipeline; one message may always.
const WAITING: usize = 1 << 20;
/// As many are put into the queue at once, so that a fast program does not wake the pipeline for each record.
const PENDING: usize = 64 << 10;
/// What a message takes beside its bytes.
const MESSAGE: usize = 64;
/// After so long without a message the pipeline is told so.
const SILENCE: Duration = Duration::from_secs(1);

enum Item {
    Message(Message),
    /// There is nothing more; with what is behind it, if it is the end.
    Over(Result<Option<Point>>),
}

/// What a pipeline receives.
pub(super) enum Received {
    Message(Message),
    /// Nothing came for a while.
    Silence,
    /// The program has ended well, and the stream is whole; with a state of other pipelines that is behind
    /// what was read here.
    End(Option<Point>),
}

#[derive(Default)]
struct Waiting {
    items: VecDeque<Item>,
    bytes: usize,
    /// One of the two is gone.
    is_closed: bool,
    /// One of the two waits, so that the other has to call.
    is_awaited: bool,
}

#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    change: Condvar,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, mut waiting: MutexGuard<'_, Waiting>) {
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
pub(super) struct Sender {
    queue: Arc<Queue>,
    pending: Vec<Item>,
    bytes: usize,
}

/// The end of the pipeline.
pub(super) struct Receiver {
    queue: Arc<Queue>,
    /// What was taken out of it, all at once.
    taken: VecDeque<Item>,
    on_drop: Option<Box<dyn FnOnce() + Send>>,
}

/// A queue, and what is to be done when nobody receives any more.
pub(super) fn queue(on_drop: impl FnOnce() + Send + 'static) -> (Sender, Receiver) {
    let queue = Arc::<Queue>::default();
    let receiver = Receiver {
        queue: Arc::clone(&queue),
        taken: VecDeque::new(),
        on_drop: Some(Box::new(on_drop)),
    };
    let sender = Sender {
        queue,
        pending: Vec::new(),
        bytes: 0,
    };
    (sender, receiver)
}

impl Sender {
    /// Sends a message, which may stay pending until the next flush; whether anybody receives still, as far as is known.
    pub(super) fn send(&mut self, message: Message) -> bool {
        self.bytes += MESSAGE + message.bytes();
        self.pending.push(Item::Message(message));
        self.bytes < PENDING || self.flush()
    }

    /// Says that there is nothing more.
    pub(super) fn end(&mut self, how: Result<Option<Point>>) {
        self.pending.push(Item::Over(how));
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

impl Drop for Sender {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Receiver {
    pub(super) fn receive(&mut self) -> Result<Received> {
        if self.taken.is_empty() && self.take() {
            return Err(Error::failed("the program is read no longer")
                .next("this is a fault of sluice: please report what it printed above"));
        }
        match self.taken.pop_front() {
            Some(Item::Message(message)) => Ok(Received::Message(message)),
            Some(Item::Over(how)) => how.map(Received::End),
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

impl Drop for Receiver {
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
