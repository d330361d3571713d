//! Connections to stores, with the credentials that the environment gives.

use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::local::LocalFileSystem;
use object_store::{
    ClientConfigKey, ClientOptions, HeaderMap, HeaderValue, ObjectStore, RetryConfig,
};

use super::address::{Address, Store};
use super::explain::explain;
use super::service::Connector;
use super::settings::{Access, host_with_bucket};
use crate::error::{Error, Result};
use crate::retry::Budget;

/// A connection attempt that takes longer has failed.
const CONNECT_TIMEOUT: &str = "10s";
/// A connection that says nothing for so long is broken.
const READ_TIMEOUT: &str = "30s";
/// No part is so large that it takes longer; what has come until then is kept.
const REQUEST_TIMEOUT: &str = "10m";

/// The store that holds `address`. Nothing is asked of it yet.
pub(super) fn open(
    address: &Address,
    access: &Access,
    budget: &Arc<Budget>,
) -> Result<Arc<dyn ObjectStore>> {
    // Whoever came first has set the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let connector = Connector(Arc::clone(budget));
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
    address: &Address,
    access: &Access,
    connector: Connector,
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
    address: &Address,
    access: &Access,
    connector: Connector,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let mut headers = HeaderMap::new();
    // Objects stored with `Content-Encoding: gzip` are to come as they are stored: unpacked
    // on the way, they would have another size than the listing says.
    headers.insert("accept-encoding", HeaderValue::from_static("gzip"));
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_client_options(ClientOptions::new().with_default_headers(headers))
        .with_retry(no_retry())
        .with_http_connector(connector);
    // As `from_env` does, which would not accept the headers.
    for (name, value) in std::env::vars() {
        if let Some(key) = name
            .starts_with("GOOGLE_")
            .then(|| name.to_lowercase().parse().ok())
        {
            builder = key
                .into_iter()
                .fold(builder, |builder, key| builder.with_config(key, &value));
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
    address: &Address,
    access: &Access,
    connector: Connector,
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

/// How requests are sent; whatever else the environment says (a proxy, for example) holds.
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

fn local(address: &Address) -> Result<Arc<dyn ObjectStore>> {
    let store = LocalFileSystem::new_with_prefix(&address.bucket).map_err(|cause| {
        Error::failed(format!("there is no folder or file `{}`", address.url()))
            .caused_by(cause)
            .next("check the path; it has to exist on the machine that runs `sluice`")
    })?;
    Ok(Arc::new(store))
}

/// Requests are repeated by [`Connector`], bodies by whoever reads them.
fn no_retry() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    }
}
