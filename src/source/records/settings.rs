//! The record settings that sources of files and objects share: format, encoding, delimiter and so on.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::choice::{CompressionChoice, EncodingName, Format, FormatChoice};
use super::required::Required;
use crate::error::{Error, Result};
use crate::source::json::Pointer;

/// How records stand in the content.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::source) struct RecordSettings {
    #[serde(default)]
    pub(in crate::source) format: FormatChoice,
    #[serde(default)]
    pub(in crate::source) compression: CompressionChoice,
    #[serde(default)]
    pub(super) delimiter: Option<String>,
    #[serde(default)]
    quote: Option<String>,
    #[serde(default)]
    escape: Option<String>,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    pub(super) skip_lines: u64,
    #[serde(default = "default_max_record_lines")]
    pub(super) max_record_lines: u64,
    #[serde(default = "default_header")]
    pub(super) header: bool,
    #[serde(default)]
    pub(super) encoding: Option<EncodingName>,
    /// Where in a document the array of records is.
    #[serde(default)]
    pub(super) records: Option<Pointer>,
    #[serde(default)]
    pub(super) columns: Option<Vec<String>>,
    #[serde(default)]
    pub(in crate::source) require: Required,
    #[serde(default, rename = "null_string")]
    pub(super) null: Option<String>,
    #[serde(default = "default_max_record_bytes")]
    pub(in crate::source) max_record_bytes: usize,
}

/// The names of [`RecordSettings`].
const NAMES: [&str; 15] = [
    "format",
    "compression",
    "encoding",
    "records",
    "delimiter",
    "quote",
    "escape",
    "comment",
    "skip_lines",
    "max_record_lines",
    "header",
    "columns",
    "require",
    "null_string",
    "max_record_bytes",
];

fn default_header() -> bool {
    true
}

fn default_max_record_lines() -> u64 {
    10_000
}

fn default_max_record_bytes() -> usize {
    16 * 1024 * 1024
}

/// jsonb holds no string longer than this, so a larger limit could not be kept.
const LARGEST_RECORD: usize = 268_435_455;

/// Reads the settings of a source of `kind`: its own, and those all sources share. A key with
/// the value null counts as absent.
pub(in crate::source) fn parse<T: DeserializeOwned>(
    kind: &'static str,
    value: &Value,
) -> Result<(T, RecordSettings)> {
    let mut own = value.clone();
    let mut shared = Map::new();
    if let Some(map) = own.as_object_mut() {
        map.retain(|name, value| {
            // Where the records of an API are is for the API's reader to find, in whole pages.
            let is_own = kind == "http" && name == "records";
            if NAMES.contains(&name.as_str()) && !is_own && !value.is_null() {
                shared.insert(name.clone(), value.take());
            }
            !value.is_null()
        });
        if let Some(found) = map.remove("kind").filter(|found| found != kind) {
            return Err(invalid(
                kind,
                "kind",
                found.as_str().unwrap_or_default(),
                &format!("the kind of this source is \"{kind}\""),
            ));
        }
    }
    let wrong = |cause| {
        Error::usage(format!("the settings of the {kind} source are not valid"))
            .caused_by(cause)
            .next(format!(
                "correct the pipeline's `{kind}_source(…)` and run `sluice apply` again"
            ))
    };
    let shared: RecordSettings = serde_json::from_value(Value::Object(shared)).map_err(wrong)?;
    let own = serde_json::from_value(own).map_err(wrong)?;
    shared.check(kind)?;
    Ok((own, shared))
}

/// Of the settings of any source, those that all sources share.
pub(in crate::source) fn shared(settings: &Value) -> Value {
    let of = |name: &&str| Some(((*name).to_owned(), settings.get(*name)?.clone()));
    Value::Object(NAMES.iter().filter_map(of).collect())
}

impl RecordSettings {
    /// The names of the fields, or of the columns to read.
    pub(in crate::source) fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    fn check(&self, kind: &'static str) -> Result<()> {
        if !(1..=LARGEST_RECORD).contains(&self.max_record_bytes) {
            return Err(invalid(
                kind,
                "max_record_bytes",
                &self.max_record_bytes.to_string(),
                &format!("choose a number from 1 to {LARGEST_RECORD}"),
            ));
        }
        if self.records.is_some() && !matches!(self.format, FormatChoice::Auto | FormatChoice::Json)
        {
            return Err(Error::usage(format!(
                "the {kind} source's setting `records` is for the format json"
            ))
            .next("leave one of the two out"));
        }
        if !self.header && self.columns.is_none() {
            return Err(invalid(
                kind,
                "header",
                "false",
                "without a header row, name the columns: \"columns\": [\"a\", \"b\"]",
            ));
        }
        if let Some(columns) = &self.columns {
            let faults = super::csv::name_faults(columns);
            if columns.is_empty() || !faults.is_empty() {
                return Err(invalid(
                    kind,
                    "columns",
                    &columns.join(", "),
                    "give every column a name of its own",
                )
                .detail(faults.join("; ")));
            }
        }
        for (key, text) in [("delimiter", &self.delimiter), ("quote", &self.quote)] {
            let may_be_empty = key == "quote";
            if text.as_deref().is_some_and(|text| {
                single_byte(text).is_none() && !(may_be_empty && text.is_empty())
            }) {
                return Err(invalid(
                    kind,
                    key,
                    text.as_deref().unwrap_or_default(),
                    "choose one ASCII character, neither a line end nor NUL",
                ));
            }
        }
        for format in [Format::Csv, Format::Tsv] {
            let delimiter = self.delimiter(format);
            if self.quote() == Some(delimiter) {
                return Err(invalid(
                    kind,
                    "quote",
                    &char::from(delimiter).to_string(),
                    "delimiter and quote must differ",
                ));
            }
        }
        Ok(())
    }

    /// The byte between two fields.
    pub(super) fn delimiter(&self, format: Format) -> u8 {
        let default = match format {
            Format::Tsv => b'\t',
            _ => b',',
        };
        self.delimiter
            .as_deref()
            .and_then(single_byte)
            .unwrap_or(default)
    }

    /// The byte that quotes a field; none if quoting is switched off by an empty string.
    pub(super) fn quote(&self) -> Option<u8> {
        self.quote.as_deref().map_or(Some(b'"'), single_byte)
    }
}

impl RecordSettings {
    /// The byte that takes the meaning from the one behind it, in quoted fields.
    pub(super) fn escape(&self) -> Option<u8> {
        let escape = self.escape.as_deref().and_then(single_byte);
        // A doubled quote means itself anyway.
        escape.filter(|escape| Some(*escape) != self.quote())
    }

    /// The byte that makes a line a comment.
    pub(super) fn comment(&self) -> Option<u8> {
        self.comment.as_deref().and_then(single_byte)
    }
}

fn single_byte(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Some(*byte),
        _ => None,
    }
}

/// An error about a setting of a source of `kind`.
pub(in crate::source) fn invalid(kind: &str, key: &str, value: &str, next: &str) -> Error {
    Error::usage(format!(
        "the {kind} source's setting `{key}` cannot be `{value}`"
    ))
    .next(next)
}
