//! The settings of an object source, as the pipeline's definition stores them.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::url::{ObjectUrl, Store};
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::source::names::{check_after, glob_below};
use crate::source::records::{OnReplace, RecordSettings, invalid, parse};

const KIND: &str = "object";

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawObjectSettings {
    #[serde(default)]
    url: String,
    pattern: Option<String>,
    subfolders: Option<bool>,
    endpoint: Option<String>,
    region: Option<String>,
    #[serde(default = "default_path_style")]
    path_style: bool,
    #[serde(default)]
    allow_http: bool,
    #[serde(default)]
    anonymous: bool,
    #[serde(default)]
    on_replace: OnReplace,
    after: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct ObjectSettings {
    pub(super) address: ObjectUrl,
    pub(super) pattern: Option<glob::Pattern>,
    pub(super) access: Access,
    pub(super) on_replace: OnReplace,
    /// Only objects whose names come after this one are read.
    pub(super) after: Option<String>,
    pub(super) records: RecordSettings,
}

/// How the store is accessed. Secrets are never settings.
#[derive(Debug, Clone)]
pub(super) struct Access {
    pub(super) endpoint: Option<String>,
    pub(super) region: Option<String>,
    pub(super) path_style: bool,
    pub(super) allow_http: bool,
    pub(super) anonymous: bool,
}

fn default_path_style() -> bool {
    true
}

impl ObjectSettings {
    /// Checks that the host allows the bucket or folder, and the endpoint.
    pub(super) fn ask(&self, host: &HostRules) -> Result<()> {
        let bucket = self.address.root.trim_end_matches('/');
        match self.address.store {
            Store::Local => return host.file(Path::new(&self.address.bucket)),
            _ => host.host(bucket)?,
        }
        match self.access.endpoint.as_deref().map(endpoint_host) {
            Some(endpoint) => host.host(endpoint),
            None => Ok(()),
        }
    }

    /// Parses and checks the settings.
    pub(super) fn parse(value: &Value) -> Result<Self> {
        let (own, records): (RawObjectSettings, _) = parse(KIND, value)?;
        if let Some(endpoint) = &own.endpoint {
            check_endpoint(endpoint, own.allow_http)?;
        }
        let address = ObjectUrl::parse(&own.url)?;
        if let (Store::S3, false, Some(endpoint)) = (address.store, own.path_style, &own.endpoint) {
            check_host_with_bucket(&address.bucket, endpoint)?;
        }
        let pattern = match &glob_below(own.pattern.as_deref(), own.subfolders) {
            None => None,
            Some(text) => Some(glob::Pattern::new(text).map_err(|cause| {
                invalid(
                    KIND,
                    "pattern",
                    text,
                    "use `*`, `?`, `[…]` and `**`; write `[[]` for a bracket that means itself",
                )
                .caused_by(cause)
            })?),
        };
        if let Some(after) = &own.after {
            check_after(KIND, after, &own.url)?;
        }
        Ok(ObjectSettings {
            address,
            pattern,
            access: Access {
                endpoint: own.endpoint,
                region: own.region,
                path_style: own.path_style,
                allow_http: own.allow_http,
                anonymous: own.anonymous,
            },
            on_replace: own.on_replace,
            after: own.after,
            records,
        })
    }
}

/// An endpoint may contain a password, so that is ruled out before it is quoted.
fn check_endpoint(endpoint: &str, allow_http: bool) -> Result<()> {
    if endpoint.contains(['@', '?']) {
        return Err(Error::usage(
            "the object source's setting `endpoint` holds credentials or parameters",
        )
        .next("give the address alone; credentials come from the environment"));
    }
    if endpoint.starts_with("http://") && !allow_http {
        return Err(invalid(
            KIND,
            "endpoint",
            endpoint,
            "use https, or say `allow_http => true`: then anyone on the way can read what is sent",
        ));
    }
    if !(endpoint.starts_with("http://") || endpoint.starts_with("https://")) {
        return Err(invalid(
            KIND,
            "endpoint",
            endpoint,
            "write it as https://host or https://host:port",
        ));
    }
    Ok(())
}

/// The endpoint for `path_style => false`: the bucket is a subdomain.
pub(super) fn host_with_bucket(bucket: &str, endpoint: &str) -> String {
    endpoint.replacen("://", &format!("://{bucket}."), 1)
}

/// IP addresses have no subdomains, and not every name of a bucket is valid in a host name.
fn check_host_with_bucket(bucket: &str, endpoint: &str) -> Result<()> {
    let host = |url: &str| Some(reqwest::Url::parse(url).ok()?.host_str()?.to_owned());
    let is_address = host(endpoint).is_none_or(|host| {
        let bare = host.trim_matches(['[', ']']);
        bare.parse::<std::net::IpAddr>().is_ok()
    });
    if !is_address && host(&host_with_bucket(bucket, endpoint)).is_some() {
        return Ok(());
    }
    Err(invalid(
        KIND,
        "endpoint",
        endpoint,
        "with `path_style => false` the bucket comes before its host, which only a host's name allows: \
         leave `path_style` out, or give the name",
    ))
}

/// The host in `https://host:port/…`.
fn endpoint_host(endpoint: &str) -> &str {
    let behind = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
    let authority = behind.split(['/', '?', '#']).next().unwrap_or(behind);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}
