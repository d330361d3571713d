//! A bucket to put objects in, and a reader of what the source makes of them.

use pgsluice::source::{BatchLimits, ObjectState};
use serde_json::{Value, json};

pub(crate) use crate::sources::support::*;
use crate::support::Store;

impl Store {
    /// Settings for what is under `prefix`, with `more` on top.
    pub(crate) fn settings(&self, prefix: &str, more: Value) -> Value {
        let mut settings = json!({
            "kind": "object", "url": format!("s3://lake/{prefix}"), "endpoint": self.endpoint(),
            "allow_http": true, "anonymous": true,
        });
        for (key, value) in more.as_object().unwrap() {
            settings[key] = value.clone();
        }
        settings
    }

    pub(crate) fn run(&self, more: Value) -> Outcome {
        self.run_with(more, Vec::new(), WIDE)
    }

    /// Runs again after `earlier`.
    pub(crate) fn rerun(&self, more: Value, earlier: &Outcome) -> Outcome {
        self.run_with(more, earlier.objects.clone(), WIDE)
    }

    pub(crate) fn run_with(
        &self,
        more: Value,
        known: Vec<ObjectState>,
        limits: BatchLimits,
    ) -> Outcome {
        run_settings(&self.settings("in/", more), known, limits)
    }
}

pub(crate) fn run_settings(
    settings: &Value,
    known: Vec<ObjectState>,
    limits: BatchLimits,
) -> Outcome {
    drain(open(settings, known.clone(), limits), known)
}

/// Runs with `rows(n)`, stopping after every batch to begin again from what was noted.
pub(crate) fn run_in_pieces(settings: &Value, n: usize) -> Vec<Record> {
    let mut known = Vec::new();
    let mut found = Vec::new();
    loop {
        let mut source = open(settings, known.clone(), rows(n)).unwrap();
        let Some(batch) = source.next_batch().unwrap() else {
            return found;
        };
        found.extend(records(&batch));
        merge(&mut known, &batch.objects);
    }
}

/// So many lines of NDJSON, numbered from `first`.
pub(crate) fn lines(first: usize, count: usize) -> String {
    (first..first + count).map(|i| format!("{{\"i\":{i}}}\n")).collect()
}

/// Lines that fill so many parts of the size that large objects are fetched in.
pub(crate) fn large(parts: usize) -> String {
    (0..parts * PART / 1024)
        .map(|i| {
            let number = i.to_string();
            let pad = "p".repeat(1024 - 16 - number.len());
            format!("{{\"i\":{number},\"pad\":\"{pad}\"}}\n")
        })
        .collect()
}

/// What is fetched in one request.
pub(crate) const PART: usize = 4 << 20;

/// The numbers in records that [`lines`] or [`large`] made.
pub(crate) fn numbers(records: &[Record]) -> Vec<usize> {
    let number = |record: &Record| {
        let text = std::str::from_utf8(&record.payload).unwrap();
        let digits = text["{\"i\":".len()..].split([',', '}']).next().unwrap();
        digits.parse().unwrap()
    };
    records.iter().map(number).collect()
}
