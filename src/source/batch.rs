//! A batch in memory: records already encoded for binary COPY, plus where they end.

use super::digest::digest;
use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::ops::Range;

/// How large a batch may grow, whichever is reached first closing it, and what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Records in a batch.
    pub rows: usize,
    /// Payload bytes in a batch.
    pub bytes: usize,
    /// Whether each record carries a digest of its payload, by which the engine recognises it
    /// (`sql/engine/known/_find_known.sql`).
    pub digests: bool,
}

/// What is known of one file or object, as `sluice.source_objects` keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ObjectState {
    /// Its name: a path or a key.
    pub object: String,
    /// Facts by which a replacement under the same name is noticed.
    pub identity: Value,
    /// From where reading resumes.
    pub position: Value,
    /// Read to its end, with proof that this was the end.
    pub is_done: bool,
}

impl ObjectState {
    /// Whether it is to be passed over (`sluice.skip`).
    pub(crate) fn is_skipped(&self) -> bool {
        self.position["skipped"] == true
    }

    /// Whether it was found since it was to be passed over, and so is known.
    pub(crate) fn has_identity(&self) -> bool {
        self.identity.as_object().is_some_and(|map| !map.is_empty())
    }
}

/// A record that Postgres cannot hold as text, or that the source could not slice cleanly.
/// It goes to quarantine with its exact bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Index of the record in its batch, counted with the readable ones.
    pub ordinal: i32,
    /// Where it stands in its origin.
    pub position: i64,
    /// Exact bytes (cut at the source's `max_record_bytes`).
    pub payload: Vec<u8>,
    /// SQLSTATE that says what is wrong, by Postgres' own table where it has one.
    pub sqlstate: &'static str,
    /// What is wrong, in words.
    pub message: String,
}

/// Records `first_ordinal` and later of the batch came from `origin`, up to the next span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OriginSpan {
    /// First record of the span.
    pub first_ordinal: i32,
    /// File, URL, object or table.
    pub origin: String,
    /// Where the first of its records stands in it.
    pub first_position: i64,
    /// Where the last one does.
    pub last_position: i64,
}

/// What a batch is to a complete read of its source (`sql/engine/missing/_note_full_read.sql`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Snapshot {
    /// The first records of the source.
    Begin,
    /// Records that follow, or of which only the engine can tell whether they are the first.
    #[default]
    Continue,
    /// Records from elsewhere.
    Ignore,
}

impl Snapshot {
    /// As `load_batch` calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Snapshot::Begin => "begin",
            Snapshot::Continue => "continue",
            Snapshot::Ignore => "ignore",
        }
    }
}

/// The unit of commit, ready to be sent.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Binary COPY stream of `(ordinal int, position bigint, payload text)`, with `digest uuid`
    /// behind if `has_digests`.
    pub copy_data: Bytes,
    /// Whether records carry digests.
    pub has_digests: bool,
    /// Records that are not in the COPY stream.
    pub unreadable: Vec<Unreadable>,
    /// Records in all: readable and unreadable.
    pub rows: usize,
    /// Bytes of input consumed for this batch (for rate and time left).
    pub bytes: u64,
    /// Which ordinals came from where.
    pub origins: Vec<OriginSpan>,
    /// Up to where the source has been read once this batch is committed.
    pub cursor: Value,
    /// Files and objects whose state this batch changes.
    pub objects: Vec<ObjectState>,
    /// How often the source had to be asked again for these records.
    pub retried: u32,
    /// What it is to a complete read of the source.
    pub snapshot: Snapshot,
    /// Why that read cannot tell what the source no longer has, if so.
    pub spoilt_by: Option<String>,
}

/// Collects records until a limit is reached.
#[derive(Debug)]
pub struct BatchBuilder {
    limits: Limits,
    data: BytesMut,
    payload_bytes: usize,
    rows: i32,
    unreadable: Vec<Unreadable>,
    origins: Vec<OriginSpan>,
    consumed: u64,
    objects: Vec<ObjectState>,
    retried: u32,
    spoilt_by: Option<String>,
    /// Where the payload of the last record stands, if it was readable.
    last: Option<Range<usize>>,
}

/// What a batch held at some moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Savepoint {
    data: usize,
    payload_bytes: usize,
    rows: i32,
    unreadable: usize,
    origins: usize,
    last_position: i64,
}

impl Savepoint {
    /// Records it had then.
    pub(crate) fn rows(self) -> usize {
        self.rows as usize
    }
}

/// What a binary COPY stream begins with.
pub(crate) const COPY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const COPY_TRAILER: i16 = -1;
const COPY_FIELDS: i16 = 3;
const COPY_NULL: i32 = -1;

impl BatchBuilder {
    /// An empty batch under `limits`.
    pub fn new(limits: Limits) -> Self {
        let mut data = BytesMut::with_capacity(64 * 1024);
        data.put_slice(COPY_HEADER);
        BatchBuilder {
            limits,
            data,
            payload_bytes: 0,
            rows: 0,
            unreadable: Vec::new(),
            origins: Vec::new(),
            consumed: 0,
            objects: Vec::new(),
            retried: 0,
            spoilt_by: None,
            last: None,
        }
    }

    /// Records that follow come from `origin`.
    pub fn set_origin(&mut self, origin: &str) {
        if self
            .origins
            .last()
            .is_some_and(|span| span.origin == origin)
        {
            return;
        }
        // A span without records (an empty file) is replaced by the one that follows it.
        if self
            .origins
            .last()
            .is_some_and(|span| span.first_ordinal == self.rows)
        {
            self.origins.pop();
        }
        self.origins.push(OriginSpan {
            first_ordinal: self.rows,
            origin: origin.to_owned(),
            first_position: 0,
            last_position: 0,
        });
    }

    /// Notes in the current span where the record stands that is about to be added.
    fn note_position(&mut self, position: i64) {
        if let Some(span) = self.origins.last_mut() {
            if span.first_ordinal == self.rows {
                span.first_position = position;
            }
            span.last_position = position;
        }
    }

    /// Adds a record. Bytes that Postgres cannot hold as text (NUL, invalid UTF-8) are set
    /// aside as unreadable, exact to the byte.
    pub fn push(&mut self, position: i64, payload: &[u8]) {
        let fault = match std::str::from_utf8(payload) {
            Err(error) => Some(format!(
                "invalid byte sequence for encoding \"UTF8\" at byte {}",
                error.valid_up_to() + 1
            )),
            Ok(_) => memchr::memchr(0, payload)
                .map(|at| format!("NUL byte at byte {}: Postgres text cannot hold it", at + 1)),
        };
        if let Some(message) = fault {
            self.push_unreadable(position, payload.to_vec(), "22021", message);
            return;
        }
        self.note_position(position);
        self.data.reserve(payload.len() + 54);
        self.data
            .put_i16(COPY_FIELDS + i16::from(self.limits.digests));
        self.data.put_i32(4);
        self.data.put_i32(self.rows);
        self.data.put_i32(8);
        self.data.put_i64(position);
        self.data
            .put_i32(i32::try_from(payload.len()).unwrap_or(i32::MAX));
        self.last = Some(self.data.len()..self.data.len() + payload.len());
        self.data.put_slice(payload);
        if self.limits.digests {
            match digest(payload) {
                Some(digest) => {
                    self.data.put_i32(16);
                    self.data.put_slice(&digest);
                }
                None => self.data.put_i32(COPY_NULL),
            }
        }
        self.payload_bytes += payload.len();
        self.rows += 1;
    }

    /// Adds a record that cannot be loaded, with its exact bytes and the reason.
    pub fn push_unreadable(
        &mut self,
        position: i64,
        payload: Vec<u8>,
        sqlstate: &'static str,
        message: String,
    ) {
        self.note_position(position);
        self.payload_bytes += payload.len();
        self.last = None;
        self.unreadable.push(Unreadable {
            ordinal: self.rows,
            position,
            payload,
            sqlstate,
            message,
        });
        self.rows += 1;
    }

    /// A place to come back to with [`BatchBuilder::roll_back`].
    pub(crate) fn savepoint(&self) -> Savepoint {
        Savepoint {
            data: self.data.len(),
            payload_bytes: self.payload_bytes,
            rows: self.rows,
            unreadable: self.unreadable.len(),
            origins: self.origins.len(),
            last_position: self.origins.last().map_or(0, |span| span.last_position),
        }
    }

    /// Takes out the records that were added since `before`. Where they came from stays noted,
    /// until records from elsewhere follow.
    pub(crate) fn roll_back(&mut self, before: Savepoint) {
        self.data.truncate(before.data);
        self.payload_bytes = before.payload_bytes;
        self.rows = before.rows;
        self.unreadable.truncate(before.unreadable);
        self.last = None;
        // Spans behind it are empty now; their next record says where they begin.
        if let Some(span) = before
            .origins
            .checked_sub(1)
            .and_then(|last| self.origins.get_mut(last))
        {
            span.last_position = before.last_position;
        }
    }

    /// Counts `bytes` of input as consumed by this batch.
    pub fn consume(&mut self, bytes: u64) {
        self.consumed += bytes;
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
        self.last.clone().map(|span| &self.data[span])
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

    /// Whether there is nothing to commit: neither a record nor a changed object.
    pub fn is_empty(&self) -> bool {
        self.rows == 0 && self.objects.is_empty()
    }

    /// Closes the batch at `cursor`.
    pub fn finish(mut self, cursor: Value) -> Batch {
        self.data.put_i16(COPY_TRAILER);
        // An empty file at the end leaves a span that covers no record.
        if self
            .origins
            .last()
            .is_some_and(|span| span.first_ordinal == self.rows)
        {
            self.origins.pop();
        }
        Batch {
            copy_data: self.data.freeze(),
            has_digests: self.limits.digests,
            unreadable: self.unreadable,
            rows: self.rows as usize,
            bytes: self.consumed,
            origins: self.origins,
            cursor,
            objects: self.objects,
            retried: self.retried,
            snapshot: Snapshot::default(),
            spoilt_by: self.spoilt_by,
        }
    }
}

#[cfg(test)]
mod tests;
