//! The outcome of a replay: its summary line and its JSON.

use crate::batch::Replayed;
use crate::error::Error;
use serde_json::{Value, json};

/// What a replay did, batch by batch added up.
#[derive(Debug, Default)]
pub struct ReplayReport {
    /// The pipeline.
    pub pipeline: String,
    /// The transform version of the last batch.
    pub version: Option<i32>,
    /// What was counted, of committed batches only.
    pub totals: Replayed,
    /// Committed batches.
    pub batches: u64,
    /// Wall seconds.
    pub seconds: f64,
    /// Why it ended early.
    pub error: Option<Error>,
    /// Whether everything was rolled back.
    pub dry_run: bool,
}

impl ReplayReport {
    /// Counts a batch.
    pub(crate) fn add(&mut self, version: Option<i32>, batch: &Replayed) {
        self.version = version.or(self.version);
        self.totals.add(batch);
        self.batches += 1;
    }

    /// `ok`, `failed` or `interrupted`.
    pub fn outcome(&self) -> &'static str {
        self.error.as_ref().map_or("ok", |error| error.kind().outcome())
    }

    /// The exit code this replay asks for.
    pub fn exit_code(&self) -> u8 {
        self.error.as_ref().map_or(0, |error| error.kind().exit_code())
    }

    /// One line of `key=value`, stable, fit for a cron mail.
    pub fn summary(&self) -> String {
        let (words, counters) = ([&self.pipeline, self.outcome()], self.totals.named());
        let mut line = super::line(words, counters, self.batches, self.seconds, self.version);
        if self.dry_run {
            line.push_str(" dry_run=true");
        }
        line
    }

    /// The same for machines.
    pub fn json(&self) -> Value {
        let mut object = json!({
            "pipeline": self.pipeline, "outcome": self.outcome(), "batches": self.batches,
            "started_at": super::started_at(self.seconds),
            "seconds": (self.seconds * 1000.0).round() / 1000.0,
            "version": self.version, "dry_run": self.dry_run,
            "error": self.error.as_ref().map(super::error_json),
        });
        for (name, count) in self.totals.named() {
            object[name] = json!(count);
        }
        object
    }

    /// What the user may want to do about the records that stayed where they were.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.totals.quarantined > 0 {
            remarks.push(format!(
                "{} still bad: see sluice quarantine {} --by-error",
                self.totals.quarantined, self.pipeline
            ));
        }
        if self.totals.unsure > 0 {
            remarks.push(format!(
                "{} left in quarantine, as the row in the target may be newer: --overwrite-unsure loads what is left, sluice discard closes it",
                self.totals.unsure
            ));
        }
        remarks
    }
}
