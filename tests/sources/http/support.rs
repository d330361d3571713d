//! What the HTTP source makes of a server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pgsluice::error::{Error, Result};
use pgsluice::source::{Batch, BatchLimits};
use serde_json::{Value, json};

pub(crate) use crate::sources::support::{Record, WIDE, open_at, records, rows};
use crate::support::web::{Answer, Request, Web};

/// What a run came to.
#[derive(Debug, Default)]
pub(crate) struct Run {
    pub(crate) batches: Vec<Batch>,
    pub(crate) records: Vec<Record>,
    pub(crate) cursor: Option<Value>,
    pub(crate) remarks: Vec<String>,
    pub(crate) error: Option<Error>,
}

impl Run {
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        if let Some(error) = &self.error {
            panic!("unexpected error: {error}");
        }
        self
    }

    pub(crate) fn payloads(&self) -> Vec<String> {
        let readable = self.records.iter().filter(|r| r.fault.is_none());
        readable.map(|r| String::from_utf8(r.payload.clone()).unwrap()).collect()
    }

    /// The error as a user sees it.
    #[track_caller]
    pub(crate) fn error_text(&self) -> String {
        self.error.as_ref().expect("an error").to_string()
    }

    pub(crate) fn retried(&self) -> u32 {
        self.batches.iter().map(|batch| batch.retried).sum()
    }
}

/// A run on from `cursor`.
pub(crate) fn read_from(settings: &Value, cursor: Option<Value>, limits: BatchLimits) -> Run {
    read_with(settings, cursor, limits, 20)
}

pub(crate) fn read_with(
    settings: &Value,
    cursor: Option<Value>,
    limits: BatchLimits,
    retries: u32,
) -> Run {
    let mut run = Run { cursor: cursor.clone(), ..Run::default() };
    let mut source = match open_at(settings, cursor, limits, retries) {
        Ok(source) => source,
        Err(error) => {
            run.error = Some(error);
            return run;
        }
    };
    loop {
        match source.next_batch() {
            Ok(Some(batch)) => {
                run.records.extend(records(&batch));
                run.cursor = Some(through_text(&batch.cursor));
                run.batches.push(batch);
            }
            Ok(None) => break,
            Err(error) => {
                run.error = Some(error);
                break;
            }
        }
    }
    assert!(run.error.is_none() || !source.is_complete());
    run.remarks = source.remarks();
    run
}

/// The first run.
pub(crate) fn read(settings: &Value) -> Run {
    read_from(settings, None, WIDE)
}

/// As the database keeps it.
fn through_text(value: &Value) -> Value {
    serde_json::from_str(&value.to_string()).unwrap()
}

/// Runs in batches of `n` records, and begins anew after every batch.
pub(crate) fn read_in_pieces(settings: &Value, n: usize) -> Result<Vec<Record>> {
    let mut cursor = None;
    let mut found = Vec::new();
    loop {
        let mut source = open_at(settings, cursor.clone(), rows(n), 20)?;
        let Some(batch) = source.next_batch()? else {
            return Ok(found);
        };
        found.extend(records(&batch));
        cursor = Some(through_text(&batch.cursor));
        if batch.cursor["done"] == true {
            return Ok(found);
        }
    }
}

/// Settings for `url`, records at `/data`, with `more` on top.
pub(crate) fn settings(url: &str, more: Value) -> Value {
    let mut settings = json!({"kind": "http", "url": url, "records": "/data"});
    for (key, value) in more.as_object().unwrap() {
        settings[key] = value.clone();
    }
    settings
}

/// A server that gives each of `answers` in turn, then the last one for ever.
pub(crate) fn in_turn(answers: Vec<Answer>) -> Web {
    let count = AtomicUsize::new(0);
    Web::serve(move |_: &Request| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        answers[number.min(answers.len() - 1)].clone()
    })
}

/// One page of records.
pub(crate) fn page(records: &str) -> Answer {
    Answer::json(format!("{{\"data\": [{records}]}}"))
}

/// A server of [`crate::support::Api`], shared with the test that looks at its records.
pub(crate) fn serve(api: crate::support::Api) -> (Web, Arc<crate::support::Api>) {
    let api = Arc::new(api);
    let shared = Arc::clone(&api);
    (Web::serve(move |request| shared.answer(request)), api)
}
