//! OAuth 2.0: gets an access token by client credentials or a refresh token, and uses it until it expires.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Url};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::credential::basic;
use super::refresh_token::RefreshToken;
use crate::error::{Error, Result};
use crate::http::transport::{Reply, Transport, asked_pause, permanent, with_excerpt};
use crate::http::url;
use crate::retry::{self, RetryError};
use crate::secret::{Redactor, Secret, SecretLocation};

/// How long before its expiry a token is renewed.
const MARGIN: Duration = Duration::from_secs(30);

/// RFC 6749: client credentials (4.4), or a refresh token (6).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Oauth2 {
    #[serde(deserialize_with = "url")]
    pub(super) token_url: Url,
    client_id: String,
    scope: Option<String>,
    #[serde(default)]
    params: Map<String, Value>,
    /// Whether client id and secret are sent in a Basic header or in the body.
    #[serde(default)]
    send_in: ClientIn,
    env: Option<String>,
    file: Option<PathBuf>,
    /// A refresh token, used instead of client credentials.
    pub(super) refresh_token_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClientIn {
    #[default]
    Header,
    Body,
}

impl Oauth2 {
    /// Where the client secret is; optional with a refresh token.
    pub(super) fn secret_location(&self) -> Result<Option<SecretLocation>> {
        match (&self.refresh_token_file, &self.env, &self.file) {
            (Some(_), None, None) => Ok(None),
            (_, env, file) => SecretLocation::of(env.as_deref(), file.as_ref()).map(Some),
        }
    }

    /// Requests a token; returns when it has to be renewed.
    pub(super) async fn token(
        &self,
        secret: Option<&Secret>,
        redactor: &Redactor,
        transport: &Transport,
    ) -> Result<(Secret, Option<Instant>), RetryError> {
        let refresh_token = match &self.refresh_token_file {
            Some(path) => Some(RefreshToken::take(path, redactor).await.map_err(permanent)?),
            None => None,
        };
        let request =
            self.request(secret, refresh_token.as_ref().map(RefreshToken::secret), redactor);
        let reply = transport.send(request.map_err(permanent)?, self.token_url.as_str()).await?;
        let status = reply.status;
        if !status.is_success() {
            let error = self.refused(&reply, redactor);
            return Err(match retry::is_retryable_status(status.as_u16()) {
                true => RetryError::Transient {
                    error: Box::new(error),
                    retry_after: asked_pause(&reply.headers, SystemTime::now()),
                },
                false => permanent(error),
            });
        }
        let reply = transport.decode(reply, self.token_url.as_str())?;
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        if let (Some(old), Some(new)) = (refresh_token, answer["refresh_token"].as_str()) {
            // The old refresh token is invalid from now on: store the new one before the access token is
            // used.
            old.replace(Secret::new(new.to_owned()), redactor).await.map_err(permanent)?;
        }
        let Some(token) = answer["access_token"].as_str() else {
            let error = self.refused(&reply, redactor);
            return Err(permanent(error.detail("there is no access_token in it")));
        };
        let token = Secret::new(token.to_owned());
        redactor.add(&token);
        let told = &answer["expires_in"];
        let seconds = told.as_u64().or_else(|| told.as_str()?.parse().ok());
        let expires = seconds.and_then(|seconds| {
            let lasts = Duration::from_secs(seconds);
            // Some servers write the largest integer for "never".
            Instant::now().checked_add(lasts.saturating_sub(MARGIN.min(lasts / 2)))
        });
        Ok((token, expires))
    }

    fn refused(&self, reply: &Reply, redactor: &Redactor) -> Error {
        let location = self.secret_location().ok().flatten().map(|location| location.to_string());
        let file = self.refresh_token_file.as_ref();
        let file = file.map(|path| format!("the refresh token in file `{}`", path.display()));
        let kept = [location.map(|kept| format!("the client's secret in {kept}")), file];
        let kept: Vec<String> = kept.into_iter().flatten().collect();
        let error = Error::failed(format!(
            "{} gave no access token: it answered {}",
            self.token_url, reply.status
        ));
        with_excerpt(error, &reply.body, redactor).next(format!(
            "check client_id `{}`, scope, and {}",
            self.client_id,
            kept.join(" and ")
        ))
    }

    fn request(
        &self,
        secret: Option<&Secret>,
        refresh_token: Option<&Secret>,
        redactor: &Redactor,
    ) -> Result<Request> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        match refresh_token {
            Some(token) => form
                .append_pair("grant_type", "refresh_token")
                .append_pair("refresh_token", token.expose()),
            None => form.append_pair("grant_type", "client_credentials"),
        };
        for (name, value) in &self.params {
            let text = value.as_str().map(str::to_owned);
            form.append_pair(name, &text.unwrap_or_else(|| value.to_string()));
        }
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        let in_header = secret.filter(|_| self.send_in == ClientIn::Header);
        if in_header.is_none() {
            form.append_pair("client_id", &self.client_id);
            if let Some(secret) = secret {
                form.append_pair("client_secret", secret.expose());
            }
        }
        let mut request = Request::new(Method::POST, self.token_url.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        *request.body_mut() = Some(form.finish().into());
        if let Some(secret) = in_header {
            // RFC 6749, 2.3.1: both are form-encoded first.
            let encoded = |text: &str| -> String {
                form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            let (user, password) = (encoded(&self.client_id), encoded(secret.expose()));
            basic(&format!("{user}:{password}"), redactor)?.apply(&mut request);
        }
        Ok(request)
    }
}
