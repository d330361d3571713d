//! From the thread that hears a shared program to a pipeline, bounded by bytes: the slowest pipeline
//! slows the program down.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::feed::Feed;
use super::hearing::Message;
use super::mark::Point;
use crate::error::{Error, Result};

/// As many bytes wait for a pipeline; one message may always.
const WAITING: usize = 1 << 20;
/// What a message takes beside its bytes.
const MESSAGE: usize = 64;

enum Item {
    Told(Message, Vec<u8>),
    /// There is nothing more; with what is behind it, if it is the end.
    Over(Result<Option<Point>>),
}

impl Item {
    fn size(&self) -> usize {
        match self {
            Item::Told(Message::State { text, .. }, line) => MESSAGE + text.len() + line.len(),
            Item::Told(_, line) => MESSAGE + line.len(),
            Item::Over(_) => 0,
        }
    }
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

    fn wait<'a>(&'a self, mut waiting: MutexGuard<'a, Waiting>) -> MutexGuard<'a, Waiting> {
        waiting.is_awaited = true;
        let waiting = self.change.wait(waiting);
        waiting.unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self, mut waiting: MutexGuard<'_, Waiting>) {
        if std::mem::take(&mut waiting.is_awaited) {
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

/// The end at which a pipeline is told.
pub(super) struct Teller(Arc<Queue>);

/// The end at which it listens.
pub(super) struct Listener {
    queue: Arc<Queue>,
    line: Vec<u8>,
    met: Option<Point>,
}

pub(super) fn queue() -> (Teller, Listener) {
    let queue = Arc::<Queue>::default();
    let listener = Listener {
        queue: Arc::clone(&queue),
        line: Vec::new(),
        met: None,
    };
    (Teller(queue), listener)
}

impl Teller {
    /// Tells a message with its line; whether anybody listens still.
    pub(super) fn tell(&self, message: Message, line: Vec<u8>) -> bool {
        self.put(Item::Told(message, line))
    }

    /// Tells that there is nothing more.
    pub(super) fn end(&self, how: Result<Option<Point>>) {
        self.put(Item::Over(how));
    }

    fn put(&self, item: Item) -> bool {
        let size = item.size();
        let mut waiting = self.0.lock();
        while waiting.bytes > 0 && waiting.bytes + size > WAITING && !waiting.is_closed {
            waiting = self.0.wait(waiting);
        }
        if waiting.is_closed {
            return false;
        }
        waiting.bytes += size;
        waiting.items.push_back(item);
        self.0.call(waiting);
        true
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.queue.close();
        // What nobody hears any more takes no memory.
        self.queue.lock().items.clear();
    }
}

impl Feed for Listener {
    fn next(&mut self) -> Result<Option<Message>> {
        let mut waiting = self.queue.lock();
        let item = loop {
            match waiting.items.pop_front() {
                Some(item) => break item,
                None if waiting.is_closed => {
                    return Err(Error::failed("the shared program is heard no longer")
                        .next("this is a fault of sluice: please report what it printed above"));
                }
                None => waiting = self.queue.wait(waiting),
            }
        };
        waiting.bytes -= item.size();
        self.queue.call(waiting);
        match item {
            Item::Told(message, line) => {
                self.line = line;
                Ok(Some(message))
            }
            Item::Over(how) => {
                self.met = how?;
                Ok(None)
            }
        }
    }

    fn line(&self) -> &[u8] {
        &self.line
    }

    fn met(&mut self) -> Option<Point> {
        self.met.take()
    }
}

#[cfg(test)]
mod tests;
