//! Reads content that is all in memory.

use encoding_rs::{Encoding, UTF_8};

use super::choice::{Compression, Format};
use super::decode::{CountingReader, Decoder};
use super::format::framer;
use super::framer::{FrameError, Framer, NextRecord, TailState};
use super::position::ParserState;
use super::settings::RecordSettings;
use super::window::Window;
use crate::error::{Error, Result};
use crate::source::BatchBuilder;

/// Reads the records of a page.
pub(crate) struct SliceReader {
    window: Window,
    framer: Box<dyn Framer>,
    format: Format,
    is_over: bool,
}

impl SliceReader {
    pub(crate) fn new(settings: &RecordSettings, format: Format, content: Vec<u8>) -> Result<Self> {
        let nothing = Decoder::new(Compression::None, CountingReader::new(std::io::empty(), 0))
            .map_err(|cause| Error::failed("a page cannot be read").caused_by(cause))?;
        let mut window = Window::over(content, nothing);
        let mut encoding = settings.encoding(&ParserState::default());
        if let Some((found, len)) = Encoding::for_bom(window.data()) {
            window.advance(len);
            encoding = (found != UTF_8).then_some(found);
        }
        if let Some(encoding) = encoding {
            window.decode_from(encoding);
        }
        Ok(SliceReader {
            window,
            framer: framer(settings, format, ParserState::default(), false)?,
            format,
            is_over: false,
        })
    }

    /// Adds the next record to `out`; false at the end.
    pub(crate) fn next(&mut self, out: &mut BatchBuilder) -> Result<bool> {
        let rows = out.rows();
        while !self.is_over && out.rows() == rows {
            self.step(out).map_err(|stop| match stop {
                FrameError::Io(cause) => Error::failed("a page cannot be read").caused_by(cause),
                FrameError::Malformed(what, next) => {
                    Error::failed(format!("a page makes no sense: {what}")).next(next)
                }
            })?;
        }
        Ok(out.rows() > rows)
    }

    fn step(&mut self, out: &mut BatchBuilder) -> Result<(), FrameError> {
        match self.framer.next(&mut self.window, out)? {
            NextRecord::Added => {}
            NextRecord::EndOfInput => self.is_over = true,
            // Nothing follows, so a line without a line end is complete. An unclosed quote costs its own line,
            // and reading continues after it.
            NextRecord::Unterminated(tail)
                if self.format == Format::Ndjson
                    || matches!(tail.state, TailState::Complete | TailState::ProbablyComplete) =>
            {
                self.framer.load_tail(&mut self.window, out)?;
                self.is_over = true;
            }
            NextRecord::Unterminated(tail) | NextRecord::Overread(tail) => {
                self.is_over = !self.framer.quarantine_tail(&mut self.window, out, &tail)
            }
        }
        Ok(())
    }
}
