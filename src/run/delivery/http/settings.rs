//! The settings of an HTTP delivery, as the engine keeps them. What the engine has checked is not checked again.

use super::items::Items;
use crate::error::{Error, Result};
use crate::http::auth::AuthSettings;
use crate::http::default_u64;
use crate::http::transport::TransportLimits;
use reqwest::Url;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// An answer is a sentence, hardly ever more; a success with a larger one is unheard of.
const MAX_BYTES: usize = 64 << 20;

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Settings {
    /// With `{column}` where values of the key go.
    pub(super) url: String,
    #[serde(default = "post")]
    method: String,
    delete_method: Option<String>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(crate) auth: Option<AuthSettings>,
    pub(super) signature: Option<Signature>,
    #[serde(default = "idempotency_key")]
    pub(super) key_header: String,
    #[serde(default)]
    pub(super) key_format: KeyFormat,
    pub(super) ca_file: Option<PathBuf>,
    requests_per_second: Option<f64>,
    #[serde(default = "default_u64::<10>")]
    connect_timeout: u64,
    #[serde(default = "default_u64::<60>")]
    request_timeout: u64,
    #[serde(default = "default_u64::<300>")]
    max_wait: u64,
    /// How many rows go in one request.
    #[serde(rename = "parcel")]
    pub(super) items: Option<Items>,
}

/// Where the secret is kept that requests are signed with.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Signature {
    pub(super) env: Option<String>,
    pub(super) file: Option<PathBuf>,
}

/// How the idempotency key is written: RFC drafts have it as a quoted string, most servers bare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum KeyFormat {
    #[default]
    Bare,
    Quoted,
}

fn post() -> String {
    "POST".to_owned()
}

fn idempotency_key() -> String {
    "Idempotency-Key".to_owned()
}

impl Settings {
    /// The host that is talked to: no placeholder stands in it.
    pub(crate) fn home(&self) -> Result<Url> {
        Url::parse(&self.url)
            .map_err(|cause| Error::usage(format!("`{}` is not a URL", self.url)).caused_by(cause))
    }

    pub(super) fn method(&self, is_delete: bool) -> &str {
        match &self.delete_method {
            Some(method) if is_delete => method,
            _ => &self.method,
        }
    }

    pub(super) fn limits(&self) -> TransportLimits {
        let request_timeout = Duration::from_secs(self.request_timeout);
        TransportLimits {
            connect_timeout: Duration::from_secs(self.connect_timeout),
            read_timeout: request_timeout,
            request_timeout,
            max_wait: Duration::from_secs(self.max_wait),
            max_bytes: MAX_BYTES,
            max_bytes_setting: None,
            requests_per_second: self.requests_per_second,
        }
    }
}
