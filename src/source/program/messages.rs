//! Reads the messages of a tap or connector, one per line.

use std::io::{BufRead, BufReader, Read};

use super::output::Output;
use crate::error::{Error, Result};
use crate::source::batch::KEPT_OF_OVERSIZED;
use crate::source::json::{self, Pointer};

/// The most bytes of a message besides its record.
const ENVELOPE: usize = 64 * 1024;
/// Characters of a line that an error quotes.
const QUOTED: usize = 200;

/// The most that a program may print which is asked about itself, for example for its catalog.
const LONGEST_ANSWER: usize = 256 * 1024 * 1024;

/// The lines of a program.
pub(super) struct Messages {
    output: BufReader<Output>,
    line: Vec<u8>,
    limit: usize,
    /// Lines read so far.
    pub(super) count: u64,
}

/// The next line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NextLine {
    /// It is in [`Messages::line`].
    Line,
    /// Its beginning is, of a line with this many bytes.
    TooLong(u64),
    /// The program has exited successfully.
    End,
}

impl Messages {
    pub(super) fn new(output: Output, max_record_bytes: usize) -> Self {
        Messages {
            output: BufReader::with_capacity(64 * 1024, output),
            line: Vec::new(),
            limit: max_record_bytes.saturating_add(ENVELOPE),
            count: 0,
        }
    }

    /// The lines of a program that is asked about itself.
    pub(super) fn of_answer(output: Output) -> Self {
        Self::new(output.at_most(LONGEST_ANSWER as u64), LONGEST_ANSWER)
    }

    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    pub(super) fn line_mut(&mut self) -> &mut Vec<u8> {
        &mut self.line
    }

    /// Whether the next line is buffered.
    pub(super) fn has_more(&self) -> bool {
        memchr::memchr(b'\n', self.output.buffer()).is_some()
    }

    /// Reads the next line that is not blank.
    pub(super) fn next(&mut self) -> Result<NextLine> {
        loop {
            self.line.clear();
            let limit = self.limit as u64 + 1;
            let read = (&mut self.output).take(limit).read_until(b'\n', &mut self.line);
            read.map_err(told)?;
            if self.line.is_empty() {
                return Ok(NextLine::End);
            }
            self.count += 1;
            if self.line.len() > self.limit && !self.line.ends_with(b"\n") {
                return self.pass_rest();
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(NextLine::Line);
            }
        }
    }

    /// The same of an answer, which a program does not give that begins to read.
    pub(super) fn next_of_answer(&mut self) -> Result<NextLine> {
        let next = self.next()?;
        match self.kind().as_deref() {
            Some(kind @ ("RECORD" | "SCHEMA" | "STATE")) => {
                Err(self.failure(&format!("printed a {kind} instead of an answer")))
            }
            _ => Ok(next),
        }
    }

    /// The type of the message. The parts of a catalog that has several lines are none.
    fn kind(&self) -> Option<String> {
        let line = self.line.starts_with(b"{").then(|| self.line.trim_ascii())?;
        let kind = json::find(line, &[&Pointer::parse("/type")?]).ok()?.pop()??;
        json::string(&line[kind])
    }

    /// The text of a member before the member `payload`, which is the record.
    pub(super) fn text(&self, name: &str, payload: &str) -> Option<String> {
        let end = self.members(payload).next();
        let end = end.map_or(self.line.len(), |(at, _)| at);
        let (_, value) = self.members(name).next().filter(|(at, _)| *at < end)?;
        serde_json::Deserializer::from_slice(value).into_iter().next()?.ok()
    }

    /// Offsets of what looks like members of that name, and the text of their values.
    fn members(&self, name: &str) -> impl Iterator<Item = (usize, &[u8])> {
        let name = format!("\"{name}\"");
        let found: Vec<usize> = memchr::memmem::find_iter(&self.line, name.as_bytes()).collect();
        found.into_iter().filter_map(move |at| {
            let behind = self.line[at + name.len()..].trim_ascii_start();
            let value = behind.strip_prefix(b":")?;
            Some((at, value.trim_ascii_start()))
        })
    }

    fn pass_rest(&mut self) -> Result<NextLine> {
        let mut size = self.line.len() as u64;
        self.line.truncate(KEPT_OF_OVERSIZED);
        loop {
            let chunk = self.output.fill_buf().map_err(told)?;
            let end = memchr::memchr(b'\n', chunk);
            let len = end.unwrap_or(chunk.len());
            size += len as u64;
            let is_over = end.is_some() || chunk.is_empty();
            self.output.consume(len + usize::from(end.is_some()));
            if is_over {
                return Ok(NextLine::TooLong(size));
            }
        }
    }

    /// An error about the program, with the line that was read last.
    pub(super) fn failure(&self, how: &str) -> Error {
        let error = self.output.get_ref().failure(how);
        if self.line.is_empty() {
            return error;
        }
        let line = self.clean(&String::from_utf8_lossy(&self.line));
        let line: String = line.chars().take(QUOTED).collect();
        error.detail(format!("line {} on stdout: {}", self.count, line.trim_end()))
    }

    /// What the program printed, without the secrets that it was given.
    pub(super) fn clean(&self, text: &str) -> String {
        self.output.get_ref().clean(text)
    }
}

/// The error behind an I/O error of the output.
fn told(cause: std::io::Error) -> Error {
    match cause.downcast::<Error>() {
        Ok(error) => error,
        Err(cause) => Error::failed("the program cannot be read").caused_by(cause),
    }
}
