//! The settings of a file source, as the pipeline's definition keeps them.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::discover::FilePattern;
use crate::error::Result;
use crate::source::names::{check_after, glob_below};
use crate::source::records::{OnReplace, RecordSettings, invalid, parse};

const KIND: &str = "file";

/// What to do with a file that ends inside a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Partial {
    #[default]
    Wait,
    Quarantine,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFileSettings {
    #[serde(default)]
    path: String,
    pattern: Option<String>,
    subfolders: Option<bool>,
    #[serde(default = "default_settle_seconds")]
    settle_seconds: f64,
    #[serde(default)]
    partial: Partial,
    #[serde(default)]
    on_replace: OnReplace,
    after: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct FileSettings {
    pub(super) address: FilePattern,
    pub(super) settle: Duration,
    pub(super) partial: Partial,
    pub(super) on_replace: OnReplace,
    /// Only files whose names come after this one are read.
    pub(super) after: Option<String>,
    pub(super) records: RecordSettings,
}

fn default_settle_seconds() -> f64 {
    2.0
}

const LONGEST_SETTLE: f64 = 3600.0;

impl FileSettings {
    /// Reads and checks the settings.
    pub(super) fn parse(value: &Value) -> Result<Self> {
        let (own, records): (RawFileSettings, _) = parse(KIND, value)?;
        if own.path.is_empty() {
            return Err(invalid(
                KIND,
                "path",
                "",
                "name a file, a folder, a glob, or `-` for standard input",
            ));
        }
        if !(0.0..=LONGEST_SETTLE).contains(&own.settle_seconds) {
            return Err(invalid(
                KIND,
                "settle_seconds",
                &own.settle_seconds.to_string(),
                "choose a number of seconds from 0 to 3600",
            ));
        }
        if let Some(after) = &own.after {
            check_after(KIND, after, &own.path)?;
        }
        Ok(FileSettings {
            address: FilePattern {
                below: glob_below(own.pattern.as_deref(), own.subfolders),
                path: own.path,
            },
            settle: Duration::try_from_secs_f64(own.settle_seconds).unwrap_or_default(),
            partial: own.partial,
            on_replace: own.on_replace,
            after: own.after,
            records,
        })
    }
}
