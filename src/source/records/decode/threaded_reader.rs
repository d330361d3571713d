//! Reads in a thread of its own, so that an idle input can be reported: a read of a pipe cannot be
//! interrupted, and decoders cannot continue after an error.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

const CHUNK: usize = 128 * 1024;
/// How often an idle input is reported.
const PACE: Duration = Duration::from_secs(1);

/// Fails with [`io::ErrorKind::WouldBlock`] once a second while nothing is available, so that records that
/// have arrived can be committed.
pub(super) struct ThreadedReader {
    /// An empty one is the end.
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: io::Cursor<Vec<u8>>,
    is_over: bool,
    told: Instant,
}

impl ThreadedReader {
    pub(super) fn new(content: Box<dyn Read + Send>) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(1);
        thread::Builder::new().name("decoder".to_owned()).spawn(move || pump(content, &sender))?;
        Ok(ThreadedReader {
            chunks,
            chunk: io::Cursor::default(),
            is_over: false,
            told: Instant::now(),
        })
    }

    fn receive(&mut self) -> io::Result<()> {
        let patience = PACE.saturating_sub(self.told.elapsed());
        match self.chunks.recv_timeout(patience) {
            Ok(chunk) => {
                self.chunk = io::Cursor::new(chunk?);
                self.is_over = self.chunk.get_ref().is_empty();
                Ok(())
            }
            Err(RecvTimeoutError::Timeout) => {
                self.told = Instant::now();
                Err(io::ErrorKind::WouldBlock.into())
            }
            Err(RecvTimeoutError::Disconnected) => Err(io::Error::other("reading broke down")),
        }
    }
}

impl Read for ThreadedReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let is_spent = self.chunk.position() == self.chunk.get_ref().len() as u64;
        if is_spent && !self.is_over {
            self.receive()?;
        }
        self.chunk.read(buf)
    }
}

fn pump(mut content: Box<dyn Read + Send>, sender: &SyncSender<io::Result<Vec<u8>>>) {
    let mut buf = vec![0; CHUNK];
    loop {
        let chunk = content.read(&mut buf).map(|n| buf[..n].to_vec());
        let is_last = chunk.as_ref().map_or(true, Vec::is_empty);
        // Closed: nobody reads any more.
        if sender.send(chunk).is_err() || is_last {
            return;
        }
    }
}
