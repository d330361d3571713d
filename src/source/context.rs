//! What a run shares with its source: runtime, retry budget, rules of the host, remarks, child processes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::runtime::Handle;

use super::children::Children;
use super::secret::Redactor;
use crate::host::HostRules;
use crate::retry::Budget;

/// What a source needs of its run. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SourceContext {
    /// Runs what is asynchronous.
    pub runtime: Handle,
    /// The retries of the run.
    pub budget: Arc<Budget>,
    /// What the user should know at the end of the run.
    pub remarks: Remarks,
    /// What the host gives to pipelines.
    pub host: HostRules,
    pub(crate) secrets: Arc<Redactor>,
    /// The programs it has started, which end with the run.
    pub(crate) children: Children,
}

impl SourceContext {
    /// The context of a run that begins; to be called within a runtime.
    pub fn of_run(budget: Arc<Budget>, host: HostRules) -> Self {
        SourceContext {
            host,
            runtime: Handle::current(),
            budget,
            remarks: Remarks::default(),
            secrets: Arc::default(),
            children: Children::default(),
        }
    }
}

/// Remarks for the user at the end of a run, one a line: a file that was replaced, for instance.
#[derive(Debug, Clone, Default)]
pub struct Remarks(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    lines: Vec<String>,
    more: usize,
    waiting: Vec<Waiting>,
}

/// What a source offers and could not be read to its end in this run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The file, object or address.
    pub name: String,
    /// What stands in the way.
    pub reason: String,
    /// It was left by an option of the run.
    pub on_purpose: bool,
}

impl Remarks {
    /// Remarks that are kept; the rest is counted.
    const MOST: usize = 20;

    /// Notes one.
    pub fn add(&self, line: impl Into<String>) {
        let mut noted = self.noted();
        match noted.lines.len() < Self::MOST {
            true => noted.lines.push(line.into()),
            false => noted.more += 1,
        }
    }

    /// What was noted.
    pub fn lines(&self) -> Vec<String> {
        let noted = self.noted();
        let more = (noted.more > 0).then(|| format!("and {} more such notes", noted.more));
        noted.lines.iter().cloned().chain(more).collect()
    }

    /// Notes what waits.
    pub(crate) fn wait_for(&self, waiting: Waiting) {
        self.noted().waiting.push(waiting);
    }

    /// What waits.
    pub fn waiting(&self) -> Vec<Waiting> {
        self.noted().waiting.clone()
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
