//! One object being read, with what was known of it before.

use std::io::{self, Read};
use std::sync::Arc;

use super::body::{Lines, Trouble};
use super::fetch::Found;
use super::identity::state;
use super::listing::Candidate;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::source::records::{
    Compression, Decoder, Input, Parser, Raw, Reading, Resumed, Settled, Window, damaged,
};
use crate::source::{BatchBuilder, ObjectState};

/// How much tells the compression.
const MAGIC: u64 = 4;

/// An object is complete when it can be seen: nothing will be added to it.
struct Complete;

impl Input for Complete {
    fn noun(&self) -> &'static str {
        "object"
    }

    fn may_go_on(&self) -> bool {
        false
    }

    fn settle(&mut self, _: u64) -> io::Result<Settled> {
        Ok(Settled::Whole)
    }
}

/// An object being read.
pub(super) struct ObjectReading {
    pub(super) reading: Reading,
    pub(super) candidate: Arc<Candidate>,
    lines: Lines,
    /// Records of it may have been committed.
    pub(super) is_handed_out: bool,
}

/// What opening an object came to.
pub(super) enum Opened {
    Reading(Box<ObjectReading>),
    /// It is not what it was when an earlier run began it: in which respect.
    Elsewhere(String),
    /// Its first bytes did not come.
    Lost(Option<Trouble>, Error),
}

impl ObjectReading {
    /// Looks at the first bytes of the object, or of what is left of it.
    pub(super) fn open(settings: &Settings, found: Found) -> Opened {
        let Found {
            candidate,
            start,
            body,
        } = found;
        let lines = body.lines();
        match Self::begin(settings, Arc::clone(&candidate), start, body, lines.clone()) {
            Ok(opened) => opened,
            Err(error) => Opened::Lost(lines.trouble(), error),
        }
    }

    fn begin(
        settings: &Settings,
        candidate: Arc<Candidate>,
        start: u64,
        mut body: super::body::Body,
        lines: Lines,
    ) -> Result<Opened> {
        let name = candidate.name.as_str();
        let lost = |cause: io::Error| match cause.downcast::<Error>() {
            Ok(error) => error,
            Err(cause) => Error::failed(format!("cannot read `{name}`")).caused_by(cause),
        };
        let known = candidate.position.as_ref();
        let mut head = Vec::new();
        let compression = match known {
            Some(position) => position.compression,
            None => {
                let first = body.by_ref().take(MAGIC);
                let mut first = first;
                first.read_to_end(&mut head).map_err(lost)?;
                Compression::detect(settings.records.compression, name, &head)
            }
        };
        let raw = Raw::new(io::Cursor::new(head).chain(body), start);
        let mut window = Window::new(Decoder::new(compression, raw).map_err(lost)?, start);
        let mut parser = Parser::default();
        if let Some(position) = known {
            match window.resume(&position.place) {
                Ok(Resumed::There) => {}
                Ok(Resumed::Elsewhere(difference)) => return Ok(Opened::Elsewhere(difference)),
                Err(cause) => return Err(damaged("object", name, compression, &window, cause)),
            }
            parser = position.parser.clone();
        }
        let mut reading = Reading::new(name, Complete, compression, window);
        reading.begin(
            &settings.records,
            known.and_then(|position| position.format),
            parser,
        )?;
        let is_handed_out = known.is_some();
        Ok(Opened::Reading(Box::new(ObjectReading {
            reading,
            candidate,
            lines,
            is_handed_out,
        })))
    }

    /// Adds records to `out` until it is full or the object ends. True at its end.
    pub(super) fn read_into(&mut self, out: &mut BatchBuilder) -> Result<bool> {
        use crate::source::records::Progress;
        if self.reading.read_into(out)? == Progress::BatchIsFull {
            return Ok(false);
        }
        // The body ends by itself only where the object does; this is for what reads it.
        let (read, size) = (
            self.reading.window.raw_position(),
            self.candidate.identity.size,
        );
        if read != size {
            return Err(Error::failed(format!(
                "object `{}` has {size} bytes, of which {read} were read",
                self.candidate.name
            ))
            .next("run again; if it stays so, its content is damaged"));
        }
        Ok(true)
    }

    /// What happened to the object while it was read.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.lines.trouble()
    }

    /// What to remember of the object as far as it was read.
    pub(super) fn state(&self) -> Result<ObjectState> {
        state(
            &self.candidate.name,
            &self.candidate.identity,
            &self.reading.position(),
            self.reading.is_done(),
        )
    }
}
