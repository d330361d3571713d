//! Pages that are one JSON document. Only brackets, quotes and keys are looked at, so that invalid JSON
//! in one record does not affect the others.

use std::ops::Range;

use super::hints::{COUNTS, ERRORS, MORE_PAGES, is_error};
use super::{Page, PageParser, PageRecord, PageRecordFault};
use crate::error::{Error, Result};
use crate::http::transport::{permanent, transient};
use crate::retry::RetryError;
use crate::source::batch::{KEPT_OF_OVERSIZED, oversized};
use crate::source::http::settings::{RecordsShape, digest};
use crate::source::http::value::Extracted;
use crate::source::json::{self, JsonError, Outline, Parts, Pointer};
use crate::source::sqlstate::{INVALID_TEXT_REPRESENTATION, PROGRAM_LIMIT_EXCEEDED};

impl PageParser<'_> {
    pub(super) fn read_json(&self, page: &mut Page) -> Result<(), RetryError> {
        let reader = self.reader;
        let locators = reader.paging.locators();
        let in_body: Vec<(usize, &Pointer)> = locators
            .iter()
            .enumerate()
            .filter_map(|(index, locator)| Some((index, locator.as_ref()?.in_body()?)))
            .collect();
        let conditions = reader.retry_when.iter().chain(&reader.fail_when);
        let conditions: Vec<&Pointer> = conditions.map(|condition| &condition.pointer).collect();
        let mut pointers = vec![&reader.content.records];
        pointers.extend(&conditions);
        pointers.extend(in_body.iter().map(|(_, pointer)| pointer));
        pointers.extend(ERRORS.iter());
        pointers.extend(MORE_PAGES.iter());
        if self.has_counts() {
            pointers.extend(COUNTS.iter());
        }
        let (spans, parts) = self.walk(&pointers)?;
        let mut values = spans.iter().map(|span| {
            let span = span.clone()?;
            Some(&self.body[span])
        });
        let _ = values.next();
        let checked: Vec<Option<&[u8]>> = values.by_ref().take(conditions.len()).collect();
        self.check(&checked)?;
        let signals = page.signals.in_order();
        for ((index, _), value) in in_body.iter().zip(values.by_ref()) {
            *signals[*index] = value.map(Extracted::of_json);
        }
        let errors = values.by_ref().take(ERRORS.len());
        let error = ERRORS.iter().zip(errors).find(|(_, value)| is_error(*value));
        self.take_records(page, spans[0].clone(), parts, error.is_some())?;
        let is_known = |pointer: &Pointer| conditions.contains(&pointer);
        if let Some((pointer, Some(value))) =
            error.filter(|(pointer, _)| pointer.text() == "/errors" && !is_known(pointer))
        {
            page.note_errors(pointer, value);
        }
        let leads: Vec<_> = MORE_PAGES.iter().zip(values.by_ref()).collect();
        page.more = page.find_more(leads.into_iter(), COUNTS.iter().zip(values));
        Ok(())
    }

    fn walk(&self, pointers: &[&Pointer]) -> Result<Outline, RetryError> {
        let nothing = || (vec![None; pointers.len()], Parts::default());
        let shape = match self.reader.content.shape {
            RecordsShape::Array => json::Container::Array,
            RecordsShape::Object | RecordsShape::Members => json::Container::Object,
        };
        self.refuse_html()?;
        match self.body.trim_ascii_start().first() {
            Some(b'{' | b'[') => json::find_parts(&self.body, pointers, shape),
            None => Err(JsonError::Incomplete),
            Some(_) if b"null" == self.body.trim_ascii() => Ok(nothing()),
            Some(_) => Err(JsonError::Malformed(0)),
        }
        .map_err(|fault| match fault {
            JsonError::Incomplete => transient(Error::failed(format!(
                "the answer of {} ends inside its JSON, after {} bytes",
                self.origin,
                self.body.len()
            ))),
            JsonError::Repeated => permanent(
                self.error(format!(
                    "`{}` stands twice in the answer of {}, and only one of them would be read",
                    self.reader.content.records.text(),
                    self.origin
                ))
                .next("ask whoever runs the API to send the records once; nothing of this page was loaded"),
            ),
            JsonError::Malformed(at) => {
                let error = self.error(format!(
                    "the answer of {} is not JSON, as byte {} shows",
                    self.origin,
                    at + 1
                ));
                permanent(error.next("check that the url is that of the API, and `format`"))
            }
        })
    }

    /// Takes the records at the pointer. Some servers write null instead of an empty array.
    fn take_records(
        &self,
        page: &mut Page,
        span: Option<Range<usize>>,
        parts: Parts,
        is_error: bool,
    ) -> Result<(), RetryError> {
        let shape = self.reader.content.shape;
        let pointer = self.reader.content.records.text();
        let place = match pointer {
            "" => "the answer".to_owned(),
            pointer => format!("`{pointer}` in the answer"),
        };
        let begins = span.as_ref().map(|span| self.body[span.start]);
        let (what, next) = match (shape, begins) {
            (RecordsShape::Array, Some(b'[')) | (RecordsShape::Members, Some(b'{')) => {
                self.hold_parts(page, span.unwrap_or_default(), parts);
                return Ok(());
            }
            (RecordsShape::Object, Some(b'{')) => {
                let span = span.unwrap_or_default();
                let whole = Parts { spans: vec![place_of(&span)], faults: Vec::new() };
                self.hold_parts(page, span, whole);
                return Ok(());
            }
            (_, Some(b'n')) => return Ok(()),
            (_, None) if self.body.trim_ascii() == b"null" => return Ok(()),
            (_, None) => (
                format!("there is no {place} of {}", self.origin),
                "say where the records are: records => '/data'; if this is an error in disguise: fail_when, retry_when",
            ),
            (RecordsShape::Array, Some(b'{')) => (
                format!("{place} of {} is an object, not an array of records", self.origin),
                "say where the array is: records => '/data'; if the object is a record: shape => 'object'; if its members are: shape => 'members'; if this is an error in disguise: fail_when, retry_when",
            ),
            (RecordsShape::Array, Some(_)) => (
                format!("{place} of {} is not an array of records", self.origin),
                "say where the array is: records => '/data'",
            ),
            (RecordsShape::Object | RecordsShape::Members, Some(_)) => (
                format!("{place} of {} is not an object", self.origin),
                "say where the object is: records => '/data'; leave `shape` out if it is an array of records",
            ),
        };
        let error = self.error(what).next(next);
        match begins {
            None if !is_error => page.missing = Some(error),
            _ => return Err(permanent(error)),
        }
        Ok(())
    }

    fn hold_parts(&self, page: &mut Page, whole: Range<usize>, parts: Parts) {
        page.digest = digest(&self.body[whole]);
        page.are_members = self.reader.content.shape == RecordsShape::Members;
        let max = self.reader.content.lines.max_record_bytes;
        let mut faults = parts.faults.into_iter().peekable();
        let mut found = Vec::new();
        let records = parts.spans.into_iter().enumerate().map(|(index, mut span)| {
            if let Some((_, message)) = faults.next_if(|(other, _)| *other == index) {
                found.push((
                    index,
                    PageRecordFault { sqlstate: INVALID_TEXT_REPRESENTATION, message },
                ));
            } else if span.len() > max {
                found.push((index, too_long(&mut span, max)));
            }
            PageRecord { span, position: u32::try_from(index + 1).unwrap_or(u32::MAX) }
        });
        let records = records.collect();
        page.hold(self.body.clone(), records, found);
    }
}

fn place_of(span: &Range<usize>) -> Range<u32> {
    let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
    place(span.start)..place(span.end)
}

/// Cuts an oversized record to what quarantine keeps.
fn too_long(span: &mut Range<u32>, max: usize) -> PageRecordFault {
    let size = span.len();
    span.end = span.start + u32::try_from(size.min(KEPT_OF_OVERSIZED)).unwrap_or(u32::MAX);
    PageRecordFault {
        sqlstate: PROGRAM_LIMIT_EXCEEDED,
        message: oversized(size as u64, "bytes", max, span.len()),
    }
}
