//! Opens stores with the credentials in the environment.

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::local::LocalFileSystem;
use object_store::{
    ClientConfigKey, ClientOptions, HeaderMap, HeaderValue, ObjectStore, RetryConfig,
};

use super::explain::explain;
use super::service::RetryingConnector;
use super::settings::{Access, host_with_bucket};
use super::url::{ObjectUrl, Store};
use crate::error::{Error, Result};
use crate::retry::Budget;

/// Timeout of a connection attempt.
const CONNECT_TIMEOUT: &str = "10s";
/// Timeout of a connection without data.
const READ_TIMEOUT: &str = "30s";
/// Timeout of the request for a part; what arrived until then is kept.
const REQUEST_TIMEOUT: &str = "10m";

/// The store of `address`, not contacted yet.
pub(super) fn open(
    address: &ObjectUrl,
    access: &Access,
    budget: &Arc<Budget>,
) -> Result<Arc<dyn ObjectStore>> {
    // It may be installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let connector = RetryingConnector(Arc::clone(budget));
    match address.store {
        Store::S3 => s3(address, access, connector),
        Store::Gcs => gcs(address, access, connector),
        Store::Azure => azure(address, access, connector),
        Store::Local => return local(address),
    }
    .map_err(|cause| {
        let next = match address.store {
            Store::S3 => "check the AWS_ variables of the environment",
            Store::Gcs => "check the GOOGLE_ variables of the environment",
            _ => "check the AZURE_ variables of the environment; AZURE_STORAGE_ACCOUNT_NAME names the account",
        };
        explain(address, None, &cause).with_kind(crate::error::Kind::Usage).next(next)
    })
}

fn s3(
    address: &ObjectUrl,
    access: &Access,
    connector: RetryingConnector,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let mut builder = AmazonS3Builder::from_env()
        .with_bucket_name(&address.bucket)
        .with_retry(no_retry())
        .with_http_connector(connector)
        .with_virtual_hosted_style_request(!access.path_style);
    for (key, value) in client(access) {
        builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
    }
    if let Some(endpoint) = &access.endpoint {
        builder = builder.with_endpoint(match access.path_style {
            true => endpoint.clone(),
            false => host_with_bucket(&address.bucket, endpoint),
        });
    }
    if let Some(region) = &access.region {
        builder = builder.with_region(region);
    }
    if access.anonymous {
        builder = builder.with_skip_signature(true);
    }
    Ok(Arc::new(builder.build()?))
}

fn gcs(
    address: &ObjectUrl,
    access: &Access,
    connector: RetryingConnector,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let mut headers = HeaderMap::new();
    // Objects stored with `Content-Encoding: gzip` must not be decompressed by the server, as their size
    // would differ from the listing.
    headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_client_options(ClientOptions::new().with_default_headers(headers))
        .with_retry(no_retry())
        .with_http_connector(connector);
    // Like `from_env`, which does not accept the headers.
    for (name, value) in std::env::vars() {
        if let Some(key) = name.starts_with("GOOGLE_").then(|| name.to_lowercase().parse().ok()) {
            builder =
                key.into_iter().fold(builder, |builder, key| builder.with_config(key, &value));
        }
    }
    for (key, value) in client(access) {
        builder = builder.with_config(GoogleConfigKey::Client(key), value);
    }
    builder = builder.with_bucket_name(&address.bucket);
    if let Some(endpoint) = &access.endpoint {
        builder = builder.with_base_url(endpoint);
    }
    if access.anonymous {
        builder = builder.with_skip_signature(true);
    }
    Ok(Arc::new(builder.build()?))
}

fn azure(
    address: &ObjectUrl,
    access: &Access,
    connector: RetryingConnector,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let mut builder = MicrosoftAzureBuilder::from_env()
        .with_url(&address.root)
        .with_retry(no_retry())
        .with_http_connector(connector);
    for (key, value) in client(access) {
        builder = builder.with_config(AzureConfigKey::Client(key), value);
    }
    if let Some(endpoint) = &access.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    if access.anonymous {
        builder = builder.with_skip_signature(true);
    }
    Ok(Arc::new(builder.build()?))
}

/// Timeouts; other client settings (a proxy, for example) come from the environment.
fn client(access: &Access) -> Vec<(ClientConfigKey, &'static str)> {
    let mut settings = vec![
        (ClientConfigKey::ConnectTimeout, CONNECT_TIMEOUT),
        (ClientConfigKey::ReadTimeout, READ_TIMEOUT),
        (ClientConfigKey::Timeout, REQUEST_TIMEOUT),
    ];
    if access.allow_http {
        settings.push((ClientConfigKey::AllowHttp, "true"));
    }
    settings
}

fn local(address: &ObjectUrl) -> Result<Arc<dyn ObjectStore>> {
    let store = LocalFileSystem::new_with_prefix(&address.bucket).map_err(|cause| {
        Error::failed(format!("there is no folder or file `{}`", address.url()))
            .caused_by(cause)
            .next("check the path; it has to exist on the machine that runs `sluice`")
    })?;
    Ok(Arc::new(store))
}

/// [`RetryingConnector`] retries requests, and the reader retries bodies.
fn no_retry() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}
