//! The outcome of a delivery run: its summary line and its JSON.

use crate::error::Error;
use serde_json::{Value, json};

/// The outcome of a delivery run of one pipeline.
#[derive(Debug, Default)]
pub struct DeliveryReport {
    /// The pipeline.
    pub pipeline: String,
    /// The target, unless it is the first.
    pub target: Option<String>,
    /// Accepted by the destination.
    pub sent: u64,
    /// Rows without a body, by the body function.
    pub filtered: u64,
    /// Refused by the destination, or the body function failed.
    pub dead: u64,
    /// Replaced by a newer change of their key since the last delivery run.
    pub superseded: i64,
    /// Unsent, or in flight without an answer.
    pub waiting: i64,
    /// Requests and queries that were repeated.
    pub retried: u64,
    /// Left, as a constraint refuses them that the sending of other rows may satisfy.
    pub put_off: u64,
    /// Wall seconds.
    pub seconds: f64,
    /// Why it ended early.
    pub error: Option<Error>,
}

impl DeliveryReport {
    pub(crate) fn new(pipeline: &str) -> Self {
        DeliveryReport { pipeline: pipeline.to_owned(), ..DeliveryReport::default() }
    }

    pub(crate) fn of_failure(pipeline: &str, error: Error) -> Self {
        DeliveryReport { error: Some(error), ..DeliveryReport::new(pipeline) }
    }

    /// Whose rows they are, where it is to be said.
    pub(crate) fn of_target(&self) -> String {
        self.target.as_ref().map_or(String::new(), |target| format!(" of {target}"))
    }

    /// The same, and what was sent before of the same rows.
    pub(crate) fn after(mut self, before: &DeliveryReport) -> Self {
        self.sent += before.sent;
        self.filtered += before.filtered;
        self.dead += before.dead;
        self.superseded += before.superseded;
        self.retried += before.retried;
        self.put_off += before.put_off;
        self.seconds += before.seconds;
        self
    }

    /// `delivered`, `failed`, `threshold`, `locked` or `interrupted`.
    pub fn outcome(&self) -> &'static str {
        self.error.as_ref().map_or("delivered", |error| error.kind().outcome())
    }

    /// The exit code it asks for.
    pub fn exit_code(&self) -> u8 {
        self.error.as_ref().map_or(0, |error| error.kind().exit_code())
    }

    fn counters(&self) -> [(&'static str, i64); 6] {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        [
            ("sent", count(self.sent)),
            ("filtered", count(self.filtered)),
            ("superseded", self.superseded),
            ("dead", count(self.dead)),
            ("waiting", self.waiting),
            ("retried", count(self.retried)),
        ]
    }

    /// One line of `key=value`, stable, fit for a cron mail.
    pub fn summary(&self) -> String {
        let counters = self.counters();
        let counters = counters.iter().map(|(name, count)| format!("{name}={count} "));
        let target = self.target.iter().map(|target| format!(" target={target}"));
        let put_off = (self.put_off > 0).then(|| format!(" put_off={}", self.put_off));
        format!(
            "{} {} {}seconds={:.1}{}{}",
            self.pipeline,
            self.outcome(),
            counters.collect::<String>(),
            self.seconds,
            target.collect::<String>(),
            put_off.unwrap_or_default()
        )
    }

    /// The same for machines.
    pub fn json(&self) -> Value {
        let mut object = json!({
            "pipeline": self.pipeline, "outcome": self.outcome(),
            "seconds": (self.seconds * 1000.0).round() / 1000.0, "put_off": self.put_off,
            "error": self.error.as_ref().map(super::error_json),
        });
        if let Some(target) = &self.target {
            object["target"] = json!(target);
        }
        for (name, count) in self.counters() {
            object[name] = json!(count);
        }
        object
    }
}
