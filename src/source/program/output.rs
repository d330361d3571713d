//! The output of a program, as a reader that ends only after a successful exit.

use std::io::{self, Read};
use std::process::{ChildStdout, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};

use super::child::Child;
use crate::error::{Error, Result};
use crate::source::SourceContext;

const CHUNK: usize = 64 * 1024;
/// Chunks that are read ahead.
const AHEAD: usize = 8;
/// How long nothing may come of the output after the program has ended.
const OUTLASTS: Duration = Duration::from_secs(3);

/// The stdout of a program.
pub(super) struct Output {
    child: Child,
    chunks: Receiver<io::Result<Bytes>>,
    rest: Bytes,
    /// How long it may print nothing.
    silence: Duration,
    /// How many bytes it may print, and how many it has printed.
    limit: u64,
    printed: u64,
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
        let rest = Bytes::new();
        Ok(Output { child, chunks, rest, silence, limit: u64::MAX, printed: 0, is_over: false })
    }

    /// The same of a program that may print no more than so many bytes.
    pub(super) fn at_most(self, limit: u64) -> Self {
        Output { limit, ..self }
    }

    /// An error about the program, with its last lines on stderr.
    pub(super) fn failure(&self, how: &str) -> Error {
        self.child.failure(how)
    }

    /// What the program printed, without the secrets that it was given.
    pub(super) fn clean(&self, text: &str) -> String {
        self.child.clean(text)
    }

    fn receive(&mut self) -> Result<()> {
        let Some(chunk) = self.next_chunk()? else {
            self.child.finish()?;
            self.is_over = true;
            return Ok(());
        };
        self.printed += chunk.len() as u64;
        if self.printed > self.limit {
            return Err(self.ended(&format!("printed more than {} MiB", self.limit >> 20)));
        }
        self.rest = chunk;
        Ok(())
    }

    /// Waits for what comes next, or the end of the output.
    fn next_chunk(&mut self) -> Result<Option<Bytes>> {
        let began = Instant::now();
        let mut has_ended = false;
        loop {
            let left = self.silence.saturating_sub(began.elapsed());
            let patience = if has_ended { OUTLASTS } else { left.min(OUTLASTS) };
            match self.chunks.recv_timeout(patience) {
                Ok(Ok(chunk)) => return Ok(Some(chunk)),
                Ok(Err(cause)) => return Err(self.failure("cannot be read").caused_by(cause)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) if has_ended => return Err(self.child.outlasted()),
                Err(RecvTimeoutError::Timeout) => has_ended = self.child.has_ended(),
            }
            if !has_ended && began.elapsed() >= self.silence {
                let silence = self.silence.as_secs();
                let what = format!("has printed nothing for {silence} seconds (`silence`)");
                return Err(self.ended(&what));
            }
        }
    }

    /// Ends the program, which has done something that it must not.
    fn ended(&mut self, what: &str) -> Error {
        self.child.kill();
        self.child.failure(&format!("{what}, and was ended"))
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
