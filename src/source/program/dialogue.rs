//! The messages of a tap or connector: the records of one stream, and the states between them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::mark::{Everything, Mark};
use super::messages::Next;
use super::settings::Settings;
use super::speaker::{Meaning, Speaker, Wholeness};
use crate::error::{Error, Result};
use crate::source::{BatchBuilder, Means, Progress, Proof, Reason, Remarks, Source};

/// Too long for the limit the user set.
const TOO_LONG: &str = "54000";

/// Between two states a batch is not offered to be committed more often.
const UNIT: Duration = Duration::from_secs(1);

/// What the records are that are being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// None came yet.
    None,
    /// A part of everything.
    Everything(Option<i64>),
    /// Something new.
    News(Option<i64>),
}

struct Parked {
    payload: Vec<u8>,
    version: Option<i64>,
    /// It is the first of a read of everything.
    begins: bool,
}

pub(super) struct Dialogue<S> {
    speaker: S,
    stream: String,
    origin: String,
    mark: Mark,
    before: Mark,
    role: Role,
    /// A record that begins another read, or is too much for the batch.
    parked: Option<Parked>,
    returned: Instant,
    /// Records in all, with those of earlier runs.
    records: u64,
    /// Records of all streams since the last state.
    since_state: u64,
    /// Of other streams.
    others: BTreeMap<String, u64>,
    has_stream: bool,
    remarks: Remarks,
}

impl<S: Speaker> Dialogue<S> {
    pub(super) fn new(speaker: S, settings: &Settings, mark: Mark, means: &Means) -> Self {
        Dialogue {
            speaker,
            stream: settings.stream.clone(),
            origin: settings.origin(),
            records: mark.records,
            before: mark.clone(),
            mark,
            role: Role::None,
            parked: None,
            returned: Instant::now(),
            since_state: 0,
            others: BTreeMap::new(),
            has_stream: false,
            remarks: means.remarks.clone(),
        }
    }

    /// Whether a record of `version` begins to read everything. It has to be the first of its batch.
    fn begins(&mut self, version: Option<i64>) -> bool {
        let wholeness = self.speaker.wholeness();
        let is_same = match self.role {
            Role::None => false,
            Role::Everything(_) | Role::News(_) if wholeness != Wholeness::Version => true,
            Role::Everything(known) | Role::News(known) => known == version,
        };
        if is_same {
            return false;
        }
        let goes_on = match wholeness {
            Wholeness::EachRun => self.mark.is_on_the_way(),
            Wholeness::Version => {
                version.is_some() && self.mark.version == version && !self.is_over()
            }
            Wholeness::Never => false,
        };
        let is_news = match wholeness {
            Wholeness::EachRun => false,
            Wholeness::Version => {
                version.is_none() || (self.mark.version == version && self.is_over())
            }
            Wholeness::Never => true,
        };
        self.role = match is_news {
            true => Role::News(version),
            false => Role::Everything(version),
        };
        !goes_on && !is_news
    }

    fn is_over(&self) -> bool {
        self.mark.everything == Some(Everything::Over)
    }

    fn push(&mut self, payload: &[u8], out: &mut BatchBuilder) {
        match self.role {
            // Perhaps more of what was said to be whole.
            Role::Everything(_) => self.mark.everything = Some(Everything::Begun),
            Role::News(_) if self.speaker.wholeness() == Wholeness::Never => {
                self.mark.everything = None;
            }
            Role::News(_) | Role::None => {}
        }
        self.records += 1;
        self.since_state += 1;
        out.push(i64::try_from(self.records).unwrap_or(i64::MAX), payload);
    }

    fn take(&mut self, out: &mut BatchBuilder) -> Result<Option<Progress>> {
        let meaning = match self.speaker.understand() {
            Ok(meaning) => meaning,
            Err(how) => return Err(self.speaker.messages().failure(&how)),
        };
        match meaning {
            Meaning::Record {
                stream,
                payload,
                version,
            } => {
                if stream != self.stream {
                    self.since_state += 1;
                    *self.others.entry(stream).or_default() += 1;
                    return Ok(None);
                }
                self.has_stream = true;
                let begins = self.begins(version);
                if out.is_full() || begins {
                    self.parked = Some(Parked {
                        payload: self.speaker.messages().line()[payload].to_vec(),
                        version,
                        begins,
                    });
                    return Ok(Some(Progress::Full));
                }
                let line = std::mem::take(self.speaker.messages().line_mut());
                self.push(&line[payload], out);
                *self.speaker.messages().line_mut() = line;
            }
            Meaning::Stream(stream) => {
                self.has_stream |= stream == self.stream;
                if stream != self.stream {
                    self.others.entry(stream).or_default();
                }
            }
            Meaning::State { text, records } => {
                if let Some(said) = records.filter(|said| *said != self.since_state) {
                    return Err(self.speaker.messages().failure(&format!(
                        "says that it printed {said} records since its last state, and {} came",
                        self.since_state
                    )));
                }
                self.since_state = 0;
                self.mark.state = Some(text);
                self.mark.records = self.records;
                // Some give a state with each record.
                if self.returned.elapsed() > UNIT {
                    self.returned = Instant::now();
                    return Ok(Some(Progress::UnitEnded(Proof::Complete)));
                }
            }
            Meaning::Whole { stream, version } => {
                if stream == self.stream && self.role == Role::Everything(Some(version)) {
                    self.mark.everything = Some(Everything::Over);
                }
            }
            Meaning::Remark(remark) => self.remarks.add(remark),
            Meaning::Nothing => {}
        }
        Ok(None)
    }

    /// A line that is longer than a record may be.
    fn set_aside(&mut self, size: u64, out: &mut BatchBuilder) -> Result<()> {
        let stream = self.stream.clone();
        let messages = self.speaker.messages();
        if !messages.has("type", "RECORD") || !messages.has("stream", &stream) {
            return Err(self.speaker.messages().failure(&format!(
                "printed a line of {size} bytes that cannot be told to be a record of `{}`; if it is one, raise max_record_bytes",
                self.stream
            )));
        }
        let head = self.speaker.messages().line().to_vec();
        self.has_stream = true;
        self.records += 1;
        self.since_state += 1;
        out.push_unreadable(
            i64::try_from(self.records).unwrap_or(i64::MAX),
            head,
            TOO_LONG,
            format!("the line of the record has {size} bytes, more than max_record_bytes allows; its beginning is kept here"),
        );
        Ok(())
    }

    fn end(&mut self) -> Result<Progress> {
        if let Err(how) = self.speaker.end() {
            return Err(self.speaker.messages().failure(&how));
        }
        let names: Vec<&str> = self.others.keys().map(String::as_str).collect();
        if !self.has_stream && !names.is_empty() {
            return Err(Error::usage(format!(
                "the program `{}` said nothing of a stream `{}`",
                self.origin, self.stream
            ))
            .detail(format!("it spoke of {}", names.join(", ")))
            .next("name one of its streams: stream => '...'"));
        }
        for (stream, records) in self.others.iter().filter(|(_, records)| **records > 0) {
            self.remarks.add(format!(
                "{}: {records} records of the stream {stream} were left out; it takes a pipeline of its own, and the catalog can deselect it here",
                self.origin
            ));
        }
        let is_over = self.is_over();
        let why = match (self.speaker.wholeness(), self.role) {
            (Wholeness::EachRun, _) => None,
            (Wholeness::Version, Role::Everything(Some(_))) if is_over => None,
            (Wholeness::Version, Role::Everything(Some(version))) => Some(format!(
                "version {version} was not said to be whole (ACTIVATE_VERSION)"
            )),
            (_, Role::None) => Some("no record came".to_owned()),
            _ => Some("only what is new was read".to_owned()),
        };
        // What is read after this end is no part of that read, or it would seem to be all of it.
        if self.speaker.wholeness() == Wholeness::EachRun
            || matches!(self.role, Role::Everything(_))
        {
            self.mark.everything = Some(Everything::Over);
        }
        Ok(Progress::End(match why {
            None => Proof::Complete,
            Some(why) => Proof::Partial(Reason::Inconclusive(why)),
        }))
    }
}

impl<S: Speaker> Source for Dialogue<S> {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        out.set_origin(&self.origin);
        if let Some(parked) = self.parked.take() {
            if out.is_full() {
                self.parked = Some(parked);
                return Ok(Progress::Full);
            }
            if parked.begins {
                self.mark.version = parked.version;
                self.records = 0;
            }
            self.push(&parked.payload, out);
        }
        loop {
            let progress = match self.speaker.messages().next()? {
                Next::End => return self.end(),
                Next::Line => self.take(out)?,
                Next::TooLong(size) => {
                    self.set_aside(size, out)?;
                    out.is_full().then_some(Progress::Full)
                }
            };
            if let Some(progress) = progress {
                return Ok(progress);
            }
        }
    }

    fn cursor(&self) -> Option<Value> {
        let has_moved = self.mark != self.before;
        has_moved.then(|| serde_json::to_value(&self.mark).unwrap_or_default())
    }

    fn is_at_start(&self) -> bool {
        self.parked.as_ref().is_some_and(|parked| parked.begins)
    }
}
