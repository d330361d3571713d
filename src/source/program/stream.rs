//! The source of a pipeline: the records of one stream of a tap or connector, and the states between them.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::mark::{FullRead, Mark, Place, Point};
use super::message_parser::Completeness;
use super::queue::{Received, Receiver};
use super::router::Message;
use super::settings::Settings;
use crate::error::Result;
use crate::source::{BatchBuilder, Progress, Proof, Reason, Source};

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
    FullRead(Option<i64>),
    /// Something new.
    News(Option<i64>),
}

struct Parked {
    payload: Vec<u8>,
    version: Option<i64>,
    /// It is the first of a read of everything.
    begins: bool,
}

/// The run of the program in which the records come.
#[derive(Debug, Clone, Default)]
pub(super) struct ProgramRun {
    /// Its name, if other pipelines take part in it, or may go by it.
    pub(super) run: Option<String>,
    /// What stands behind a state of it in the mark.
    pub(super) earlier: Option<Point>,
}

pub(super) struct Stream {
    messages: Receiver,
    state: StreamState,
}

/// Where the source is, as far as records were taken.
struct StreamState {
    origin: String,
    completeness: Completeness,
    began: ProgramRun,
    mark: Mark,
    before: Mark,
    role: Role,
    /// A record that begins another read, or is too much for the batch.
    parked: Option<Parked>,
    returned: Instant,
    /// Records in all, with those of earlier runs.
    records: u64,
}

impl Stream {
    pub(super) fn new(
        messages: Receiver,
        settings: &Settings,
        mark: Mark,
        completeness: Completeness,
        began: ProgramRun,
    ) -> Self {
        let state = StreamState {
            origin: settings.origin(),
            completeness,
            began,
            records: mark.records,
            before: mark.clone(),
            mark,
            role: Role::None,
            parked: None,
            returned: Instant::now(),
        };
        Stream { messages, state }
    }
}

impl StreamState {
    /// Whether a record of `version` begins to read everything. It has to be the first of its batch.
    fn begins(&mut self, version: Option<i64>) -> bool {
        let is_same = match self.role {
            Role::None => false,
            Role::FullRead(_) | Role::News(_) if self.completeness != Completeness::Version => true,
            Role::FullRead(known) | Role::News(known) => known == version,
        };
        if is_same {
            return false;
        }
        let goes_on = match self.completeness {
            Completeness::EachRun => self.mark.is_on_the_way(),
            Completeness::Version => {
                version.is_some() && self.mark.version == version && !self.is_over()
            }
            Completeness::Never => false,
        };
        let is_news = match self.completeness {
            Completeness::EachRun => false,
            Completeness::Version => {
                version.is_none() || (self.mark.version == version && self.is_over())
            }
            Completeness::Never => true,
        };
        self.role = match is_news {
            true => Role::News(version),
            false => Role::FullRead(version),
        };
        !goes_on && !is_news
    }

    fn is_over(&self) -> bool {
        self.mark.everything == Some(FullRead::Over)
    }

    fn push(&mut self, payload: &[u8], out: &mut BatchBuilder) {
        match self.role {
            // Perhaps more of what was said to be whole.
            Role::FullRead(_) => self.mark.everything = Some(FullRead::Begun),
            Role::News(_) if self.completeness == Completeness::Never => {
                self.mark.everything = None;
            }
            Role::News(_) | Role::None => {}
        }
        self.records += 1;
        out.push(i64::try_from(self.records).unwrap_or(i64::MAX), payload);
    }

    fn take(&mut self, message: Message, out: &mut BatchBuilder) -> Option<Progress> {
        match message {
            Message::Record { payload, version } => {
                let begins = self.begins(version);
                if out.is_full() || begins {
                    self.parked = Some(Parked {
                        payload,
                        version,
                        begins,
                    });
                    return Some(Progress::Full);
                }
                self.push(&payload, out);
            }
            Message::TooLong { size, head } => {
                self.set_aside(size, head, out);
                return out.is_full().then_some(Progress::Full);
            }
            Message::State { text, number } => {
                self.keep(text, number);
                // Some give a state with each record.
                if self.returned.elapsed() > UNIT {
                    self.returned = Instant::now();
                    return Some(Progress::UnitEnded(Proof::Complete));
                }
            }
            Message::Whole(version) => {
                if self.role == Role::FullRead(Some(version)) {
                    self.mark.everything = Some(FullRead::Over);
                }
            }
        }
        None
    }

    fn keep(&mut self, text: String, number: Option<u64>) {
        let run = self.began.run.as_ref().zip(number);
        self.mark.shared = run.map(|(run, number)| Place {
            run: run.clone(),
            number,
        });
        self.mark.earlier = number.and_then(|_| self.began.earlier.clone());
        self.mark.state = Some(text);
        self.mark.records = self.records;
    }

    /// A record in a line that is longer than it may be.
    fn set_aside(&mut self, size: u64, head: Vec<u8>, out: &mut BatchBuilder) {
        self.records += 1;
        out.push_unreadable(
            i64::try_from(self.records).unwrap_or(i64::MAX),
            head,
            TOO_LONG,
            format!("the line of the record has {size} bytes, more than max_record_bytes allows; its beginning is kept here"),
        );
    }

    /// The program has ended well.
    fn end(&mut self, met: Option<Point>) -> Proof {
        let is_over = self.is_over();
        let why = match (self.completeness, self.role) {
            (Completeness::EachRun, _) => None,
            (Completeness::Version, Role::FullRead(Some(_))) if is_over => None,
            (Completeness::Version, Role::FullRead(Some(version))) => Some(format!(
                "version {version} was not said to be whole (ACTIVATE_VERSION)"
            )),
            (_, Role::None) => Some("no record came".to_owned()),
            _ => Some("only what is new was read".to_owned()),
        };
        // What is read after this end is no part of that read, or it would seem to be all of it.
        if self.completeness == Completeness::EachRun || matches!(self.role, Role::FullRead(_)) {
            self.mark.everything = Some(FullRead::Over);
        }
        if met.is_some() {
            self.mark.earlier = met;
        }
        match why {
            None => Proof::Complete,
            Some(why) => Proof::Partial(Reason::Inconclusive(why)),
        }
    }
}

impl Source for Stream {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        let Stream { messages, state } = self;
        out.set_origin(&state.origin);
        if let Some(parked) = state.parked.take() {
            if out.is_full() {
                state.parked = Some(parked);
                return Ok(Progress::Full);
            }
            if parked.begins {
                state.mark.version = parked.version;
                state.records = 0;
            }
            state.push(&parked.payload, out);
        }
        loop {
            match messages.receive()? {
                Received::Message(message) => {
                    if let Some(progress) = state.take(message, out) {
                        return Ok(progress);
                    }
                }
                // What has come need not wait for what comes behind.
                Received::Silence => return Ok(Progress::UnitEnded(Proof::Complete)),
                Received::End(met) => return Ok(Progress::End(state.end(met))),
            }
        }
    }

    fn cursor(&self) -> Option<Value> {
        let StreamState { mark, before, .. } = &self.state;
        (mark != before).then(|| serde_json::to_value(mark).unwrap_or_default())
    }

    fn is_at_start(&self) -> bool {
        let parked = self.state.parked.as_ref();
        parked.is_some_and(|parked| parked.begins)
    }
}
