//! The first records of a source, read as a run would read them.

use super::evidence::Field;
use super::members::Members;
use crate::error::Result;
use crate::source::{
    self, BatchBuilder, BatchLimits, DeclaredField, Progress, Proof, Reason, RowFields, Source,
    SourceContext, Start, StreamSource,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{Cursor, Read};
use std::sync::Arc;

/// Where samples are taken from.
pub(super) struct Sampler {
    context: SourceContext,
    /// What came on standard input, which can be read once.
    piped: Option<Vec<u8>>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Sample {
    pub(super) records: u64,
    /// Of the records, as one.
    pub(super) field: Field,
    /// But for the first.
    pub(super) rest: Field,
    /// The first of them, as it came.
    pub(super) first: String,
    /// Files, objects, pages.
    pub(super) origins: BTreeSet<String>,
    pub(super) bad: u64,
    /// What the files say about the fields of their records, if all that were looked at agree.
    pub(super) declared: Vec<DeclaredField>,
    /// Who said it last.
    declared_by: Option<Arc<[DeclaredField]>>,
    /// Some contain bytes that are not UTF-8.
    pub(super) is_foreign: bool,
    /// What is wrong with the first bad one, and its SQLSTATE.
    pub(super) fault: Option<(&'static str, String)>,
    /// Why there may be more than could be read.
    pub(super) unread: Option<String>,
}

/// How much of standard input is looked at.
const PIPED: u64 = 16 << 20;

impl Sampler {
    pub(super) fn new(context: SourceContext) -> Self {
        Sampler { context, piped: None }
    }

    pub(super) fn source_context(&self) -> &SourceContext {
        &self.context
    }

    /// Reads standard input, if the records come from there.
    pub(super) fn prepare(&mut self, settings: &Value) -> Result<()> {
        if settings["kind"] == "file" && settings["path"] == "-" {
            let mut head = Vec::new();
            std::io::stdin().take(PIPED).read_to_end(&mut head).map_err(|cause| {
                crate::error::Error::failed("cannot read standard input").caused_by(cause)
            })?;
            if head.len() as u64 == PIPED {
                // The last line is not whole.
                head.truncate(memchr::memrchr(b'\n', &head).map_or(head.len(), |at| at + 1));
            }
            self.piped = Some(head);
        }
        Ok(())
    }

    /// Up to `most` records of the source that `settings` describe.
    pub(super) fn take(&self, settings: &Value, most: u64) -> Result<Sample> {
        let mut sample = Sample::default();
        let (origins, unread) = self.read(settings, most, |out| sample.note(out))?;
        (sample.origins, sample.unread) = (origins, unread);
        Ok(sample)
    }

    /// Up to `most` rows of separated fields, whatever their number.
    pub(super) fn rows(&self, settings: &Value, most: u64) -> Result<Vec<Row>> {
        let mut settings = settings.clone();
        settings["header"] = json!(false);
        settings["columns"] = json!(["row"]);
        for name in ["null_string", "require"] {
            settings[name] = Value::Null;
        }
        let mut fields = RowFields::new(&settings)?;
        let mut rows = Vec::new();
        self.read(&settings, most, |out| rows.extend(Row::of(out, &mut fields)))?;
        Ok(rows)
    }

    /// Gives each record by itself; returns what they were in, and why there may be more.
    fn read(
        &self,
        settings: &Value,
        most: u64,
        mut note: impl FnMut(&BatchBuilder),
    ) -> Result<(BTreeSet<String>, Option<String>)> {
        let mut source = self.open(settings)?;
        let limits = BatchLimits { rows: 1, bytes: usize::MAX, digests: false };
        let (mut noted, mut origins) = (0, BTreeSet::new());
        while noted < most {
            let mut out = BatchBuilder::new(limits);
            let progress = source.read(&mut out)?;
            noted += u64::from(out.last().is_some());
            note(&out);
            let batch = out.finish(Value::Null);
            origins.extend(batch.origins.into_iter().map(|span| span.origin));
            match progress {
                Progress::End(Proof::Partial(Reason::Waiting { why, .. })) => {
                    return Ok((origins, Some(why)));
                }
                Progress::End(_) => break,
                _ => {}
            }
        }
        Ok((origins, None))
    }

    fn open(&self, settings: &Value) -> Result<Box<dyn Source>> {
        let mut settings = settings.clone();
        if let Some(piped) = &self.piped {
            let input = Box::new(Cursor::new(piped.clone()));
            return Ok(Box::new(StreamSource::new(&settings, input, &self.context)?));
        }
        match settings["kind"].as_str() {
            // Whether a file is still being written is of no interest here.
            Some("file") => settings["settle_seconds"] = json!(0),
            // One page at a time, and no more pages than are looked at.
            Some("http") => settings["prefetch"] = json!(1),
            _ => {}
        }
        source::open(&settings, Start::default(), &self.context)
    }
}

/// A row of separated fields.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: i64,
    pub(super) text: String,
    pub(super) fields: Vec<String>,
    pub(super) has_open_quote: bool,
    pub(super) is_foreign: bool,
}

impl Row {
    /// The last record, which was read as a row of a single field.
    fn of(out: &BatchBuilder, fields: &mut RowFields) -> Option<Self> {
        let (line, found) = out.last()?;
        let row = match found {
            Ok(json) => {
                let members = Members::of(str::from_utf8(json).ok()?)?;
                let text: String = serde_json::from_str(members.0.first()?.1.get()).ok()?;
                let fields = vec![text.clone()];
                Row { line, text, fields, has_open_quote: false, is_foreign: false }
            }
            Err(unreadable) => {
                let text = String::from_utf8_lossy(&unreadable.payload);
                let (fields, has_open_quote) = fields.of(&text);
                let is_foreign = std::str::from_utf8(&unreadable.payload).is_err();
                Row { line, fields, has_open_quote, is_foreign, text: text.into_owned() }
            }
        };
        Some(row)
    }
}

impl Sample {
    fn note_declared(&mut self, fields: &Arc<[DeclaredField]>) {
        match &self.declared_by {
            Some(known) if Arc::ptr_eq(known, fields) => return,
            Some(_) => {
                let is_same = |known: &DeclaredField, field: &DeclaredField| {
                    known.name == field.name && known.sql == field.sql
                };
                self.declared.retain(|known| fields.iter().any(|field| is_same(known, field)));
            }
            None => self.declared = fields.to_vec(),
        }
        self.declared_by = Some(Arc::clone(fields));
    }

    fn note(&mut self, out: &BatchBuilder) {
        if let Some(fields) = out.declared() {
            self.note_declared(fields);
        }
        match out.last() {
            None => {}
            Some((_, Ok(payload))) => {
                // Text, as it is not among the unreadable.
                let json = String::from_utf8_lossy(payload);
                let json = json.trim();
                match self.records {
                    0 => self.first = json.to_owned(),
                    _ => self.rest.note(json),
                }
                self.records += 1;
                self.field.note(json);
            }
            Some((_, Err(unreadable))) => {
                self.bad += 1;
                self.is_foreign |= std::str::from_utf8(&unreadable.payload).is_err();
                self.fault.get_or_insert((unreadable.sqlstate, unreadable.message.clone()));
            }
        }
    }
}
