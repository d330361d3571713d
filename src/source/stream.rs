//! Records from a stream that comes once: standard input. It leaves a cursor for people to look
//! at, and no state: nobody can read it a second time.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;

use serde_json::{Value, json};

use super::records::{
    CompleteInput, Compression, Content, CountingReader, Decoder, ParserState, ReadOutcome,
    RecordReader, RecordSettings, Window,
};
use super::{BatchBuilder, Progress, Proof, Remarks, Source, SourceContext};
use crate::error::{Error, Result};

/// The path that stands for standard input.
pub(super) const PATH: &str = "-";

/// The source that reads a stream.
pub struct StreamSource {
    reading: RecordReader,
    remarks: Remarks,
    has_begun: bool,
}

impl StreamSource {
    /// A source that reads standard input.
    pub(super) fn of_stdin(settings: &Value, context: &SourceContext) -> Result<Self> {
        let input = io::stdin().as_fd().try_clone_to_owned().map_err(unreadable)?;
        // Without the buffer that the library would put in front.
        Self::new(settings, Box::new(File::from(input)), context)
    }

    /// A source that reads `input` as if it were standard input.
    pub fn new(
        settings: &Value,
        mut input: Box<dyn Read + Send>,
        context: &SourceContext,
    ) -> Result<Self> {
        let settings = super::file::stream_settings(settings)?;
        let mut head = Vec::new();
        // Not a byte more than needed: after its first record a pipe may be silent.
        while Compression::needs_more(&head)
            && input.by_ref().take(1).read_to_end(&mut head).map_err(unreadable)? > 0
        {}
        Ok(StreamSource {
            reading: begin(&settings, head, input)?,
            remarks: context.remarks.clone(),
            has_begun: false,
        })
    }
}

fn begin(
    settings: &RecordSettings,
    head: Vec<u8>,
    input: Box<dyn Read + Send>,
) -> Result<RecordReader> {
    let compression = Compression::detect(settings.compression, PATH, &head);
    let raw = CountingReader::new(io::Cursor::new(head).chain(input), 0);
    let decoder = Decoder::new(compression, raw).and_then(Decoder::reporting_idle);
    let window = Window::new(decoder.map_err(unreadable)?, 0);
    let mut reading = RecordReader::new(PATH, CompleteInput("stream"), compression, window);
    reading.begin(settings, None, ParserState::default())?;
    Ok(reading)
}

fn unreadable(cause: io::Error) -> Error {
    Error::failed("cannot read standard input").caused_by(cause)
}

impl Source for StreamSource {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        out.set_origin(PATH);
        let progress = self.reading.try_read_into(out)?;
        self.has_begun |= out.rows() > 0;
        match progress {
            Some(ReadOutcome::BatchFull) => return Ok(Progress::Full),
            // What has come need not wait for what follows.
            None => return Ok(Progress::UnitEnded(Proof::Complete)),
            Some(ReadOutcome::EndOfInput) => {}
        }
        for remark in self.reading.note().into_iter().chain(self.reading.remark()) {
            self.remarks.add(remark);
        }
        if self.reading.is_truncated() {
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
