//! Reads the messages of a program and assigns them to the wanted streams.

use std::collections::BTreeMap;

use super::message_parser::{MessageParser, Parsed};
use super::messages::{self, Messages};
use super::output::Output;
use super::settings::ProgramSettings;
use crate::error::{Error, Result};
use crate::source::Remarks;

/// A message for a pipeline.
#[derive(Debug)]
pub(super) enum StreamMessage {
    Record {
        payload: Vec<u8>,
        version: Option<i64>,
    },
    /// The head of an oversized record; `size` is that of its line.
    TooLong {
        size: u64,
        head: Vec<u8>,
    },
    /// A state that covers all records before it; numbered if it is of all streams.
    State {
        text: String,
        number: Option<u64>,
    },
    /// A version of the table is complete.
    VersionComplete(i64),
}

impl StreamMessage {
    /// Its size in bytes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            StreamMessage::Record { payload: bytes, .. }
            | StreamMessage::TooLong { head: bytes, .. } => bytes.len(),
            StreamMessage::State { text, .. } => text.len(),
            StreamMessage::VersionComplete(_) => 0,
        }
    }
}

/// The recipient of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipient {
    /// The pipeline of that index.
    One(usize),
    All,
}

/// The meaning of a line.
pub(super) enum Routed {
    Message(Recipient, StreamMessage),
    /// Nothing for a pipeline.
    Nothing,
    /// The program has exited successfully.
    End,
}

/// A running program, and the streams that pipelines read.
pub(super) struct Router {
    parser: Box<dyn MessageParser>,
    messages: Messages,
    program: String,
    wanted: Vec<RoutedStream>,
    /// Records of other streams.
    others: BTreeMap<String, u64>,
    /// Those since the last state.
    others_since: u64,
    states: u64,
    remarks: Remarks,
}

struct RoutedStream {
    name: String,
    is_announced: bool,
    /// Its records since the last state that covers it.
    since_state: u64,
}

impl Router {
    /// A router for a started program and the streams in `settings`.
    pub(super) fn new(
        (output, parser): (Output, Box<dyn MessageParser>),
        settings: &[&ProgramSettings],
        max_record_bytes: usize,
        remarks: &Remarks,
    ) -> Self {
        let wanted = |settings: &&ProgramSettings| RoutedStream {
            name: settings.stream.clone(),
            is_announced: false,
            since_state: 0,
        };
        Router {
            parser,
            messages: Messages::new(output, max_record_bytes),
            program: settings.first().map_or_else(String::new, |one| one.program.clone()),
            wanted: settings.iter().map(wanted).collect(),
            others: BTreeMap::new(),
            others_since: 0,
            states: 0,
            remarks: remarks.clone(),
        }
    }

    /// Whether the next line is buffered.
    pub(super) fn has_more(&self) -> bool {
        self.messages.has_more()
    }

    /// Reads the next line.
    pub(super) fn next(&mut self) -> Result<Routed> {
        match self.messages.next()? {
            messages::NextLine::End => Ok(Routed::End),
            messages::NextLine::Line => self.take(),
            messages::NextLine::TooLong(size) => self.set_aside(size),
        }
    }

    fn take(&mut self) -> Result<Routed> {
        let meaning = self.parser.parse(self.messages.line_mut());
        match meaning.map_err(|how| self.messages.failure(&how))? {
            Parsed::Record { stream, payload, version } => {
                let Some(at) = self.position(&stream) else {
                    self.leave_out(stream);
                    return Ok(Routed::Nothing);
                };
                self.wanted[at].note();
                let payload = self.messages.line()[payload].to_vec();
                let message = StreamMessage::Record { payload, version };
                return Ok(Routed::Message(Recipient::One(at), message));
            }
            Parsed::State { stream, text, records } => return self.state(stream, text, records),
            Parsed::VersionComplete { stream, version } => {
                if let Some(at) = self.position(&stream) {
                    return Ok(Routed::Message(
                        Recipient::One(at),
                        StreamMessage::VersionComplete(version),
                    ));
                }
            }
            Parsed::Stream(stream) => match self.position(&stream) {
                Some(at) => self.wanted[at].is_announced = true,
                None => {
                    self.others.entry(stream).or_default();
                }
            },
            Parsed::Remark(remark) => self.remarks.add(self.messages.clean(&remark)),
            Parsed::Nothing => {}
        }
        Ok(Routed::Nothing)
    }

    /// A state of one stream, or of all; `records` is how many the program says it printed since the last one.
    fn state(
        &mut self,
        stream: Option<String>,
        text: String,
        records: Option<u64>,
    ) -> Result<Routed> {
        let (recipient, came) = match stream {
            Some(stream) => {
                let Some(at) = self.position(&stream) else {
                    return Ok(Routed::Nothing);
                };
                let came = std::mem::take(&mut self.wanted[at].since_state);
                (Recipient::One(at), came)
            }
            None => {
                let wanted = self.wanted.iter_mut();
                let of_wanted = wanted.map(|one| std::mem::take(&mut one.since_state));
                let came = of_wanted.sum::<u64>() + std::mem::take(&mut self.others_since);
                (Recipient::All, came)
            }
        };
        self.check_count(records, came)?;
        let number = (recipient == Recipient::All).then(|| {
            self.states += 1;
            self.states
        });
        Ok(Routed::Message(recipient, StreamMessage::State { text, number }))
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

    /// A line that exceeds the limit of a record.
    fn set_aside(&mut self, size: u64) -> Result<Routed> {
        let text = |name| self.messages.text(name, self.parser.payload());
        let (kind, name, namespace) = (text("type"), text("stream"), text("namespace"));
        if let (Some("RECORD"), Some(name)) = (kind.as_deref(), name) {
            // The namespace may stand behind the record.
            let suffix = format!(".{name}");
            let mut wanted = self.wanted.iter();
            let is_clear = namespace.is_some() || !wanted.any(|one| one.name.ends_with(&suffix));
            let stream = self.parser.called(name, namespace);
            match self.position(&stream) {
                Some(at) => {
                    self.wanted[at].note();
                    let head = self.messages.line().to_vec();
                    let message = StreamMessage::TooLong { size, head };
                    return Ok(Routed::Message(Recipient::One(at), message));
                }
                None if is_clear => {
                    self.leave_out(stream);
                    return Ok(Routed::Nothing);
                }
                None => {}
            }
        }
        let names = self.names().join("`, `");
        Err(self.messages.failure(&format!(
            "printed a line of {size} bytes that cannot be told to be a record of `{names}`; if it is one, raise max_record_bytes",
        )))
    }

    /// Counts a record of a stream that no pipeline reads.
    fn leave_out(&mut self, stream: String) {
        self.others_since += 1;
        *self.others.entry(stream).or_default() += 1;
    }

    fn names(&self) -> Vec<&str> {
        self.wanted.iter().map(|one| one.name.as_str()).collect()
    }

    /// Checks, after a successful exit, that the wanted stream of that number is complete.
    pub(super) fn finish(&self, stream: usize) -> Result<()> {
        let ended = self.parser.end(stream);
        ended.map_err(|how| self.messages.failure(&how))?;
        let RoutedStream { name, is_announced, .. } = &self.wanted[stream];
        if *is_announced || self.others.is_empty() {
            return Ok(());
        }
        let others: Vec<&str> = self.others.keys().map(String::as_str).collect();
        Err(Error::usage(format!(
            "the program `{}:{name}` said nothing of a stream `{name}`",
            self.program
        ))
        .detail(self.messages.clean(&format!("it spoke of {}", others.join(", "))))
        .next("name one of its streams: stream => '...'"))
    }

    /// Notes the records of streams that no pipeline reads.
    pub(super) fn report_unread_streams(&self) {
        let names = self.names().join(",");
        for (stream, records) in self.others.iter().filter(|(_, records)| **records > 0) {
            let stream = self.messages.clean(stream);
            self.remarks.add(format!(
                "{}:{names}: {records} records of the stream {stream} were left out; it takes a pipeline of its own, and the catalog can deselect it here",
                self.program
            ));
        }
    }
}

impl RoutedStream {
    /// Counts a record.
    fn note(&mut self) {
        self.is_announced = true;
        self.since_state += 1;
    }
}
