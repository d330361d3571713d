//! Reads the messages of a program and says which of the wanted streams each belongs to.

use std::collections::BTreeMap;

use super::message_parser::{MessageParser, Parsed};
use super::messages::{self, Messages};
use super::output::Output;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::source::Remarks;

/// What a pipeline is told.
#[derive(Debug)]
pub(super) enum Message {
    Record {
        payload: Vec<u8>,
        version: Option<i64>,
    },
    /// A record in a line of so many bytes, of which the beginning is there.
    TooLong { size: u64, head: Vec<u8> },
    /// All records before it are in it. Numbered if it is of all streams.
    State { text: String, number: Option<u64> },
    /// The version of the stream is whole.
    Whole(i64),
}

impl Message {
    /// What it holds.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Message::Record { payload: bytes, .. } | Message::TooLong { head: bytes, .. } => {
                bytes.len()
            }
            Message::State { text, .. } => text.len(),
            Message::Whole(_) => 0,
        }
    }
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipient {
    /// The wanted stream of that number.
    One(usize),
    All,
}

/// What a line of the program holds.
pub(super) enum Next {
    Message(Recipient, Message),
    /// Nothing for a pipeline.
    Nothing,
    /// The program has ended, and well.
    End,
}

/// A program that runs, and the streams that are wanted of it.
pub(super) struct Router {
    parser: Box<dyn MessageParser>,
    messages: Messages,
    program: String,
    wanted: Vec<Wanted>,
    /// Records of other streams.
    others: BTreeMap<String, u64>,
    /// Of those, since the last state.
    others_since: u64,
    states: u64,
    remarks: Remarks,
}

struct Wanted {
    name: String,
    is_spoken_of: bool,
    /// Its records since the last state that covers it.
    since_state: u64,
}

impl Router {
    /// Of a program that was started, for the streams in `settings`.
    pub(super) fn new(
        (output, parser): (Output, Box<dyn MessageParser>),
        settings: &[&Settings],
        max_record_bytes: usize,
        remarks: &Remarks,
    ) -> Self {
        let wanted = |settings: &&Settings| Wanted {
            name: settings.stream.clone(),
            is_spoken_of: false,
            since_state: 0,
        };
        Router {
            parser,
            messages: Messages::new(output, max_record_bytes),
            program: settings
                .first()
                .map_or_else(String::new, |one| one.program.clone()),
            wanted: settings.iter().map(wanted).collect(),
            others: BTreeMap::new(),
            others_since: 0,
            states: 0,
            remarks: remarks.clone(),
        }
    }

    /// Whether the next line is at hand already.
    pub(super) fn has_more(&self) -> bool {
        self.messages.has_more()
    }

    /// Reads the next line.
    pub(super) fn next(&mut self) -> Result<Next> {
        match self.messages.next()? {
            messages::Next::End => Ok(Next::End),
            messages::Next::Line => self.take(),
            messages::Next::TooLong(size) => self.set_aside(size),
        }
    }

    fn take(&mut self) -> Result<Next> {
        let meaning = self.parser.parse(self.messages.line_mut());
        match meaning.map_err(|how| self.messages.failure(&how))? {
            Parsed::Record {
                stream,
                payload,
                version,
            } => {
                let Some(at) = self.position(&stream) else {
                    self.others_since += 1;
                    *self.others.entry(stream).or_default() += 1;
                    return Ok(Next::Nothing);
                };
                self.wanted[at].note();
                let payload = self.messages.line()[payload].to_vec();
                let message = Message::Record { payload, version };
                return Ok(Next::Message(Recipient::One(at), message));
            }
            Parsed::State {
                stream: None,
                text,
                records,
            } => {
                let came = self
                    .wanted
                    .iter_mut()
                    .map(|one| std::mem::take(&mut one.since_state));
                let came = came.sum::<u64>() + std::mem::take(&mut self.others_since);
                self.check_count(records, came)?;
                self.states += 1;
                let number = Some(self.states);
                return Ok(Next::Message(
                    Recipient::All,
                    Message::State { text, number },
                ));
            }
            Parsed::State {
                stream: Some(stream),
                text,
                records,
            } => {
                let Some(at) = self.position(&stream) else {
                    return Ok(Next::Nothing);
                };
                let came = std::mem::take(&mut self.wanted[at].since_state);
                self.check_count(records, came)?;
                let number = None;
                return Ok(Next::Message(
                    Recipient::One(at),
                    Message::State { text, number },
                ));
            }
            Parsed::Whole { stream, version } => {
                if let Some(at) = self.position(&stream) {
                    return Ok(Next::Message(Recipient::One(at), Message::Whole(version)));
                }
            }
            Parsed::Stream(stream) => match self.position(&stream) {
                Some(at) => self.wanted[at].is_spoken_of = true,
                None => {
                    self.others.entry(stream).or_default();
                }
            },
            Parsed::Remark(remark) => self.remarks.add(remark),
            Parsed::Nothing => {}
        }
        Ok(Next::Nothing)
    }

    fn position(&self, stream: &str) -> Option<usize> {
        self.wanted.iter().position(|one| one.name == stream)
    }

    fn check_count(&self, said: Option<u64>, came: u64) -> Result<()> {
        match said.filter(|said| *said != came) {
            None => Ok(()),
            Some(said) => Err(self.messages.failure(&format!(
                "says that it printed {said} records since its last state, and {came} came"
            ))),
        }
    }

    /// A line that is longer than a record may be.
    fn set_aside(&mut self, size: u64) -> Result<Next> {
        let has = |name, text| self.messages.has(name, text, self.parser.payload());
        let is_record = has("type", "RECORD");
        let mut wanted = self.wanted.iter();
        let of = wanted.position(|one| is_record && has("stream", &one.name));
        let Some(at) = of else {
            let names = self.names().join("`, `");
            return Err(self.messages.failure(&format!(
                "printed a line of {size} bytes that cannot be told to be a record of `{names}`; if it is one, raise max_record_bytes",
            )));
        };
        self.wanted[at].note();
        let head = self.messages.line().to_vec();
        Ok(Next::Message(
            Recipient::One(at),
            Message::TooLong { size, head },
        ))
    }

    fn names(&self) -> Vec<&str> {
        self.wanted.iter().map(|one| one.name.as_str()).collect()
    }

    /// The program has ended well: whether the wanted stream of that number is whole.
    pub(super) fn finish(&self, stream: usize) -> Result<()> {
        let ended = self.parser.end(stream);
        ended.map_err(|how| self.messages.failure(&how))?;
        let Wanted {
            name, is_spoken_of, ..
        } = &self.wanted[stream];
        if *is_spoken_of || self.others.is_empty() {
            return Ok(());
        }
        let others: Vec<&str> = self.others.keys().map(String::as_str).collect();
        Err(Error::usage(format!(
            "the program `{}:{name}` said nothing of a stream `{name}`",
            self.program
        ))
        .detail(format!("it spoke of {}", others.join(", ")))
        .next("name one of its streams: stream => '...'"))
    }

    /// Says what was left out.
    pub(super) fn tell_of_others(&self) {
        let names = self.names().join(",");
        for (stream, records) in self.others.iter().filter(|(_, records)| **records > 0) {
            self.remarks.add(format!(
                "{}:{names}: {records} records of the stream {stream} were left out; it takes a pipeline of its own, and the catalog can deselect it here",
                self.program
            ));
        }
    }
}

impl Wanted {
    /// A record of it came.
    fn note(&mut self) {
        self.is_spoken_of = true;
        self.since_state += 1;
    }
}
