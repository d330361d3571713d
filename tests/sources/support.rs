//! What a source makes of its input: batches, taken apart into records.

use std::io::{Read, Write as _};
use std::sync::{Arc, LazyLock};

use pgsluice::error::Error;
use pgsluice::host::HostRules;
use pgsluice::retry::Budget;
use pgsluice::source::{
    Batch, BatchLimits, Driver, ObjectState, SourceContext, Start, StreamSource, Waiting,
};
use pgsluice::stop::Stop;
use serde_json::Value;
use tokio::runtime::Runtime;

pub(crate) const WIDE: BatchLimits =
    BatchLimits { digests: false, rows: 1_000_000, bytes: 1 << 30 };

pub(crate) fn rows(rows: usize) -> BatchLimits {
    BatchLimits { digests: false, rows, bytes: 1 << 30 }
}

/// What a source of a test works with.
pub(crate) fn source_context(retries: u32) -> SourceContext {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
    let _guard = RUNTIME.enter();
    SourceContext::of_run(Arc::new(Budget::new(retries, Stop::never())), HostRules::open())
}

/// The driver of the source that `settings` describe, which goes on from what is known of its
/// objects.
pub(crate) fn open(
    settings: &Value,
    known: Vec<ObjectState>,
    limits: BatchLimits,
) -> Result<Driver, Error> {
    let start = Start { known: Arc::new(known), ..Start::default() };
    Driver::open(settings, start, limits, &source_context(9))
}

/// The same for a source that goes on from a cursor.
pub(crate) fn open_at(
    settings: &Value,
    cursor: Option<Value>,
    limits: BatchLimits,
    retries: u32,
) -> Result<Driver, Error> {
    let start = Start { cursor, ..Start::default() };
    Driver::open(settings, start, limits, &source_context(retries))
}

/// What comes on standard input, in place of which `input` is read.
pub(crate) fn open_stream(
    settings: &Value,
    input: Box<dyn Read + Send>,
    limits: BatchLimits,
) -> Result<Driver, Error> {
    let context = source_context(20);
    let source = StreamSource::new(settings, input, &context)?;
    Ok(Driver::new(Box::new(source), &context, None, limits))
}

/// One record as a batch carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) origin: String,
    pub(crate) position: i64,
    pub(crate) payload: Vec<u8>,
    /// SQLSTATE and message, if it is unreadable.
    pub(crate) fault: Option<(&'static str, String)>,
}

/// What a run came to.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) batches: Vec<Batch>,
    pub(crate) records: Vec<Record>,
    pub(crate) objects: Vec<ObjectState>,
    pub(crate) remarks: Vec<String>,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) is_complete: bool,
    pub(crate) error: Option<Error>,
}

impl Outcome {
    pub(crate) fn ok(self) -> Self {
        if let Some(error) = &self.error {
            panic!("unexpected error: {error}");
        }
        self
    }

    pub(crate) fn payloads(&self) -> Vec<String> {
        self.records
            .iter()
            .filter(|r| r.fault.is_none())
            .map(|r| String::from_utf8(r.payload.clone()).unwrap())
            .collect()
    }

    pub(crate) fn positions(&self) -> Vec<i64> {
        self.records.iter().map(|r| r.position).collect()
    }

    pub(crate) fn faults(&self) -> Vec<&Record> {
        self.records.iter().filter(|r| r.fault.is_some()).collect()
    }

    pub(crate) fn object(&self, name: &str) -> &ObjectState {
        self.objects
            .iter()
            .find(|o| o.object.ends_with(name))
            .unwrap_or_else(|| panic!("no state of {name}: {:?}", self.objects))
    }

    pub(crate) fn error_text(&self) -> String {
        self.error.as_ref().map(|e| e.to_string()).expect("an error")
    }
}

/// Takes batches until there are none or one fails. `known` plays the part of the database:
/// states of committed batches replace earlier ones, passing through text as jsonb does.
pub(crate) fn drain(source: Result<Driver, Error>, known: Vec<ObjectState>) -> Outcome {
    let mut outcome = Outcome { objects: known, ..Outcome::default() };
    let mut source = match source {
        Ok(source) => source,
        Err(error) => {
            outcome.error = Some(error);
            return outcome;
        }
    };
    loop {
        match source.next_batch() {
            Ok(Some(batch)) => {
                outcome.records.extend(records(&batch));
                merge(&mut outcome.objects, &batch.objects);
                outcome.batches.push(batch);
            }
            Ok(None) => break,
            Err(error) => {
                outcome.error = Some(error);
                break;
            }
        }
    }
    assert!(outcome.error.is_none() || !source.is_complete());
    outcome.is_complete = source.is_complete();
    outcome.remarks = source.remarks();
    outcome.waiting = source.waiting();
    outcome
}

pub(crate) fn merge(known: &mut Vec<ObjectState>, changed: &[ObjectState]) {
    for state in changed {
        let text = serde_json::to_string(state).unwrap();
        let state: ObjectState = serde_json::from_str(&text).unwrap();
        known.retain(|k| k.object != state.object);
        known.push(state);
    }
}

/// Decodes the COPY stream and puts the unreadable records where they belong.
pub(crate) fn records(batch: &Batch) -> Vec<Record> {
    let mut found: Vec<Option<Record>> = vec![None; batch.rows];
    let origin = |ordinal: i32| {
        batch.origins.iter().rfind(|span| span.first_ordinal <= ordinal).unwrap().origin.clone()
    };
    let data = &batch.copy_data[..];
    assert_eq!(&data[..11], b"PGCOPY\n\xff\r\n\0");
    let mut at = 19;
    let take = |at: &mut usize, n: usize| {
        *at += n;
        &data[*at - n..*at]
    };
    loop {
        let fields = i16::from_be_bytes(take(&mut at, 2).try_into().unwrap());
        if fields == -1 {
            break;
        }
        assert_eq!(fields, 3);
        assert_eq!(take(&mut at, 4), 4i32.to_be_bytes());
        let ordinal = i32::from_be_bytes(take(&mut at, 4).try_into().unwrap());
        assert_eq!(take(&mut at, 4), 8i32.to_be_bytes());
        let position = i64::from_be_bytes(take(&mut at, 8).try_into().unwrap());
        let len = i32::from_be_bytes(take(&mut at, 4).try_into().unwrap());
        let payload = take(&mut at, len as usize).to_vec();
        found[ordinal as usize] =
            Some(Record { origin: origin(ordinal), position, payload, fault: None });
    }
    assert_eq!(at, data.len(), "nothing follows the trailer");
    for bad in &batch.unreadable {
        let slot = &mut found[bad.ordinal as usize];
        assert!(slot.is_none(), "ordinal {} is used twice", bad.ordinal);
        *slot = Some(Record {
            origin: origin(bad.ordinal),
            position: bad.position,
            payload: bad.payload.clone(),
            fault: Some((bad.sqlstate, bad.message.clone())),
        });
    }
    let found: Vec<Record> = found.into_iter().map(|r| r.expect("every ordinal")).collect();
    for (n, span) in batch.origins.iter().enumerate() {
        let end = batch.origins.get(n + 1).map_or(batch.rows, |next| next.first_ordinal as usize);
        let records = &found[span.first_ordinal as usize..end];
        assert_eq!(
            [records.first(), records.last()].map(|record| record.unwrap().position),
            [span.first_position, span.last_position],
            "{span:?}"
        );
    }
    found
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn xz(content: &[u8]) -> Vec<u8> {
    let options = lzma_rust2::XzOptions::with_preset(1);
    let mut encoder = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}
