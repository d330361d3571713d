//! An object that is being read, and what was known of it before.

use std::io::{self, Read};
use std::sync::Arc;

use super::body::{Body, BodyState, Trouble};
use super::fetch::Found;
use super::fetching::Fetching;
use super::identity::State;
use super::listing::Candidate;
use super::settings::Settings;
use crate::error::{Error, Result};
use crate::source::ObjectState;
use crate::source::parquet;
use crate::source::records::{
    CompleteInput, Compression, Content, CountingReader, Decoder, ParserState, Position,
    RecordReader, Resumed, Window, damaged,
};
use crate::source::units::{self, Unit};

/// What to say about an object that is replaced between two of its parts.
pub(super) const WHILE_READ: &str = "while it was read";

/// An object being read.
pub(super) struct ObjectReading {
    content: Box<dyn Content>,
    pub(super) candidate: Arc<Candidate>,
    lines: BodyState,
}

/// What opening an object came to.
pub(super) enum Opened {
    Reading(Box<ObjectReading>),
    /// It is not what it was when an earlier run began it; says in which respect.
    Elsewhere(String),
    /// Its first bytes did not come.
    LostPart(Option<Trouble>, Error),
}

impl ObjectReading {
    /// Looks at the first bytes of the object, or of what is left of it.
    pub(super) fn open(settings: &Settings, found: Found, fetching: &Fetching) -> Opened {
        let Found {
            candidate,
            start,
            body,
        } = found;
        let lines = body.lines();
        let reading = |content| ObjectReading {
            content,
            candidate: Arc::clone(&candidate),
            lines: lines.clone(),
        };
        match Self::begin(settings, &candidate, start, body, fetching) {
            Ok(parquet::Opened::There(content)) => Opened::Reading(Box::new(reading(content))),
            Ok(parquet::Opened::Elsewhere(difference)) => Opened::Elsewhere(difference),
            Ok(parquet::Opened::Unfinished(what)) => {
                let error = parquet::unfinished("object", &candidate.name, &what);
                Opened::LostPart(None, error)
            }
            Err(error) => Opened::LostPart(lines.trouble(), error),
        }
    }

    fn begin(
        settings: &Settings,
        candidate: &Arc<Candidate>,
        start: u64,
        mut body: Body,
        fetching: &Fetching,
    ) -> Result<parquet::Opened> {
        let name = candidate.name.as_str();
        let lost = |cause: io::Error| match cause.downcast::<Error>() {
            Ok(error) => error,
            Err(cause) => Error::failed(format!("cannot read `{name}`")).caused_by(cause),
        };
        let known = candidate.position.as_ref();
        let mut head = Vec::new();
        if known.is_none() && !candidate.is_parquet {
            let mut first = body.by_ref().take(Compression::MAGIC);
            first.read_to_end(&mut head).map_err(lost)?;
        }
        if candidate.is_parquet || parquet::is_meant(&settings.records, known, &head) {
            let ranges = fetching.ranges(candidate, &body.lines());
            drop(body);
            return parquet::open("object", name, ranges, &settings.records, known);
        }
        let compression = match known {
            Some(position) => position.compression,
            None => Compression::detect(settings.records.compression, name, &head),
        };
        let raw = CountingReader::new(io::Cursor::new(head).chain(body), start);
        let mut window = Window::new(Decoder::new(compression, raw).map_err(lost)?, start);
        let mut parser = ParserState::default();
        if let Some(position) = known {
            match window.resume(&position.place) {
                Ok(Resumed::Unchanged) => {}
                Ok(Resumed::Changed(difference)) => {
                    return Ok(parquet::Opened::Elsewhere(difference));
                }
                Err(cause) => return Err(damaged("object", name, compression, &window, cause)),
            }
            parser = position.parser.clone();
        }
        let mut reading = RecordReader::new(name, CompleteInput("object"), compression, window);
        reading.can_reopen = true;
        reading.begin(
            &settings.records,
            known.and_then(|position| position.format),
            parser,
        )?;
        if let Some(position) = known {
            reading.resume(position);
        }
        Ok(parquet::Opened::There(Box::new(reading)))
    }

    pub(super) fn position(&self) -> Position {
        self.content.position()
    }

    /// Whether batches before the current one contain records of it.
    pub(super) fn is_handed_out(&self) -> bool {
        self.candidate.position.is_some() || self.content.is_handed_out()
    }
}

impl Unit for ObjectReading {
    fn content(&mut self) -> &mut dyn Content {
        self.content.as_mut()
    }

    fn state(&self) -> Result<Option<ObjectState>> {
        let state = State {
            identity: self.candidate.identity.clone(),
            position: self.content.position(),
            is_done: self.content.is_done(),
        };
        state.to_object(&self.candidate.name).map(Some)
    }

    fn trouble(&self) -> Result<Option<units::Trouble>> {
        Ok(match self.lines.trouble() {
            Some(Trouble::Replaced) => Some(units::Trouble::Replaced(WHILE_READ.to_owned())),
            Some(Trouble::Gone) if !self.is_handed_out() => Some(units::Trouble::Gone),
            _ => None,
        })
    }

    fn is_put_away(&self) -> bool {
        matches!(self.lines.trouble(), Some(Trouble::Archived))
    }

    fn check_end(&self) -> Result<()> {
        // The body ends by itself only where the object does; this is for what reads it.
        let (read, size) = (self.content.raw_position(), self.candidate.identity.size);
        if read == size {
            return Ok(());
        }
        Err(Error::failed(format!(
            "object `{}` has {size} bytes, of which {read} were read",
            self.candidate.name
        ))
        .next("run again; if it stays so, its content is damaged"))
    }
}
