//! Fills a batch.

mod origins;
mod savepoint;

use super::super::DeclaredField;
use super::super::copy::CopyRows;
use super::super::digest::digest;
use super::super::fields::FieldsBuilder;
use super::super::sqlstate::CHARACTER_NOT_IN_REPERTOIRE;
use super::{Batch, BatchLimits, ObjectState, Snapshot, Unreadable};
use origins::Origins;
use serde_json::Value;
use std::ops::Range;
use std::sync::Arc;

/// Collects records until a limit is reached.
#[derive(Debug)]
pub struct BatchBuilder {
    limits: BatchLimits,
    data: CopyRows,
    copied: usize,
    fields: Option<FieldsBuilder>,
    payload_bytes: usize,
    rows: i32,
    unreadable: Vec<Unreadable>,
    origins: Origins,
    consumed: u64,
    objects: Vec<ObjectState>,
    retried: u32,
    spoilt_by: Option<String>,
    last: Last,
    notes: Vec<String>,
    declared: Option<Arc<[DeclaredField]>>,
}

/// Where the payload of the last record is.
#[derive(Debug)]
enum Last {
    /// There is none, or it was not readable.
    None,
    Copied(Range<usize>),
    Fields,
}

impl BatchBuilder {
    /// An empty batch under `limits`.
    pub fn new(limits: BatchLimits) -> Self {
        BatchBuilder {
            limits,
            data: CopyRows::new(),
            copied: 0,
            fields: None,
            payload_bytes: 0,
            rows: 0,
            unreadable: Vec::new(),
            origins: Origins::default(),
            consumed: 0,
            objects: Vec::new(),
            retried: 0,
            spoilt_by: None,
            last: Last::None,
            notes: Vec::new(),
            declared: None,
        }
    }

    /// The same for a transform that takes a row of these columns.
    #[must_use]
    pub fn with_columns(mut self, columns: Option<Arc<[String]>>) -> Self {
        self.fields = columns.map(FieldsBuilder::new);
        self
    }

    /// Records that follow come from `origin`.
    pub fn set_origin(&mut self, origin: &str) {
        self.origins.begin(self.rows, origin);
    }

    /// Adds a record. Bytes that Postgres cannot hold as text (NUL, invalid UTF-8) are set
    /// aside as unreadable, exact to the byte.
    pub fn push(&mut self, position: i64, payload: &[u8]) {
        let text = match as_text(payload) {
            Ok(text) => text,
            Err(message) => {
                self.push_unreadable(
                    position,
                    payload.to_vec(),
                    CHARACTER_NOT_IN_REPERTOIRE,
                    message,
                );
                return;
            }
        };
        self.origins.note(self.rows, position);
        let (rows, digests) = (self.rows, self.limits.digests);
        let fields = self.fields.as_mut();
        if fields.is_some_and(|fields| fields.push(rows, position, text, digests)) {
            self.last = Last::Fields;
        } else {
            self.copy(position, payload);
        }
        self.payload_bytes += payload.len();
        self.rows += 1;
    }

    /// Adds a record that is a JSON object with members of these `names`, which are those of the previous
    /// such record if they are the same `Arc`. If its source wrote it, `values` says where in it the values
    /// are.
    pub(crate) fn push_object(
        &mut self,
        position: i64,
        payload: &[u8],
        names: &Arc<[String]>,
        values: &[Range<usize>],
    ) {
        let (rows, digests) = (self.rows, self.limits.digests);
        let (Some(fields), Ok(text)) = (&mut self.fields, as_text(payload)) else {
            return self.push(position, payload);
        };
        let is_taken = fields.push_values(rows, position, text, digests, names, values);
        let missing = fields.take_missing();
        self.note_missing(missing);
        if !is_taken {
            return self.push(position, payload);
        }
        self.origins.note(self.rows, position);
        self.last = Last::Fields;
        self.payload_bytes += payload.len();
        self.rows += 1;
    }

    fn note_missing(&mut self, missing: Vec<String>) {
        let Some(span) = self.origins.last().filter(|_| !missing.is_empty()) else {
            return;
        };
        self.notes.push(format!(
            "{}: no column `{}`, which the transform takes: null in all its records",
            span.origin,
            missing.join("`, `")
        ));
    }

    /// What the user should know about the records.
    pub(crate) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    fn copy(&mut self, position: i64, payload: &[u8]) {
        self.data.row(3 + i16::from(self.limits.digests));
        self.data.int4(self.rows);
        self.data.int8(position);
        self.last = Last::Copied(self.data.bytes(payload));
        if self.limits.digests {
            match digest(payload) {
                Some(digest) => {
                    self.data.bytes(&digest);
                }
                None => self.data.null(),
            }
        }
        self.copied += 1;
    }

    /// Adds a record that cannot be loaded, with its exact bytes and the reason.
    pub fn push_unreadable(
        &mut self,
        position: i64,
        payload: Vec<u8>,
        sqlstate: &'static str,
        message: String,
    ) {
        self.origins.note(self.rows, position);
        self.payload_bytes += payload.len();
        self.last = Last::None;
        self.unreadable.push(Unreadable {
            ordinal: self.rows,
            position,
            payload,
            sqlstate,
            message,
        });
        self.rows += 1;
    }

    /// Counts `bytes` of input as consumed by this batch.
    pub fn consume(&mut self, bytes: u64) {
        self.consumed += bytes;
    }

    /// Notes what the file or object being read declares about the fields of its records.
    pub(crate) fn declare(&mut self, fields: &Arc<[DeclaredField]>) {
        self.declared = Some(Arc::clone(fields));
    }

    /// What the last one that declares them said.
    pub(crate) fn declared(&self) -> Option<&Arc<[DeclaredField]>> {
        self.declared.as_ref()
    }

    /// Counts tries that had to be repeated.
    pub fn count_retries(&mut self, retried: u32) {
        self.retried += retried;
    }

    /// Notes why a complete read with these records cannot tell what the source no longer has.
    pub(crate) fn spoil(&mut self, why: String) {
        self.spoilt_by.get_or_insert(why);
    }

    /// The payload added last, if it was readable.
    pub fn last_payload(&self) -> Option<&[u8]> {
        match &self.last {
            Last::None => None,
            Last::Copied(span) => Some(self.data.get(span.clone())),
            Last::Fields => self.fields.as_ref()?.last_payload(),
        }
    }

    /// The record added last, with its place in its origin.
    pub(crate) fn last(&self) -> Option<(i64, Result<&[u8], &Unreadable>)> {
        let position = self.origins.last()?.last_position;
        match self.last_payload() {
            Some(payload) => Some((position, Ok(payload))),
            None => Some((position, Err(self.unreadable.last()?))),
        }
    }

    /// Notes the state of a file or object at the end of this batch, replacing an earlier
    /// note on the same one.
    pub fn note_object(&mut self, state: ObjectState) {
        match self.objects.iter_mut().find(|o| o.object == state.object) {
            Some(known) => *known = state,
            None => self.objects.push(state),
        }
    }

    /// Records so far, readable and unreadable.
    pub fn rows(&self) -> usize {
        self.rows as usize
    }

    /// Whether a limit is reached.
    pub fn is_full(&self) -> bool {
        self.rows as usize >= self.limits.rows || self.payload_bytes >= self.limits.bytes
    }

    /// Whether there is nothing to commit: no record and no changed object.
    pub fn is_empty(&self) -> bool {
        self.rows == 0 && self.objects.is_empty()
    }

    /// Closes the batch at `cursor`.
    pub fn finish(self, cursor: Value) -> Batch {
        Batch {
            copy_data: self.data.finish(),
            copied: self.copied,
            fields: self.fields.map(FieldsBuilder::finish),
            has_digests: self.limits.digests,
            unreadable: self.unreadable,
            rows: self.rows as usize,
            bytes: self.consumed,
            origins: self.origins.finish(self.rows),
            cursor,
            objects: self.objects,
            retried: self.retried,
            snapshot: Snapshot::default(),
            spoilt_by: self.spoilt_by,
        }
    }
}

/// Bytes that Postgres can hold as text; otherwise what is wrong with them.
fn as_text(bytes: &[u8]) -> Result<&str, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        format!("invalid byte sequence for encoding \"UTF8\" at byte {}", error.valid_up_to() + 1)
    })?;
    match memchr::memchr(0, bytes) {
        None => Ok(text),
        Some(at) => Err(format!("NUL byte at byte {}: Postgres text cannot hold it", at + 1)),
    }
}

#[cfg(test)]
mod tests;
