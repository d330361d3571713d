//! The settings of a file source, as the pipeline's definition keeps them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};

/// How records stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    Ndjson,
    Json,
    Csv,
    Tsv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FormatChoice {
    #[default]
    Auto,
    Ndjson,
    Json,
    Csv,
    Tsv,
}

impl FormatChoice {
    pub(super) fn fixed(self) -> Option<Format> {
        match self {
            FormatChoice::Auto => None,
            FormatChoice::Ndjson => Some(Format::Ndjson),
            FormatChoice::Json => Some(Format::Json),
            FormatChoice::Csv => Some(Format::Csv),
            FormatChoice::Tsv => Some(Format::Tsv),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CompressionChoice {
    #[default]
    Auto,
    None,
    Gzip,
    Zstd,
}

/// What to do with a file that ends inside a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Partial {
    #[default]
    Wait,
    Quarantine,
}

/// What to do with a file that has other content than when it was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OnReplace {
    #[default]
    Error,
    Reload,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    pub(super) path: String,
    #[serde(default)]
    pub(super) format: FormatChoice,
    #[serde(default)]
    pub(super) compression: CompressionChoice,
    #[serde(default)]
    delimiter: Option<String>,
    #[serde(default)]
    quote: Option<String>,
    #[serde(default = "default_header")]
    pub(super) header: bool,
    #[serde(default)]
    pub(super) columns: Option<Vec<String>>,
    #[serde(default, rename = "null_string")]
    pub(super) null: Option<String>,
    #[serde(default = "default_max_record_bytes")]
    pub(super) max_record_bytes: usize,
    #[serde(default = "default_settle_seconds")]
    settle_seconds: f64,
    #[serde(default)]
    pub(super) partial: Partial,
    #[serde(default)]
    pub(super) on_replace: OnReplace,
}

fn default_header() -> bool {
    true
}

fn default_max_record_bytes() -> usize {
    16 * 1024 * 1024
}

fn default_settle_seconds() -> f64 {
    2.0
}

/// jsonb holds no string longer than this, so a larger limit could not be kept.
const LARGEST_RECORD: usize = 268_435_455;

const LONGEST_SETTLE: f64 = 3600.0;

impl Settings {
    /// Reads and checks the settings; a key with the value null counts as absent.
    pub(super) fn parse(value: &Value) -> Result<Self> {
        let mut value = value.clone();
        if let Some(map) = value.as_object_mut() {
            map.retain(|_, v| !v.is_null());
        }
        let settings: Settings = serde_json::from_value(value).map_err(|cause| {
            Error::usage("the settings of the file source are not valid")
                .caused_by(cause)
                .next("correct the pipeline's `file_source(…)` and run `sluice apply` again")
        })?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<()> {
        if let Some(kind) = self.kind.as_deref().filter(|kind| *kind != "file") {
            return Err(invalid("kind", kind, "a file source has the kind \"file\""));
        }
        if self.path.is_empty() {
            return Err(invalid(
                "path",
                "",
                "name a file, a folder, a glob, or `-` for standard input",
            ));
        }
        if !(1..=LARGEST_RECORD).contains(&self.max_record_bytes) {
            return Err(invalid(
                "max_record_bytes",
                &self.max_record_bytes.to_string(),
                &format!("choose a number from 1 to {LARGEST_RECORD}"),
            ));
        }
        if !(0.0..=LONGEST_SETTLE).contains(&self.settle_seconds) {
            return Err(invalid(
                "settle_seconds",
                &self.settle_seconds.to_string(),
                "choose a number of seconds from 0 to 3600",
            ));
        }
        if !self.header && self.columns.is_none() {
            return Err(invalid(
                "header",
                "false",
                "without a header row, name the columns: \"columns\": [\"a\", \"b\"]",
            ));
        }
        if let Some(columns) = &self.columns {
            let faults = name_faults(columns);
            if columns.is_empty() || !faults.is_empty() {
                return Err(invalid(
                    "columns",
                    &columns.join(", "),
                    "give every column a name of its own",
                )
                .detail(faults.join("; ")));
            }
        }
        for format in [Format::Csv, Format::Tsv] {
            let delimiter = self.delimiter(format)?;
            if self.quote()? == Some(delimiter) {
                return Err(invalid(
                    "quote",
                    &char::from(delimiter).to_string(),
                    "delimiter and quote must differ",
                ));
            }
        }
        Ok(())
    }

    /// The byte between two fields.
    pub(super) fn delimiter(&self, format: Format) -> Result<u8> {
        match (&self.delimiter, format) {
            (Some(text), _) => single_byte("delimiter", text),
            (None, Format::Tsv) => Ok(b'\t'),
            (None, _) => Ok(b','),
        }
    }

    /// The byte that quotes a field; none if quoting is switched off by an empty string.
    pub(super) fn quote(&self) -> Result<Option<u8>> {
        match self.quote.as_deref() {
            None => Ok(Some(b'"')),
            Some("") => Ok(None),
            Some(text) => single_byte("quote", text).map(Some),
        }
    }

    pub(super) fn settle(&self) -> Duration {
        Duration::try_from_secs_f64(self.settle_seconds).unwrap_or_default()
    }
}

/// What is wrong with a list of column names: empty ones and repeated ones.
pub(super) fn name_faults(names: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut faults = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            faults.push(format!("column {} has no name", index + 1));
        } else if !seen.insert(name) {
            faults.push(format!("`{name}` is there more than once"));
        }
    }
    faults.dedup();
    faults
}

fn single_byte(key: &str, text: &str) -> Result<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Ok(*byte),
        _ => Err(invalid(
            key,
            text,
            "choose one ASCII character, neither a line end nor NUL",
        )),
    }
}

fn invalid(key: &str, value: &str, next: &str) -> Error {
    Error::usage(format!(
        "the file source's setting `{key}` cannot be `{value}`"
    ))
    .next(next)
}
