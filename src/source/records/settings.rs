//! The settings about records that sources share: format, encoding, delimiter and so on.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::choice::{Compression, EncodingName, Format, unless_auto};
use super::required::Required;
use crate::error::{Error, Result};
use crate::source::json::Pointer;

/// How records are written in the content.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordSettings {
    #[serde(default, deserialize_with = "unless_auto")]
    pub(crate) format: Option<Format>,
    #[serde(default, deserialize_with = "unless_auto")]
    pub(crate) compression: Option<Compression>,
    pub(super) delimiter: Option<String>,
    quote: Option<String>,
    escape: Option<String>,
    comment: Option<String>,
    #[serde(default)]
    pub(super) skip_lines: u64,
    #[serde(default = "default_max_record_lines")]
    pub(super) max_record_lines: u64,
    #[serde(default = "default_header")]
    pub(super) header: bool,
    pub(super) encoding: Option<EncodingName>,
    /// The array of records in a document.
    pub(super) records: Option<Pointer>,
    pub(super) columns: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) require: Required,
    #[serde(default, rename = "null_string")]
    pub(super) null: Option<String>,
    #[serde(default = "default_max_record_bytes")]
    pub(crate) max_record_bytes: usize,
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

/// The longest string in jsonb.
const LARGEST_RECORD: usize = 268_435_455;

/// Parses the settings of a source of `kind`: its own, and the shared ones. A key with the value null
/// counts as absent.
pub(crate) fn parse<T: DeserializeOwned>(
    kind: &'static str,
    value: &Value,
) -> Result<(T, RecordSettings)> {
    let mut own = value.clone();
    let mut shared = Map::new();
    if let Some(map) = own.as_object_mut() {
        map.retain(|name, value| {
            // The HTTP source finds the records in a page itself.
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
            .next(format!("correct the pipeline's `{kind}_source(…)` and run `sluice apply` again"))
    };
    let shared: RecordSettings = serde_json::from_value(Value::Object(shared)).map_err(wrong)?;
    let own = serde_json::from_value(own).map_err(wrong)?;
    shared.check(kind)?;
    Ok((own, shared))
}

/// The shared settings in those of any source.
pub(crate) fn shared(settings: &Value) -> Value {
    let of = |name: &&str| Some(((*name).to_owned(), settings.get(*name)?.clone()));
    Value::Object(NAMES.iter().filter_map(of).collect())
}

/// Parses the shared settings in those of any source.
pub(super) fn parse_shared(settings: &Value) -> Result<RecordSettings> {
    let mut shared = shared(settings);
    if let Some(map) = shared.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    serde_json::from_value(shared)
        .map_err(|cause| Error::usage("the settings of the records are not valid").caused_by(cause))
}

impl RecordSettings {
    /// The names of the fields, or of the columns to read.
    pub(crate) fn columns(&self) -> Option<&[String]> {
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
        if self.records.is_some() && !matches!(self.format, None | Some(Format::Json)) {
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

    /// The byte between fields.
    pub(super) fn delimiter(&self, format: Format) -> u8 {
        let default = match format {
            Format::Tsv => b'\t',
            _ => b',',
        };
        self.delimiter.as_deref().and_then(single_byte).unwrap_or(default)
    }

    /// The byte that quotes a field; none if the setting is empty.
    pub(super) fn quote(&self) -> Option<u8> {
        self.quote.as_deref().map_or(Some(b'"'), single_byte)
    }
}

impl RecordSettings {
    /// The escape byte in quoted fields.
    pub(super) fn escape(&self) -> Option<u8> {
        let escape = self.escape.as_deref().and_then(single_byte);
        // Doubled quotes are always understood.
        escape.filter(|escape| Some(*escape) != self.quote())
    }

    /// The byte that begins a comment.
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
pub(crate) fn invalid(kind: &str, key: &str, value: &str, next: &str) -> Error {
    Error::usage(format!("the {kind} source's setting `{key}` cannot be `{value}`")).next(next)
}
