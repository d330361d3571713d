//! The outcome of a run or a replay: its summary line, its JSON, and the progress bar.

mod delivery;
mod progress;
mod replay;

pub use delivery::DeliveryReport;
pub use progress::ProgressDisplay;
pub use replay::ReplayReport;

use crate::batch::{Counters, ErrorGroup, Waited};
use crate::error::{Error, Kind};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// The exit code of a run that went well, except that something has waited for too long.
const WAITING: u8 = 5;

/// Everything there is to say about one pipeline's run.
#[derive(Debug)]
pub struct Report {
    /// The pipeline.
    pub pipeline: String,
    /// What was counted, of committed batches only.
    pub counters: Counters,
    /// The rows of each target, where there are several, for machines.
    pub targets: Vec<Map<String, Value>>,
    /// Committed batches.
    pub batches: u64,
    /// Wall seconds.
    pub seconds: f64,
    /// Transform version, when the run got that far.
    pub version: Option<i32>,
    /// Number of the run, when it got that far.
    pub run_id: Option<i64>,
    /// Why it ended early.
    pub error: Option<Error>,
    /// What the source had to say.
    pub remarks: Vec<String>,
    /// What the source offers and could not be read to its end.
    pub waiting: Vec<Waited>,
    /// Whether everything was rolled back.
    pub dry_run: bool,
    /// For a dry run: the records that would have been quarantined, by error.
    pub quarantined: Vec<ErrorGroup>,
}

impl Report {
    pub(crate) fn new(pipeline: &str) -> Self {
        Report {
            pipeline: pipeline.to_owned(),
            counters: Counters::default(),
            targets: Vec::new(),
            batches: 0,
            seconds: 0.0,
            version: None,
            run_id: None,
            error: None,
            remarks: Vec::new(),
            waiting: Vec::new(),
            dry_run: false,
            quarantined: Vec::new(),
        }
    }

    /// For a run that never got as far as its pipeline.
    pub(crate) fn of_failure(pipeline: &str, error: Error) -> Self {
        Report { error: Some(error), ..Report::new(pipeline) }
    }

    /// `ok`, `failed`, `threshold`, `locked` or `interrupted`.
    pub fn outcome(&self) -> &'static str {
        self.error.as_ref().map_or("ok", |error| error.kind().outcome())
    }

    /// The exit code this run asks for.
    pub fn exit_code(&self) -> u8 {
        match &self.error {
            Some(error) => error.kind().exit_code(),
            None if self.is_overdue() => WAITING,
            None => 0,
        }
    }

    /// Whether something has waited for longer than the pipeline allows.
    pub fn is_overdue(&self) -> bool {
        self.waiting.iter().any(|waiting| waiting.is_overdue)
    }

    /// Whether the run was stopped by a signal, after which no other pipeline is begun.
    pub fn is_interrupted(&self) -> bool {
        matches!(self.error.as_ref().map(Error::kind), Some(Kind::Interrupted(_)))
    }

    /// One line of `key=value`, stable, fit for a cron mail.
    pub fn summary(&self) -> String {
        let (words, counters) = ([&self.pipeline, self.outcome()], self.counters.named());
        let mut line = line(words, counters, self.batches, self.seconds, self.version);
        if let Some(run) = self.run_id {
            let _ = write!(line, " run={run}");
        }
        if self.dry_run {
            line.push_str(" dry_run=true");
        }
        let _ = write!(line, " waiting={}", self.waiting.len());
        line
    }

    /// The same for machines.
    pub fn json(&self) -> Value {
        let mut object = json!({
            "pipeline": self.pipeline, "outcome": self.outcome(), "batches": self.batches,
            "started_at": started_at(self.seconds), "seconds": (self.seconds * 1000.0).round() / 1000.0, "version": self.version, "run": self.run_id,
            "dry_run": self.dry_run, "remarks": self.remarks, "waiting": self.waiting,
            "error": self.error.as_ref().map(error_json),
        });
        for (name, count) in self.counters.named() {
            object[name] = json!(count);
        }
        if !self.targets.is_empty() {
            object["targets"] = json!(self.targets);
        }
        if self.dry_run {
            object["quarantine"] = json!(self.quarantined);
        }
        object
    }
}

/// What the summary lines of runs and replays have in common.
fn line(
    words: [&str; 2],
    counters: impl Iterator<Item = (&'static str, i64)>,
    batches: u64,
    seconds: f64,
    version: Option<i32>,
) -> String {
    let mut line = words.join(" ");
    for (name, count) in counters {
        let _ = write!(line, " {name}={count}");
    }
    let _ = write!(line, " batches={batches} seconds={seconds:.1}");
    if let Some(version) = version {
        let _ = write!(line, " version={version}");
    }
    line
}

/// When something that has just ended, after so many seconds, began.
fn started_at(seconds: f64) -> String {
    let seconds = SignedDuration::try_from_secs_f64(seconds).unwrap_or_default();
    let now = Timestamp::now();
    now.saturating_sub(seconds).unwrap_or(now).to_string()
}

/// An error for machines; `text` is what people read.
pub fn error_json(error: &Error) -> Value {
    json!({
        "message": error.message(), "sqlstate": error.sqlstate(), "next": error.next_step(),
        "exit_code": error.kind().exit_code(), "text": error.to_string(),
    })
}
