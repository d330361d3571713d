//! The settings of an HTTP source, as the pipeline's definition stores them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::condition::Condition;
use super::paging::Paging;
use super::since::{MarkRange, Since};
use crate::error::{Error, Result};
use crate::http::auth::AuthSettings;
use crate::http::transport::TransportLimits;
use crate::http::{default_u64, url};
use crate::source::json::Pointer;
use crate::source::records::{self, Format, RecordSettings};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    #[default]
    Get,
    Post,
}

/// What `records` points to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RecordsShape {
    /// An array of records.
    #[default]
    Array,
    /// One record.
    Object,
    /// An object whose members are records.
    Members,
}

/// The encoding of a request body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BodyFormat {
    #[default]
    Json,
    Form,
}

/// The format of answers.
#[derive(Debug, Clone)]
pub(crate) struct ResponseFormat {
    pub(crate) format: Format,
    pub(crate) records: Pointer,
    pub(crate) shape: RecordsShape,
    pub(crate) lines: RecordSettings,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpSettings {
    #[serde(deserialize_with = "url")]
    pub(crate) url: Url,
    #[serde(default)]
    pub(crate) method: Method,
    #[serde(default)]
    pub(crate) params: Map<String, Value>,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Option<Value>,
    #[serde(default)]
    pub(crate) body_format: BodyFormat,
    #[serde(default)]
    records: Pointer,
    #[serde(default)]
    shape: RecordsShape,
    #[serde(default)]
    pub(crate) paging: Paging,
    pub(crate) max_pages: Option<u64>,
    #[serde(default)]
    pub(crate) allow_equal_pages: bool,
    pub(crate) auth: Option<AuthSettings>,
    pub(crate) since: Option<Since>,
    /// The query for rows that fill the placeholders. It was run before the source is opened.
    for_each: Option<String>,
    pub(crate) range: Option<MarkRange>,
    #[serde(default)]
    pub(crate) retry_when: Vec<Condition>,
    #[serde(default)]
    pub(crate) fail_when: Vec<Condition>,
    #[serde(default)]
    pub(crate) retry_statuses: Vec<u16>,
    #[serde(default)]
    pub(crate) final_statuses: Vec<u16>,
    #[serde(default)]
    pub(crate) allow_hosts: Vec<String>,
    pub(crate) ca_file: Option<PathBuf>,
    #[serde(default = "default_u64::<10>")]
    connect_timeout: u64,
    #[serde(default = "default_u64::<60>")]
    read_timeout: u64,
    #[serde(default = "default_u64::<900>")]
    request_timeout: u64,
    requests_per_second: Option<f64>,
    #[serde(default = "default_page_bytes")]
    max_page_bytes: usize,
    #[serde(default = "five")]
    pub(crate) max_redirects: u32,
    #[serde(default = "default_u64::<300>")]
    max_wait: u64,
    #[serde(default = "two")]
    pub(crate) prefetch: usize,
}

fn two() -> usize {
    2
}

fn five() -> u32 {
    5
}

fn default_page_bytes() -> usize {
    64 << 20
}

/// Settings that may change within a sweep.
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
    "request_timeout",
    "retry_statuses",
    "final_statuses",
    "max_pages",
    "allow_equal_pages",
    "requests_per_second",
    "max_page_bytes",
    "max_redirects",
    "max_wait",
    "prefetch",
    "max_record_bytes",
];

impl HttpSettings {
    /// Parses the settings; a key with the value null counts as absent. What `define_pipeline` has checked is
    /// not checked again.
    pub(crate) fn parse(value: &Value) -> Result<(Self, ResponseFormat)> {
        let (settings, lines) = records::parse::<HttpSettings>("http", value)?;
        if !matches!(settings.url.scheme(), "http" | "https") || settings.url.host().is_none() {
            return Err(Error::usage(format!("`{}` is not a URL of an HTTP API", settings.url))
                .next("begin it with https:// or http://"));
        }
        let content = ResponseFormat {
            records: settings.records.clone(),
            shape: settings.shape,
            format: lines.format.unwrap_or(Format::Json),
            lines,
        };
        Ok((settings, content))
    }

    /// Fingerprint of the settings under which the position of a sweep is valid.
    pub(crate) fn fingerprint(value: &Value) -> String {
        let mut value = value.clone();
        if let Some(map) = value.as_object_mut() {
            map.retain(|key, _| !HARMLESS.contains(&key.as_str()));
            let has_range = map.contains_key("range");
            if let Some(since) = map.get_mut("since").and_then(Value::as_object_mut) {
                // A sweep keeps the marks it began with.
                since.retain(|key, _| match key.as_str() {
                    "start" | "lag" => false,
                    "until_param" => has_range,
                    _ => true,
                });
            }
            map.sort_keys();
        }
        hex::encode(digest(value.to_string().as_bytes()))
    }

    pub(crate) fn has_rows(&self) -> bool {
        self.for_each.is_some()
    }

    pub(crate) fn limits(&self) -> TransportLimits {
        TransportLimits {
            connect_timeout: Duration::from_secs(self.connect_timeout),
            read_timeout: Duration::from_secs(self.read_timeout),
            request_timeout: Duration::from_secs(self.request_timeout),
            max_wait: Duration::from_secs(self.max_wait),
            max_bytes: self.max_page_bytes,
            max_bytes_setting: Some("max_page_bytes"),
            requests_per_second: self.requests_per_second,
        }
    }
}

/// The first 96 bits of the SHA-256.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 12] {
    let mut digest = [0; 12];
    digest.copy_from_slice(&Sha256::digest(bytes)[..12]);
    digest
}
