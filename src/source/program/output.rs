//! The output of a program, as a reader that ends only after a successful exit.

use std::io::{self, Read};
use std::process::{ChildStdout, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use bytes::{Buf, Bytes};

use super::child::Child;
use crate::error::{Error, Result};
use crate::source::SourceContext;

const CHUNK: usize = 64 * 1024;
/// Chunks that are read ahead.
const AHEAD: usize = 8;

/// The stdout of a program.
pub(super) struct Output {
    child: Child,
    chunks: Receiver<io::Result<Bytes>>,
    rest: Bytes,
    /// How long it may print nothing.
    silence: Duration,
    is_over: bool,
}

impl Output {
    /// Starts `command`, named `name` in messages.
    pub(super) fn of(
        command: Command,
        name: &str,
        silence: Duration,
        context: &SourceContext,
    ) -> Result<Self> {
        let (child, stdout) = Child::start(command, name, context)?;
        let (sender, chunks) = sync_channel(AHEAD);
        thread::Builder::new()
            .name("stdout".to_owned())
            .spawn(move || pump(stdout, &sender))
            .map_err(|cause| child.failure("cannot be read").caused_by(cause))?;
        Ok(Output { child, chunks, rest: Bytes::new(), silence, is_over: false })
    }

    /// An error about the program, with its last lines on stderr.
    pub(super) fn failure(&self, how: &str) -> Error {
        self.child.failure(how)
    }

    fn receive(&mut self) -> Result<()> {
        match self.chunks.recv_timeout(self.silence) {
            Ok(Ok(chunk)) => self.rest = chunk,
            Ok(Err(cause)) => return Err(self.child.failure("cannot be read").caused_by(cause)),
            Err(RecvTimeoutError::Timeout) => {
                self.child.kill();
                return Err(self.child.failure(&format!(
                    "has printed nothing for {} seconds (`silence`), and was ended",
                    self.silence.as_secs()
                )));
            }
            Err(RecvTimeoutError::Disconnected) => {
                self.child.finish()?;
                self.is_over = true;
            }
        }
        Ok(())
    }
}

impl Read for Output {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() && !self.is_over {
            self.receive().map_err(io::Error::other)?;
        }
        let n = self.rest.len().min(buf.len());
        self.rest.copy_to_slice(&mut buf[..n]);
        Ok(n)
    }
}

fn pump(mut stdout: ChildStdout, sender: &SyncSender<io::Result<Bytes>>) {
    let mut buf = vec![0; CHUNK];
    loop {
        let chunk = match stdout.read(&mut buf) {
            Ok(0) => return,
            Ok(n) => Ok(Bytes::copy_from_slice(&buf[..n])),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        // Closed: nobody reads any more.
        if sender.send(chunk).is_err() {
            return;
        }
    }
}
