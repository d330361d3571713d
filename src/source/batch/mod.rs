//! A batch in memory: records already encoded for binary COPY, plus where they end.

mod builder;

pub use builder::BatchBuilder;

use super::fields::Fields;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Bytes of an oversized record that quarantine keeps.
pub(crate) const KEPT_OF_OVERSIZED: usize = 64 * 1024;

/// The message about a record of `size` units (bytes) that is over `max_record_bytes`.
pub(crate) fn oversized(size: u64, units: &str, max: usize, kept: usize) -> String {
    format!(
        "the record has {size} {units}, more than the limit max_record_bytes = {max}; \
         its first {kept} bytes are kept here"
    )
}

/// How large a batch may grow, whichever is reached first closing it, and what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// Records in a batch.
    pub rows: usize,
    /// Payload bytes in a batch.
    pub bytes: usize,
    /// Whether each record carries a digest of its payload, by which the engine recognises it
    /// (`sql/engine/known/_find_known.sql`).
    pub digests: bool,
}

/// What is known about one file or object, as `sluice.source_objects` keeps it.
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

    /// Whether it was found after it was told to be passed over, and so is known.
    pub(crate) fn has_identity(&self) -> bool {
        self.identity.as_object().is_some_and(|map| !map.is_empty())
    }

    /// Whether all these are facts of its identity.
    pub(crate) fn has_facts(&self, facts: &RawValue) -> bool {
        let facts: Option<Map<String, Value>> =
            serde_json::from_str(facts.get()).unwrap_or_default();
        facts.is_some_and(|facts| facts.iter().all(|(name, fact)| self.identity[name] == *fact))
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
    /// Records that follow, or that only the engine can tell from the first ones.
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
    /// How many records it has.
    pub copied: usize,
    /// Those that go to the server as fields.
    pub fields: Option<Fields>,
    /// Whether records carry digests.
    pub has_digests: bool,
    /// Records that are not in the COPY stream.
    pub unreadable: Vec<Unreadable>,
    /// Records in all: readable and unreadable.
    pub rows: usize,
    /// Bytes of input consumed for this batch (for the rate and the time left).
    pub bytes: u64,
    /// Which ordinals came from where.
    pub origins: Vec<OriginSpan>,
    /// Up to where the source has been read once this batch is committed.
    pub cursor: Value,
    /// Files and objects whose state this batch changes.
    pub objects: Vec<ObjectState>,
    /// How often the source had to be asked again for these records.
    pub retried: u32,
    /// Its part in a complete read of the source.
    pub snapshot: Snapshot,
    /// Why that read cannot tell what the source no longer has, if it cannot.
    pub spoilt_by: Option<String>,
}
