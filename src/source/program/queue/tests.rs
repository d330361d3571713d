//! Between two threads.

use std::sync::mpsc::channel;
use std::thread;

use super::super::router::StreamMessage;
use super::{MessageReceiver, PENDING, Received, WAITING, queue};

fn record(size: usize) -> StreamMessage {
    StreamMessage::Record { payload: vec![b'x'; size], version: None }
}

/// The size of the next record; none at the end.
fn next(receiver: &mut MessageReceiver) -> Option<usize> {
    loop {
        match receiver.receive().unwrap() {
            Received::Message(message) => return Some(message.bytes()),
            Received::Silence => {}
            Received::End(_) => return None,
        }
    }
}

#[test]
fn what_is_sent_is_received_in_order_and_no_more_than_some_bytes_of_it_wait() {
    let (mut sender, mut receiver) = queue(|| ());
    let sending = thread::spawn(move || {
        for size in 0..3000 {
            assert!(sender.send(record(size)));
        }
        assert!(sender.send(record(2 * WAITING)), "one may always");
        sender.end(Ok(None));
    });
    for size in (0..3000).chain([2 * WAITING]) {
        let waiting = receiver.queue.lock().bytes;
        assert!(waiting <= WAITING || size > WAITING, "{waiting}");
        assert_eq!(next(&mut receiver), Some(size));
    }
    assert_eq!(next(&mut receiver), None);
    sending.join().unwrap();
}

#[test]
fn a_sender_is_told_that_nobody_receives_also_while_it_waits() {
    let (has_gone, gone) = channel();
    let (mut sender, receiver) = queue(move || has_gone.send(()).unwrap());
    let sending = thread::spawn(move || {
        let mut count = 0;
        while sender.send(record(1000)) {
            count += 1;
        }
        count
    });
    while receiver.queue.lock().bytes + PENDING + 2000 < WAITING {
        thread::yield_now();
    }
    assert!(gone.try_recv().is_err());
    drop(receiver);
    assert!(sending.join().unwrap() * 1000 <= WAITING + PENDING);
    gone.recv().unwrap();
}

#[test]
fn a_sender_that_is_silent_is_no_end_and_one_that_is_gone_without_a_word_neither() {
    let (mut sender, mut receiver) = queue(|| ());
    assert!(matches!(receiver.receive().unwrap(), Received::Silence));
    sender.send(record(1));
    assert!(matches!(receiver.receive().unwrap(), Received::Silence));
    sender.flush();
    drop(sender);
    assert_eq!(next(&mut receiver), Some(1));
    assert!(receiver.receive().is_err());
}
