//! The cursor of a pipeline that reads a tap or connector.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message_parser::Completeness;

/// The state that came last, and what was read with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProgramCursor {
    pub(super) stream: String,
    /// As the program wrote it: nobody else has to understand it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
    /// Records before it.
    #[serde(default)]
    pub(super) records: u64,
    /// The version of a table that is read as a whole, where a tap numbers them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<i64>,
    /// How far a read of everything has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) everything: Option<FullRead>,
    /// Where the state came, if other pipelines were given it, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shared: Option<StateId>,
    /// Another state before which the pipeline has all records, and others have, too: mostly that at which
    /// the shared run began. Of those some may have committed nothing of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) earlier: Option<ResumePoint>,
}

/// A read of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FullRead {
    /// It was begun, and may be gone on with.
    Begun,
    /// Nothing more belongs to it.
    Over,
}

/// Which of the states of which run of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StateId {
    pub(super) run: String,
    pub(super) number: u64,
}

/// A state at which a program can begin; without one it begins at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ResumePoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<StateId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
}

impl ProgramCursor {
    /// That of the `cursor`, unless it is of something else.
    pub(super) fn of(cursor: Option<&Value>, stream: &str) -> Self {
        let known = cursor.and_then(|cursor| ProgramCursor::deserialize(cursor).ok());
        let known = known.filter(|mark| mark.stream == stream);
        known.unwrap_or_else(|| ProgramCursor {
            stream: stream.to_owned(),
            ..ProgramCursor::default()
        })
    }

    /// An earlier run began to read everything, and came to a state on the way.
    pub(super) fn is_on_the_way(&self) -> bool {
        self.state.is_some() && self.everything == Some(FullRead::Begun)
    }

    /// The points at which the program may begin again without the pipeline losing a record, the latest
    /// first. What is read as a whole each time begins anew when it was.
    pub(super) fn points(&self, completeness: Completeness) -> Vec<ResumePoint> {
        if completeness == Completeness::EachRun && !self.is_on_the_way() {
            return vec![ResumePoint::default()];
        }
        let points: Vec<ResumePoint> = self
            .last()
            .into_iter()
            .chain(self.earlier.clone())
            .collect();
        match points.is_empty() {
            true => vec![ResumePoint::default()],
            false => points,
        }
    }

    fn last(&self) -> Option<ResumePoint> {
        self.state.as_ref().map(|state| ResumePoint {
            place: self.shared.clone(),
            state: Some(state.clone()),
        })
    }

    /// By which others may be met again after a run alone.
    pub(super) fn meeting_point(&self) -> Option<ResumePoint> {
        match self.shared {
            Some(_) => self.last(),
            None => self.earlier.clone(),
        }
    }
}
