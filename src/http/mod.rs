//! Requests to HTTP servers: what the source of that kind and deliveries share.
//!
//! | room | what |
//! |---|---|
//! | [`transport`] | one request and its whole answer: TLS, timeouts, pacing, size |
//! | [`auth`] | the credential that goes with it |
//! | `preflight` | whether it would be allowed |

pub(crate) mod auth;
mod preflight;
pub(crate) mod transport;

pub(crate) use preflight::preflight;

use reqwest::Url;
use serde::{Deserialize, Deserializer};

/// Reads a URL in the settings.
pub(crate) fn url<'de, D: Deserializer<'de>>(text: D) -> Result<Url, D::Error> {
    let text = String::deserialize(text)?;
    Url::parse(&text)
        .map_err(|cause| serde::de::Error::custom(format!("`{text}` is not a URL: {cause}")))
}

/// A default in settings, for `#[serde(default = "…")]`.
pub(crate) fn default_u64<const N: u64>() -> u64 {
    N
}
