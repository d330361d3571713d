//! The settings of an HTTP source, as the pipeline's definition keeps them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::auth::AuthSettings;
use super::condition::Condition;
use super::paging::Paging;
use super::place::SendIn;
use crate::error::{Error, Result};
use crate::source::json::Pointer;
use crate::source::mark::Kind;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    #[default]
    Get,
    Post,
}

/// How records stand in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    #[default]
    Json,
    Ndjson,
    Csv,
    Tsv,
}

/// Where a sweep begins that only wants what is new.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    pub(super) param: String,
    #[serde(default)]
    pub(super) field: Option<Pointer>,
    #[serde(default)]
    pub(super) header: Option<String>,
    #[serde(default)]
    pub(super) start: Option<String>,
    #[serde(default)]
    pub(super) lag: u64,
    #[serde(default)]
    pub(super) kind: Kind,
    #[serde(default)]
    pub(super) send_in: SendIn,
    /// The parameter that takes the end of a range.
    #[serde(default)]
    until_param: Option<String>,
}

/// The marks between which a backfill reads, in a single sweep; both belong to it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    #[serde(default)]
    pub(super) from: Option<String>,
    #[serde(default)]
    pub(super) to: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    #[serde(rename = "kind")]
    _kind: String,
    #[serde(deserialize_with = "url")]
    pub(super) url: Url,
    #[serde(default)]
    pub(super) method: Method,
    #[serde(default)]
    pub(super) params: Map<String, Value>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) body: Option<Value>,
    #[serde(default = "whole_document")]
    pub(super) records: Pointer,
    #[serde(default)]
    pub(super) format: Format,
    #[serde(default)]
    delimiter: Option<String>,
    #[serde(default)]
    quote: Option<String>,
    #[serde(default)]
    header: Option<bool>,
    #[serde(default)]
    columns: Option<Vec<String>>,
    #[serde(default)]
    null_string: Option<String>,
    #[serde(default)]
    max_record_bytes: Option<u64>,
    #[serde(default)]
    pub(super) paging: Paging,
    #[serde(default)]
    pub(super) auth: Option<AuthSettings>,
    #[serde(default)]
    pub(super) since: Option<Since>,
    #[serde(default)]
    pub(super) range: Option<Range>,
    #[serde(default)]
    pub(super) retry_when: Vec<Condition>,
    #[serde(default)]
    pub(super) fail_when: Vec<Condition>,
    #[serde(default)]
    pub(super) allow_hosts: Vec<String>,
    #[serde(default)]
    pub(super) ca_file: Option<PathBuf>,
    #[serde(default = "ten")]
    connect_timeout: u64,
    #[serde(default = "sixty")]
    read_timeout: u64,
    #[serde(default)]
    pub(super) requests_per_second: Option<f64>,
    #[serde(default = "default_page_bytes")]
    pub(super) max_page_bytes: usize,
    #[serde(default = "five")]
    pub(super) max_redirects: u32,
    #[serde(default = "three_hundred")]
    max_wait: u64,
    #[serde(default = "two")]
    pub(super) prefetch: usize,
}

pub(super) fn url<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Url, D::Error> {
    let text = String::deserialize(text)?;
    Url::parse(&text)
        .map_err(|cause| serde::de::Error::custom(format!("`{text}` is no URL: {cause}")))
}

fn whole_document() -> Pointer {
    Pointer::default()
}

fn two() -> usize {
    2
}

fn five() -> u32 {
    5
}

fn ten() -> u64 {
    10
}

fn sixty() -> u64 {
    60
}

fn three_hundred() -> u64 {
    300
}

fn default_page_bytes() -> usize {
    64 << 20
}

/// Settings that change nothing in what a place in a sweep means.
const HARMLESS: &[&str] = &[
    "kind",
    "headers",
    "auth",
    "retry_when",
    "fail_when",
    "allow_hosts",
    "ca_file",
    "connect_timeout",
    "read_timeout",
    "requests_per_second",
    "max_page_bytes",
    "max_redirects",
    "max_wait",
    "prefetch",
    "max_record_bytes",
];

impl Settings {
    /// Reads the settings; a key with the value null counts as absent. What the engine
    /// checked when the pipeline was defined is not checked again.
    pub(super) fn parse(value: &Value) -> Result<Self> {
        let mut value = value.clone();
        if let Some(map) = value.as_object_mut() {
            map.retain(|_, v| !v.is_null());
        }
        let settings: Settings = serde_json::from_value(value).map_err(|cause| {
            Error::usage("the settings of the HTTP source are not valid")
                .caused_by(cause)
                .next("correct the pipeline's `http_source(…)` and run `sluice apply` again; --path is for files")
        })?;
        if !matches!(settings.url.scheme(), "http" | "https") || settings.url.host().is_none() {
            return Err(
                Error::usage(format!("`{}` is no URL of an HTTP API", settings.url))
                    .next("begin it with https:// or http://"),
            );
        }
        Ok(settings)
    }

    /// What the sources of files call the same things, for the slicing of bodies.
    pub(super) fn slicing(&self) -> Value {
        let format = match self.format {
            Format::Json => "json",
            Format::Ndjson => "ndjson",
            Format::Csv => "csv",
            Format::Tsv => "tsv",
        };
        json!({
            "format": format, "delimiter": self.delimiter, "quote": self.quote, "header": self.header,
            "columns": self.columns, "null_string": self.null_string, "max_record_bytes": self.max_record_bytes,
        })
    }

    /// Tells whether a place noted under other settings still means the same.
    pub(super) fn fingerprint(value: &Value) -> String {
        let mut value = value.clone();
        if let Some(map) = value.as_object_mut() {
            map.retain(|key, _| !HARMLESS.contains(&key.as_str()));
            let has_range = map.contains_key("range");
            if let Some(since) = map.get_mut("since").and_then(Value::as_object_mut) {
                // A sweep keeps the value it began with.
                since.retain(|key, _| match key.as_str() {
                    "start" | "lag" => false,
                    "until_param" => has_range,
                    _ => true,
                });
            }
            map.sort_keys();
        }
        digest(value.to_string().as_bytes())
    }

    /// The parameter for the end of the range, and what it takes.
    pub(super) fn until(&self) -> Option<(&Since, &str, &str)> {
        let since = self.since.as_ref()?;
        let to = self.range.as_ref()?.to.as_deref()?;
        Some((since, since.until_param.as_deref()?, to))
    }

    pub(super) fn connect_timeout(&self) -> Duration {
        Duration::from_secs(self.connect_timeout)
    }

    pub(super) fn read_timeout(&self) -> Duration {
        Duration::from_secs(self.read_timeout)
    }

    pub(super) fn max_wait(&self) -> Duration {
        Duration::from_secs(self.max_wait)
    }
}

/// Enough of a SHA-256 to tell contents apart.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex::encode(&Sha256::digest(bytes)[..12])
}
