//! The cursor of a pipeline that reads a tap or connector.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::message_parser::Completeness;

/// The last state, and what was read up to it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ProgramCursor {
    pub(super) stream: String,
    /// The state as the program printed it; it is opaque.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
    /// Records before it.
    #[serde(default)]
    pub(super) records: u64,
    /// The version of the table, where the tap numbers full reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<i64>,
    /// The progress of a full read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) everything: Option<FullRead>,
    /// The id of the state, if other pipelines received it, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shared: Option<StateId>,
    /// An earlier state, up to which this and other pipelines have all records: mostly that at which a shared
    /// run began. Some of them may have committed nothing of that run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) earlier: Option<ResumePoint>,
}

/// The progress of a full read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FullRead {
    /// Begun, and may be resumed.
    Begun,
    /// Complete: later records do not belong to it.
    Over,
}

/// Identifies a state: the run of a program, and its number in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StateId {
    pub(super) run: String,
    pub(super) number: u64,
}

/// A state to start a program from; none is the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ResumePoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<StateId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
}

impl ProgramCursor {
    /// Parses the `cursor`; a new one if it is not of this stream.
    pub(super) fn of(cursor: Option<&Value>, stream: &str) -> Self {
        let known = cursor.and_then(|cursor| ProgramCursor::deserialize(cursor).ok());
        let known = known.filter(|mark| mark.stream == stream);
        known.unwrap_or_else(|| ProgramCursor {
            stream: stream.to_owned(),
            ..ProgramCursor::default()
        })
    }

    /// Whether an earlier run left a full read at a state.
    pub(super) fn is_on_the_way(&self) -> bool {
        self.state.is_some() && self.everything == Some(FullRead::Begun)
    }

    /// The points from which the program may be started without the pipeline losing a record, the latest
    /// first. A complete full read is started anew.
    pub(super) fn points(&self, completeness: Completeness) -> Vec<ResumePoint> {
        if completeness == Completeness::EachRun && !self.is_on_the_way() {
            return vec![ResumePoint::default()];
        }
        let points: Vec<ResumePoint> =
            self.last().into_iter().chain(self.earlier.clone()).collect();
        match points.is_empty() {
            true => vec![ResumePoint::default()],
            false => points,
        }
    }

    fn last(&self) -> Option<ResumePoint> {
        self.state
            .as_ref()
            .map(|state| ResumePoint { place: self.shared.clone(), state: Some(state.clone()) })
    }

    /// The point from which runs can be shared again after a run alone.
    pub(super) fn meeting_point(&self) -> Option<ResumePoint> {
        match self.shared {
            Some(_) => self.last(),
            None => self.earlier.clone(),
        }
    }
}
