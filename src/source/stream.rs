//! Records from a stream that comes once: standard input. It leaves a cursor for people to look
//! at, and no state: nobody can read it a second time.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde_json::{Value, json};

use super::records::{
    Compression, Content, Decoder, Input, Parser, Progress as Framed, Raw, Reading, RecordSettings,
    Settled, Window,
};
use super::{BatchBuilder, Means, Progress, Proof, Remarks, Source};
use crate::error::{Error, Result};

/// The path that stands for standard input.
pub(super) const PATH: &str = "-";

/// The source that reads a stream.
pub struct StreamSource {
    reading: Reading,
    remarks: Remarks,
    has_begun: bool,
}

impl StreamSource {
    /// A source that reads standard input.
    pub(super) fn of_stdin(settings: &Value, means: &Means) -> Result<Self> {
        let input = io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .map_err(unreadable)?;
        let tells_silence = Arc::new(AtomicBool::new(false));
        let pipe = Pipe {
            input: input.into(),
            tells_silence: Arc::clone(&tells_silence),
        };
        let source = Self::new(settings, Box::new(pipe), means)?;
        // Decoders take any error for the end.
        let is_plain = source.reading.compression == Compression::None;
        tells_silence.store(is_plain, Ordering::Relaxed);
        Ok(source)
    }

    /// A source that reads `input` as if it were standard input.
    pub fn new(settings: &Value, mut input: Box<dyn Read + Send>, means: &Means) -> Result<Self> {
        let settings = super::file::stream_settings(settings)?;
        let mut head = Vec::new();
        input
            .by_ref()
            .take(Compression::MAGIC)
            .read_to_end(&mut head)
            .map_err(unreadable)?;
        Ok(StreamSource {
            reading: begin(&settings, head, input)?,
            remarks: means.remarks.clone(),
            has_begun: false,
        })
    }
}

fn begin(settings: &RecordSettings, head: Vec<u8>, input: Box<dyn Read + Send>) -> Result<Reading> {
    let compression = Compression::detect(settings.compression, PATH, &head);
    let raw = Raw::new(io::Cursor::new(head).chain(input), 0);
    let window = Window::new(Decoder::new(compression, raw).map_err(unreadable)?, 0);
    let mut reading = Reading::new(PATH, Once, compression, window);
    reading.begin(settings, None, Parser::default())?;
    Ok(reading)
}

fn unreadable(cause: io::Error) -> Error {
    Error::failed("cannot read standard input").caused_by(cause)
}

impl Source for StreamSource {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        self.has_begun = true;
        out.set_origin(PATH);
        match self.reading.read_what_came(out)? {
            Some(Framed::BatchIsFull) => return Ok(Progress::Full),
            // What has come need not wait for what comes behind.
            None => return Ok(Progress::UnitEnded(Proof::Complete)),
            Some(Framed::InputHasEnded) => {}
        }
        for remark in self.reading.note().into_iter().chain(self.reading.remark()) {
            self.remarks.add(remark);
        }
        if self.reading.is_cut() {
            return Err(Error::failed(
                "what came on standard input is cut short: its compressed stream has no end",
            )
            .detail("what was whole of it is loaded, the rest is in quarantine")
            .next(
                "check the command that writes it, and run it again (unchanged rows are skipped)",
            ));
        }
        Ok(Progress::End(Proof::Complete))
    }

    fn cursor(&self) -> Option<Value> {
        let (_, records) = self.reading.progress();
        (records > 0).then(|| json!({"object": PATH, "records": records}))
    }

    fn is_at_start(&self) -> bool {
        !self.has_begun
    }
}

/// Standard input without a buffer. Where it may, it says every second that nothing comes.
struct Pipe {
    input: File,
    tells_silence: Arc<AtomicBool>,
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.tells_silence.load(Ordering::Relaxed) {
            let mut inputs = [PollFd::new(self.input.as_fd(), PollFlags::POLLIN)];
            match poll(&mut inputs, PollTimeout::from(1000u16)) {
                Ok(0) | Err(nix::errno::Errno::EINTR) => {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                // What cannot be waited for is read.
                _ => {}
            }
        }
        self.input.read(buf)
    }
}

/// What comes once ends where it ends.
struct Once;

impl Input for Once {
    fn noun(&self) -> &'static str {
        "stream"
    }

    fn may_go_on(&self) -> bool {
        false
    }

    fn settle(&mut self, _: u64) -> io::Result<Settled> {
        Ok(Settled::Whole)
    }
}
