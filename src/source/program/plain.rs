//! A command that prints only records: all of them in each run, or, with a cursor, those after the last record of
//! the previous run. The cursor moves only at the end of a complete run.

use std::io;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::command::command;
use super::output::Output;
use super::settings::ProgramSettings;
use crate::error::{Error, Result};
use crate::source::json::{self, Pointer};
use crate::source::records::{
    CompleteInput, Compression, Content, CountingReader, Decoder, ParserState, ReadOutcome,
    RecordReader, RecordSettings, Window,
};
use crate::source::{BatchBuilder, Progress, Proof, Reason, Remarks, Source, SourceContext};

pub(super) struct Plain {
    reading: RecordReader,
    /// The member of a record that is the cursor.
    pointer: Option<Pointer>,
    mark: PlainCursor,
    /// The cursor of the last record.
    last: Option<String>,
    is_over: bool,
    remarks: Remarks,
    has_begun: bool,
    is_complete: bool,
}

/// What the pipeline's cursor keeps.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct PlainCursor {
    object: String,
    /// Records of the run.
    records: u64,
    /// The pointer to the cursor.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

impl Plain {
    pub(super) fn new(
        settings: &ProgramSettings,
        records: RecordSettings,
        cursor: Option<&Value>,
        context: &SourceContext,
    ) -> Result<Self> {
        let name = settings.origin();
        let by = settings.cursor.as_ref().map(|at| at.text().to_owned());
        let known = cursor.and_then(|cursor| PlainCursor::deserialize(cursor).ok());
        let known = known.filter(|known| known.by == by && known.object == name);
        let mark = PlainCursor {
            object: name.clone(),
            records: 0,
            by,
            cursor: known.and_then(|known| known.cursor),
        };
        let command = command(&settings.at(mark.cursor.as_deref()), context)?;
        let output = Output::of(command, &name, settings.silence(), context)?;
        let unreadable = |cause: io::Error| match cause.downcast::<Error>() {
            Ok(error) => error,
            Err(cause) => {
                Error::failed(format!("the program `{name}` cannot be read")).caused_by(cause)
            }
        };
        let decoder = Decoder::new(Compression::None, CountingReader::new(output, 0));
        let decoder = decoder.and_then(Decoder::reporting_idle);
        let window = Window::new(decoder.map_err(unreadable)?, 0);
        let mut reading =
            RecordReader::new(&name, CompleteInput("program"), Compression::None, window);
        reading.begin(&records, settings.protocol.format(), ParserState::default())?;
        Ok(Plain {
            reading,
            pointer: settings.cursor.clone(),
            mark,
            last: None,
            is_over: false,
            remarks: context.remarks.clone(),
            has_begun: false,
            is_complete: settings.complete.unwrap_or(settings.cursor.is_none()),
        })
    }
}

impl Source for Plain {
    fn read(&mut self, out: &mut BatchBuilder) -> Result<Progress> {
        out.set_origin(self.reading.name());
        let before = out.rows();
        let progress = self.reading.try_read_into(out);
        if let (Some(pointer), true) = (&self.pointer, out.rows() > before) {
            self.last = out.last_payload().and_then(|record| value(record, pointer));
        }
        let progress = progress?;
        self.has_begun |= out.rows() > 0;
        match progress {
            Some(ReadOutcome::BatchFull) => return Ok(Progress::Full),
            // Commit what has arrived instead of waiting for more.
            None => return Ok(Progress::UnitEnded(Proof::Complete)),
            Some(ReadOutcome::EndOfInput) => {}
        }
        for remark in self.reading.note().into_iter().chain(self.reading.remark()) {
            self.remarks.add(remark);
        }
        self.end();
        Ok(Progress::End(match self.is_complete {
            true => Proof::Complete,
            false => Proof::Partial(Reason::Inconclusive("only what is new was read".to_owned())),
        }))
    }

    fn cursor(&self) -> Option<Value> {
        let (_, records) = self.reading.progress();
        let mark = PlainCursor { records, ..self.mark.clone() };
        (records > 0).then(|| serde_json::to_value(mark).unwrap_or_default())
    }

    fn is_at_start(&self) -> bool {
        !self.has_begun && self.is_complete
    }
}

impl Plain {
    /// The program has exited successfully.
    fn end(&mut self) {
        let (_, records) = self.reading.progress();
        match (&self.pointer, self.last.take()) {
            (None, _) => {}
            (_, Some(last)) => self.mark.cursor = Some(last),
            (Some(pointer), None) if records > 0 && !self.is_over => self.remarks.add(format!(
                "{}: the last record has no text or number at {}, so the next run is given the same cursor as this one",
                self.mark.object,
                pointer.text()
            )),
            _ => {}
        }
        self.is_over = true;
    }
}

/// The text or the number in a record to which a pointer leads.
fn value(record: &[u8], pointer: &Pointer) -> Option<String> {
    let found = json::find(record, &[pointer]).ok()?.pop().flatten()?;
    let found = &record[found];
    let text = match found.first()? {
        b'"' => json::string(found)?,
        b'-' | b'0'..=b'9' => String::from_utf8(found.to_vec()).ok()?,
        _ => return None,
    };
    // Arguments cannot contain NUL, and an empty cell is no cursor.
    (!text.is_empty() && !text.contains('\0')).then_some(text)
}
