//! Up to where a tap or connector has been loaded, as the pipeline's cursor keeps it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The state that came last, and what was read with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    pub(super) stream: String,
    /// As the program wrote it: nobody else has to understand it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
    /// Records before it.
    #[serde(default)]
    pub(super) records: u64,
    /// The version of a table that is read as a whole, where a tap numbers them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<i64>,
    /// How far a read of everything has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) everything: Option<Everything>,
}

/// A read of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Everything {
    /// It was begun, and may be gone on with.
    Begun,
    /// Nothing more belongs to it.
    Over,
}

impl Mark {
    /// That of the `cursor`, unless it is of something else.
    pub(super) fn of(cursor: Option<&Value>, stream: &str) -> Self {
        let known = cursor.and_then(|cursor| Mark::deserialize(cursor).ok());
        let known = known.filter(|mark| mark.stream == stream);
        known.unwrap_or_else(|| Mark {
            stream: stream.to_owned(),
            ..Mark::default()
        })
    }

    /// An earlier run began to read everything, and came to a state on the way.
    pub(super) fn is_on_the_way(&self) -> bool {
        self.state.is_some() && self.everything == Some(Everything::Begun)
    }
}
