//! The source of a pipeline: the records of one stream of a tap or connector, and the states between them.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::cursor::{FullRead, ProgramCursor, ResumePoint, StateId};
use super::message_parser::Completeness;
use super::queue::{MessageReceiver, Received};
use super::router::StreamMessage;
use super::settings::ProgramSettings;
use crate::error::Result;
use crate::source::sqlstate::PROGRAM_LIMIT_EXCEEDED;
use crate::source::{BatchBuilder, Progress, Proof, Reason, Source};

/// A state ends a unit at most this often, as some programs print one with each record.
const UNIT: Duration = Duration::from_secs(1);

/// The read that records belong to, by the version of their table where the tap numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadKind {
    /// No record has come yet.
    Undecided,
    /// Everything is read.
    Full(Option<i64>),
    /// Only what is new is read.
    Incremental(Option<i64>),
}

impl ReadKind {
    /// The read of a record of `version` after `cursor`, and whether the record begins it.
    fn of(
        version: Option<i64>,
        completeness: Completeness,
        cursor: &ProgramCursor,
    ) -> (Self, bool) {
        let is_known = cursor.version == version;
        let is_over = cursor.everything == Some(FullRead::Over);
        match completeness {
            Completeness::Never => (ReadKind::Incremental(version), false),
            Completeness::EachRun => (ReadKind::Full(version), !cursor.is_on_the_way()),
            // An older version does not begin, as it may be the rest of one that began before.
            Completeness::Version
                if version.is_none() || version < cursor.version || (is_known && is_over) =>
            {
                (ReadKind::Incremental(version), false)
            }
            Completeness::Version => (ReadKind::Full(version), !is_known),
        }
    }

    /// Whether a record of `version` belongs to it as well.
    fn includes(self, version: Option<i64>, completeness: Completeness) -> bool {
        match self {
            ReadKind::Undecided => false,
            ReadKind::Full(known) | ReadKind::Incremental(known) => {
                completeness != Completeness::Version || known == version
            }
        }
    }
}

/// A record that has to wait for the next batch.
struct HeldRecord {
    payload: Vec<u8>,
    version: Option<i64>,
    /// It is the first record of a full read, and so has to be the first of its batch.
    begins: bool,
}

/// The run of the program in which the records come.
#[derive(Debug, Clone, Default)]
pub(super) struct ProgramRun {
    /// Its id, if other pipelines take part in it or may resume from its states.
    pub(super) run: Option<String>,
    /// The [`ProgramCursor::earlier`] of states in this run.
    pub(super) earlier: Option<ResumePoint>,
}

pub(super) struct ProgramStream {
    messages: MessageReceiver,
    state: StreamState,
}

/// How far the stream has been read.
struct StreamState {
    origin: String,
    completeness: Completeness,
    began: ProgramRun,
    cursor: ProgramCursor,
    /// The cursor that the run began with.
    initial: ProgramCursor,
    kind: ReadKind,
    held: Option<HeldRecord>,
    returned: Instant,
    /// Records so far, those of earlier runs included.
    records: u64,
}

impl ProgramStream {
    pub(super) fn new(
        messages: MessageReceiver,
        settings: &ProgramSettings,
        cursor: ProgramCursor,
        completeness: Completeness,
        began: ProgramRun,
    ) -> Self {
        let state = StreamState {
            origin: settings.origin(),
            completeness,
            began,
            records: cursor.records,
            initial: cursor.clone(),
            cursor,
            kind: ReadKind::Undecided,
            held: None,
            returned: Instant::now(),
        };
        ProgramStream { messages, state }
    }
}

impl StreamState {
    /// Whether a record of `version` begins a full read.
    fn begins(&mut self, version: Option<i64>) -> bool {
        if self.kind.includes(version, self.completeness) {
            return false;
        }
        let (kind, begins) = ReadKind::of(version, self.completeness, &self.cursor);
        self.kind = kind;
        begins
    }

    fn push(&mut self, payload: &[u8], out: &mut BatchBuilder) {
        match self.kind {
            // The program may print more of a version that it has called complete.
            ReadKind::Full(_) => self.cursor.everything = Some(FullRead::Begun),
            ReadKind::Incremental(_) if self.completeness == Completeness::Never => {
                self.cursor.everything = None;
            }
            ReadKind::Incremental(_) | ReadKind::Undecided => {}
        }
        self.records += 1;
        out.push(i64::try_from(self.records).unwrap_or(i64::MAX), payload);
    }

    fn take(&mut self, message: StreamMessage, out: &mut BatchBuilder) -> Option<Progress> {
        match message {
            StreamMessage::Record { payload, version } => {
                let begins = self.begins(version);
                if out.is_full() || begins {
                    self.held = Some(HeldRecord { payload, version, begins });
                    return Some(Progress::Full);
                }
                self.push(&payload, out);
            }
            StreamMessage::TooLong { size, head } => {
                self.set_aside(size, head, out);
                return out.is_full().then_some(Progress::Full);
            }
            StreamMessage::State { text, number } => {
                self.keep(text, number);
                if self.returned.elapsed() > UNIT {
                    self.returned = Instant::now();
                    return Some(Progress::UnitEnded(Proof::Complete));
                }
            }
            StreamMessage::VersionComplete(version) => {
                if self.kind == ReadKind::Full(Some(version)) {
                    self.cursor.everything = Some(FullRead::Over);
                }
            }
        }
        None
    }

    fn keep(&mut self, text: String, number: Option<u64>) {
        let run = self.began.run.as_ref().zip(number);
        self.cursor.shared = run.map(|(run, number)| StateId { run: run.clone(), number });
        self.cursor.earlier = number.and_then(|_| self.began.earlier.clone());
        self.cursor.state = Some(text);
        self.cursor.records = self.records;
    }

    /// A record in a line that is longer than it may be.
    fn set_aside(&mut self, size: u64, head: Vec<u8>, out: &mut BatchBuilder) {
        self.records += 1;
        out.push_unreadable(
            i64::try_from(self.records).unwrap_or(i64::MAX),
            head,
            PROGRAM_LIMIT_EXCEEDED,
            format!("the line of the record has {size} bytes, more than max_record_bytes allows; its beginning is kept here"),
        );
    }

    /// The program has ended well.
    fn end(&mut self, met: Option<ResumePoint>) -> Proof {
        let is_over = self.cursor.everything == Some(FullRead::Over);
        let newest = self.cursor.version.unwrap_or(i64::MIN);
        let why = match (self.completeness, self.kind) {
            (Completeness::EachRun, _) => None,
            (Completeness::Version, ReadKind::Full(Some(_))) if is_over => None,
            (Completeness::Version, ReadKind::Full(Some(version))) => {
                Some(format!("version {version} was not said to be whole (ACTIVATE_VERSION)"))
            }
            (_, ReadKind::Undecided) => Some("no record came".to_owned()),
            (Completeness::Version, ReadKind::Incremental(Some(version))) if version < newest => {
                Some(format!("version {version} came after version {newest}, which is newer"))
            }
            _ => Some("only what is new was read".to_owned()),
        };
        // Later records are no part of this read: they alone would look like all of it.
        let was_full = match self.kind {
            ReadKind::Full(_) => true,
            ReadKind::Incremental(_) => self.cursor.everything.is_some(),
            ReadKind::Undecided => false,
        };
        if self.completeness == Completeness::EachRun || was_full {
            self.cursor.everything = Some(FullRead::Over);
        }
        if met.is_some() {
            self.cursor.earlier = met;
        }
        match why {
            None => Proof::Complete,
            Some(why) => Proof::Partial(Reason::Inconclusive(why)),
        }
    }
}

impl Source for ProgramStream {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        let ProgramStream { messages, state } = self;
        out.set_origin(&state.origin);
        if let Some(held) = state.held.take() {
            if out.is_full() {
                state.held = Some(held);
                return Ok(Progress::Full);
            }
            if held.begins {
                state.cursor.version = held.version;
                state.records = 0;
            }
            state.push(&held.payload, out);
        }
        loop {
            match messages.receive()? {
                Received::Message(message) => {
                    if let Some(progress) = state.take(message, out) {
                        return Ok(progress);
                    }
                }
                // Commit what has arrived instead of waiting for more.
                Received::Silence => return Ok(Progress::UnitEnded(Proof::Complete)),
                Received::End(met) => return Ok(Progress::End(state.end(met))),
            }
        }
    }

    fn cursor(&self) -> Option<Value> {
        let StreamState { cursor, initial, .. } = &self.state;
        (cursor != initial).then(|| serde_json::to_value(cursor).unwrap_or_default())
    }

    fn is_at_start(&self) -> bool {
        let held = self.state.held.as_ref();
        held.is_some_and(|held| held.begins)
    }
}
