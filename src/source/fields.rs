//! Records by their fields, for a transform that takes a row: each field goes into the column of
//! its name, as text, and nothing is parsed twice.
//!
//! A record is a JSON object here, and a field the value of a member: a string's text, `null` as
//! null, all else the bytes that stand there, so that no number changes. What this leaves open
//! goes to the server as a payload, which takes it apart by the same rules
//! (`sql/engine/define/_input_type.sql`): it alone says what is wrong with a record.

mod slicer;

use super::copy::{CopyRows, buffer, shared};
use super::digest::digest;
use bytes::{Bytes, BytesMut};
use slicer::{MemberSlicer, is_plain};
use std::ops::Range;
use std::sync::Arc;

/// The records of a batch that go to the server as fields, and their payloads, few of which the server
/// wants.
#[derive(Debug, Clone)]
pub struct Fields {
    /// The columns of the transform's input type.
    pub columns: Arc<[String]>,
    /// Binary COPY stream of `(ordinal int, position bigint, digest uuid)` and a text for each
    /// column.
    pub copy_data: Bytes,
    payloads: Bytes,
    records: Vec<FieldRecord>,
}

#[derive(Debug, Clone)]
struct FieldRecord {
    ordinal: i32,
    position: i64,
    payload: Range<usize>,
}

impl Fields {
    /// Binary COPY stream of `(ordinal int, position bigint, payload text)`: of all records, or of
    /// those that are `wanted`, in ascending order.
    pub fn payloads(&self, wanted: Option<&[i32]>) -> Bytes {
        let mut rows = CopyRows::new();
        for record in &self.records {
            if wanted.is_none_or(|wanted| wanted.binary_search(&record.ordinal).is_ok()) {
                rows.row(3);
                rows.int4(record.ordinal);
                rows.int8(record.position);
                rows.bytes(&self.payloads[record.payload.clone()]);
            }
        }
        rows.finish()
    }
}

/// Collects the fields of records.
#[derive(Debug)]
pub(super) struct FieldsBuilder {
    slicer: MemberSlicer,
    columns: Arc<[String]>,
    rows: CopyRows,
    payloads: BytesMut,
    records: Vec<FieldRecord>,
    /// The values of the last record that came with them.
    named: Option<ColumnMapping>,
    /// The columns that are not among its names.
    missing: Vec<String>,
}

/// The names of values, and for each column which of them it is.
#[derive(Debug)]
struct ColumnMapping {
    names: Arc<[String]>,
    places: Vec<Option<usize>>,
}

/// What it held at some moment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FieldsSavepoint {
    rows: usize,
    payloads: usize,
    records: usize,
}

impl FieldsBuilder {
    pub(super) fn new(columns: Arc<[String]>) -> Self {
        FieldsBuilder {
            slicer: MemberSlicer::new(&columns),
            columns,
            rows: CopyRows::new(),
            payloads: buffer(),
            records: Vec::new(),
            named: None,
            missing: Vec::new(),
        }
    }

    /// Adds a record by what its payload says; false if only the server can judge it.
    pub(super) fn push(
        &mut self,
        ordinal: i32,
        position: i64,
        payload: &str,
        is_digested: bool,
    ) -> bool {
        if !self.slicer.slice(payload) {
            return false;
        }
        self.begin(ordinal, position, payload, is_digested);
        for value in self.slicer.values() {
            put(&mut self.rows, &payload[value.clone()]);
        }
        true
    }

    /// Adds a record whose values' names and places are known; false if the places are not, and as above.
    pub(super) fn push_values(
        &mut self,
        ordinal: i32,
        position: i64,
        payload: &str,
        is_digested: bool,
        names: &Arc<[String]>,
        values: &[Range<usize>],
    ) -> bool {
        self.find_columns(names);
        if values.is_empty() || !is_plain(payload.as_bytes()) {
            return false;
        }
        self.begin(ordinal, position, payload, is_digested);
        let places = self.named.as_ref().map_or(&[][..], |named| &named.places[..]);
        for place in places {
            let value = place.and_then(|place| values.get(place).cloned());
            put(&mut self.rows, &payload[value.unwrap_or_default()]);
        }
        true
    }

    fn find_columns(&mut self, names: &Arc<[String]>) {
        let known = self.named.as_ref();
        if known.is_some_and(|known| Arc::ptr_eq(&known.names, names)) {
            return;
        }
        let place_of = |column| names.iter().rposition(|name| name == column);
        let places: Vec<Option<usize>> = self.columns.iter().map(place_of).collect();
        let missing = self.columns.iter().zip(&places);
        let missing = missing.filter(|(_, place)| place.is_none());
        self.missing = missing.map(|(column, _)| column.clone()).collect();
        self.named = Some(ColumnMapping { names: Arc::clone(names), places });
    }

    /// The columns that had no value of their name in what came last, if that is news.
    pub(super) fn take_missing(&mut self) -> Vec<String> {
        std::mem::take(&mut self.missing)
    }

    fn begin(&mut self, ordinal: i32, position: i64, payload: &str, is_digested: bool) {
        let start = self.payloads.len();
        self.payloads.extend_from_slice(payload.as_bytes());
        self.records.push(FieldRecord { ordinal, position, payload: start..self.payloads.len() });
        let columns = i16::try_from(self.columns.len()).unwrap_or(i16::MAX);
        self.rows.row(3 + columns);
        self.rows.int4(ordinal);
        self.rows.int8(position);
        match digest(payload.as_bytes()).filter(|_| is_digested) {
            Some(digest) => drop(self.rows.bytes(&digest)),
            None => self.rows.null(),
        }
    }

    /// The payload of the record added last.
    pub(super) fn last_payload(&self) -> Option<&[u8]> {
        let last = self.records.last()?;
        Some(&self.payloads[last.payload.clone()])
    }

    pub(super) fn savepoint(&self) -> FieldsSavepoint {
        FieldsSavepoint {
            rows: self.rows.len(),
            payloads: self.payloads.len(),
            records: self.records.len(),
        }
    }

    pub(super) fn roll_back(&mut self, before: FieldsSavepoint) {
        self.rows.truncate(before.rows);
        self.payloads.truncate(before.payloads);
        self.records.truncate(before.records);
    }

    pub(super) fn finish(self) -> Fields {
        Fields {
            columns: self.columns,
            copy_data: self.rows.finish(),
            payloads: shared(self.payloads),
            records: self.records,
        }
    }
}

/// A field, from the JSON value that stands for it; null if there is none.
fn put(rows: &mut CopyRows, value: &str) {
    match value.as_bytes() {
        b"" | b"null" => rows.null(),
        [b'"', text @ .., b'"'] => match memchr::memchr(b'\\', text) {
            None => drop(rows.bytes(text)),
            // Whoever found the value has seen that it is a string.
            Some(_) => match serde_json::from_str::<String>(value) {
                Ok(text) => drop(rows.bytes(text.as_bytes())),
                Err(_) => rows.null(),
            },
        },
        bytes => drop(rows.bytes(bytes)),
    }
}

#[cfg(test)]
mod tests;
