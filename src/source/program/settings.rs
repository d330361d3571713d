//! The settings of a program source, as the pipeline's definition stores them.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::error::Result;
use crate::source::json::Pointer;
use crate::source::records::{self, Format, RecordSettings, invalid};

pub(super) const KIND: &str = "program";

/// The protocol of a program's output.
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
    /// The format, if the output is only records.
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

/// The sync mode of an Airbyte stream.
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
    /// The stream that the pipeline reads.
    #[serde(default)]
    pub(super) stream: String,
    pub(super) config: Option<PathBuf>,
    pub(super) catalog: Option<PathBuf>,
    /// Whether the catalog is discovered where none is given.
    #[serde(default = "yes")]
    pub(super) discover: bool,
    pub(super) sync_mode: Option<SyncMode>,
    /// Further environment variables for the program.
    #[serde(default)]
    pub(super) env: Vec<String>,
    /// Seconds without output after which the program is killed.
    #[serde(default = "default_silence")]
    silence: u64,
    /// Whether each run prints all records.
    pub(super) complete: Option<bool>,
    /// The member of a record that is the cursor.
    pub(super) cursor: Option<Pointer>,
    /// The cursor of the first run.
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
    /// Parses the settings, and those about records.
    pub(super) fn parse(value: &Value) -> Result<(Self, RecordSettings)> {
        let (settings, records): (ProgramSettings, _) = records::parse(KIND, value)?;
        if settings.protocol.format().is_none() && settings.stream.is_empty() {
            return Err(invalid(KIND, "stream", "", "name one of the streams of the program"));
        }
        Ok((settings, records))
    }

    /// The settings with `{cursor}` replaced in the arguments.
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

    /// The origin of its records.
    pub(super) fn origin(&self) -> String {
        match self.stream.is_empty() {
            true => self.program.clone(),
            false => format!("{}:{}", self.program, self.stream),
        }
    }
}
