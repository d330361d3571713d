//! An object being read, perhaps resumed.

use std::io::{self, Read};
use std::sync::Arc;

use super::body::{BodyState, ObjectBody, ObjectChange};
use super::fetch::IncomingObject;
use super::fetch_handle::FetchHandle;
use super::identity::ObjectProgress;
use super::listing::ObjectCandidate;
use super::settings::ObjectSettings;
use crate::error::{Error, Result};
use crate::source::ObjectState;
use crate::source::parquet;
use crate::source::records::{
    CompleteInput, Compression, Content, CountingReader, Decoder, ParserState, Position,
    RecordReader, Resumed, Window, damaged,
};
use crate::source::units::{self, Unit};

/// The difference of an object that is replaced between two of its parts.
pub(super) const WHILE_READ: &str = "while it was read";

/// An object being read.
pub(super) struct ObjectReading {
    content: Box<dyn Content>,
    pub(super) candidate: Arc<ObjectCandidate>,
    body_state: BodyState,
}

/// The result of opening an object.
pub(super) enum OpenedObject {
    Reading(Box<ObjectReading>),
    /// It is not what an earlier run began to read: how it differs.
    Changed(String),
    /// Its first bytes could not be fetched.
    PartError(Option<ObjectChange>, Error),
}

impl ObjectReading {
    /// Reads the first bytes, to detect compression and format, or resumes.
    pub(super) fn open(
        settings: &ObjectSettings,
        found: IncomingObject,
        fetching: &FetchHandle,
    ) -> OpenedObject {
        let IncomingObject { candidate, start, body } = found;
        let body_state = body.body_state();
        let reading = |content| ObjectReading {
            content,
            candidate: Arc::clone(&candidate),
            body_state: body_state.clone(),
        };
        match Self::begin(settings, &candidate, start, body, fetching) {
            Ok(parquet::Opened::Content(content)) => {
                OpenedObject::Reading(Box::new(reading(content)))
            }
            Ok(parquet::Opened::Changed(difference)) => OpenedObject::Changed(difference),
            Ok(parquet::Opened::Unfinished(what)) => {
                let error = parquet::unfinished("object", &candidate.name, &what);
                OpenedObject::PartError(None, error)
            }
            Err(error) => OpenedObject::PartError(body_state.change(), error),
        }
    }

    fn begin(
        settings: &ObjectSettings,
        candidate: &Arc<ObjectCandidate>,
        start: u64,
        mut body: ObjectBody,
        fetching: &FetchHandle,
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
            let ranges = fetching.ranges(candidate, &body.body_state());
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
                    return Ok(parquet::Opened::Changed(difference));
                }
                Err(cause) => return Err(damaged("object", name, compression, &window, cause)),
            }
            parser = position.parser.clone();
        }
        let mut reading = RecordReader::new(name, CompleteInput("object"), compression, window);
        reading.can_reopen = true;
        reading.begin(&settings.records, known.and_then(|position| position.format), parser)?;
        if let Some(position) = known {
            reading.resume(position);
        }
        Ok(parquet::Opened::Content(Box::new(reading)))
    }

    pub(super) fn position(&self) -> Position {
        self.content.position()
    }

    /// Whether earlier batches contain records of it.
    pub(super) fn is_handed_out(&self) -> bool {
        self.candidate.position.is_some() || self.content.is_handed_out()
    }
}

impl Unit for ObjectReading {
    fn content(&mut self) -> &mut dyn Content {
        self.content.as_mut()
    }

    fn state(&self) -> Result<Option<ObjectState>> {
        let state = ObjectProgress {
            identity: self.candidate.identity.clone(),
            position: self.content.position(),
            is_done: self.content.is_done(),
        };
        state.to_object(&self.candidate.name).map(Some)
    }

    fn change(&self) -> Result<Option<units::UnitChange>> {
        Ok(match self.body_state.change() {
            Some(ObjectChange::Replaced) => {
                Some(units::UnitChange::Replaced(WHILE_READ.to_owned()))
            }
            Some(ObjectChange::Gone) if !self.is_handed_out() => Some(units::UnitChange::Gone),
            _ => None,
        })
    }

    fn is_archived(&self) -> bool {
        matches!(self.body_state.change(), Some(ObjectChange::Archived))
    }

    fn check_end(&self) -> Result<()> {
        // The body ends only where the object does, but a decoder may stop before.
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
