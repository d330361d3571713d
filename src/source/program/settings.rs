//! The settings of a program source, as the pipeline's definition keeps them.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::error::Result;
use crate::source::json::Pointer;
use crate::source::records::{self, Format, RecordSettings, invalid};

pub(super) const KIND: &str = "program";

/// How a program gives its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Protocol {
    Singer,
    Airbyte,
    Ndjson,
    Json,
    Csv,
    Tsv,
}

impl Protocol {
    /// The format of its output, if that is nothing but records.
    pub(super) fn format(self) -> Option<Format> {
        match self {
            Protocol::Singer | Protocol::Airbyte => None,
            Protocol::Ndjson => Some(Format::Ndjson),
            Protocol::Json => Some(Format::Json),
            Protocol::Csv => Some(Format::Csv),
            Protocol::Tsv => Some(Format::Tsv),
        }
    }
}

/// Whether an Airbyte connector is to give all, or what is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SyncMode {
    FullRefresh,
    Incremental,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProgramSettings {
    pub(super) program: String,
    pub(super) protocol: Protocol,
    #[serde(default)]
    pub(super) arguments: Vec<String>,
    /// The stream that is wanted, of those that a tap or connector has.
    #[serde(default)]
    pub(super) stream: String,
    pub(super) config: Option<PathBuf>,
    pub(super) catalog: Option<PathBuf>,
    /// Whether it is asked for its catalog where none is given.
    #[serde(default = "yes")]
    pub(super) discover: bool,
    pub(super) sync_mode: Option<SyncMode>,
    /// Environment variables that it gets besides the harmless ones.
    #[serde(default)]
    pub(super) env: Vec<String>,
    /// Seconds that it may print nothing.
    #[serde(default = "default_silence")]
    silence: u64,
    /// Whether each run gives all that there is.
    pub(super) complete: Option<bool>,
    /// Where in a record the value stands by which the next run goes on.
    pub(super) cursor: Option<Pointer>,
    /// What the first run is given instead.
    #[serde(default)]
    start: String,
}

fn yes() -> bool {
    true
}

fn default_silence() -> u64 {
    3600
}

impl ProgramSettings {
    /// Reads the settings, and how records stand in the output.
    pub(super) fn parse(value: &Value) -> Result<(Self, RecordSettings)> {
        let (settings, records): (ProgramSettings, _) = records::parse(KIND, value)?;
        if settings.protocol.format().is_none() && settings.stream.is_empty() {
            return Err(invalid(
                KIND,
                "stream",
                "",
                "name one of the streams of the program",
            ));
        }
        Ok((settings, records))
    }

    /// The same with what stands for `{cursor}` in the arguments.
    pub(super) fn at(&self, cursor: Option<&str>) -> Self {
        let mut settings = self.clone();
        if self.cursor.is_some() {
            for argument in &mut settings.arguments {
                *argument = argument.replace("{cursor}", cursor.unwrap_or(&self.start));
            }
        }
        settings
    }

    pub(super) fn silence(&self) -> Duration {
        Duration::from_secs(self.silence)
    }

    /// What its records have as their origin.
    pub(super) fn origin(&self) -> String {
        match self.stream.is_empty() {
            true => self.program.clone(),
            false => format!("{}:{}", self.program, self.stream),
        }
    }
}
