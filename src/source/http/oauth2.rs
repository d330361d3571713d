//! OAuth 2.0: a token is bought with the client's secret, and used until it expires.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use base64::prelude::{BASE64_STANDARD, Engine};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request, Url};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::auth::{Credential, header};
use super::exchange::with_excerpt;
use super::limits;
use super::settings::url;
use super::trouble::Trouble;
use super::wire::{Reply, Wire};
use crate::error::{Error, Result};
use crate::retry;
use crate::source::secret::{Keeper, Redactor, Secret};

/// A token is not used so shortly before its end.
const MARGIN: Duration = Duration::from_secs(30);

/// OAuth 2.0, client credentials (RFC 6749, 4.4).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Oauth2 {
    #[serde(deserialize_with = "url")]
    token_url: Url,
    client_id: String,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    params: Map<String, Value>,
    /// Whether client and secret go into a Basic header or into the body.
    #[serde(default)]
    send_in: ClientIn,
    #[serde(default)]
    pub(super) env: Option<String>,
    #[serde(default)]
    pub(super) file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClientIn {
    #[default]
    Header,
    Body,
}

impl Oauth2 {
    /// Buys a token; with the moment from which on it is not used any more.
    pub(super) async fn token(
        &self,
        secret: &Secret,
        redactor: &Redactor,
        wire: &Wire,
    ) -> Result<(Secret, Option<Instant>), Trouble> {
        let request = self.request(secret, redactor)?;
        let reply = wire.send(request, self.token_url.as_str()).await?;
        let status = reply.status;
        if !status.is_success() {
            let error = self.refused(&reply, redactor);
            return Err(match retry::is_retryable_status(status.as_u16()) {
                true => Trouble::passing_after(
                    error,
                    limits::asked_pause(&reply.headers, SystemTime::now()),
                ),
                false => Trouble::fatal(error),
            });
        }
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let Some(token) = answer["access_token"].as_str() else {
            let error = self.refused(&reply, redactor);
            return Err(Trouble::fatal(
                error.detail("there is no access_token in it"),
            ));
        };
        let token = Secret::new(token.to_owned());
        redactor.add(&token);
        let told = &answer["expires_in"];
        let seconds = told.as_u64().or_else(|| told.as_str()?.parse().ok());
        let expires = seconds.map(|seconds| {
            let lasts = Duration::from_secs(seconds);
            Instant::now() + lasts.saturating_sub(MARGIN.min(lasts / 2))
        });
        Ok((token, expires))
    }

    fn refused(&self, reply: &Reply, redactor: &Redactor) -> Error {
        let keeper = Keeper::of(self.env.as_deref(), self.file.as_ref());
        let keeper = keeper.map_or_else(|_| String::new(), |keeper| keeper.to_string());
        let error = Error::failed(format!(
            "{} gave no access token: it answered {}",
            self.token_url, reply.status
        ));
        with_excerpt(error, &reply.body, redactor).next(format!(
            "check client_id `{}`, scope, and the client's secret in {keeper}",
            self.client_id
        ))
    }

    fn request(&self, secret: &Secret, redactor: &Redactor) -> Result<Request> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        for (name, value) in self.params.iter() {
            let text = value.as_str().map(str::to_owned);
            form.append_pair(name, &text.unwrap_or_else(|| value.to_string()));
        }
        if let Some(scope) = &self.scope {
            form.append_pair("scope", scope);
        }
        if self.send_in == ClientIn::Body {
            form.append_pair("client_id", &self.client_id)
                .append_pair("client_secret", secret.expose());
        }
        let mut request = Request::new(Method::POST, self.token_url.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        if self.send_in == ClientIn::Header {
            // RFC 6749, 2.3.1: both are form-encoded first.
            let encoded = |text: &str| -> String {
                form_urlencoded::byte_serialize(text.as_bytes()).collect()
            };
            let pair = format!("{}:{}", encoded(&self.client_id), encoded(secret.expose()));
            let pair = Secret::new(BASE64_STANDARD.encode(pair));
            redactor.add(&pair);
            if let Credential::Header(name, value) =
                header(AUTHORIZATION, &format!("Basic {}", pair.expose()))?
            {
                headers.insert(name, value);
            }
        }
        *request.body_mut() = Some(form.finish().into());
        Ok(request)
    }
}
