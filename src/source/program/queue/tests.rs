//! Between two threads.
#![allow(clippy::unwrap_used)]

use std::thread;

use super::super::feed::Feed;
use super::super::hearing::Message;
use super::{WAITING, queue};

fn record(size: usize) -> (Message, Vec<u8>) {
    let payload = 0..size;
    let version = None;
    (Message::Record { payload, version }, vec![b'x'; size])
}

#[test]
fn what_is_told_is_heard_in_order_and_no_more_than_some_bytes_of_it_wait() {
    let (teller, mut listener) = queue();
    let told = thread::spawn(move || {
        for size in 0..3000 {
            let (message, line) = record(size);
            assert!(teller.tell(message, line));
        }
        let (message, line) = record(2 * WAITING);
        assert!(teller.tell(message, line), "one may always");
        teller.end(Ok(None));
    });
    for size in (0..3000).chain([2 * WAITING]) {
        let waiting = listener.queue.lock().bytes;
        assert!(waiting <= WAITING || size > WAITING, "{waiting}");
        listener.next().unwrap().unwrap();
        assert_eq!(listener.line().len(), size);
    }
    assert!(listener.next().unwrap().is_none());
    told.join().unwrap();
}

#[test]
fn a_teller_is_told_that_nobody_listens_also_while_it_waits() {
    let (teller, listener) = queue();
    let told = thread::spawn(move || {
        let mut count = 0;
        loop {
            let (message, line) = record(1000);
            if !teller.tell(message, line) {
                return count;
            }
            count += 1;
        }
    });
    while listener.queue.lock().bytes + 2000 < WAITING {
        thread::yield_now();
    }
    drop(listener);
    assert!(told.join().unwrap() * 1000 <= WAITING);
}

#[test]
fn a_teller_that_is_gone_without_a_word_is_no_end() {
    let (teller, mut listener) = queue();
    let (message, line) = record(1);
    teller.tell(message, line);
    drop(teller);
    assert!(listener.next().unwrap().is_some());
    assert!(listener.next().is_err());
}
