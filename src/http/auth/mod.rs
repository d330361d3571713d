//! Credentials of requests: read from an environment variable or a file, sent in a header or a parameter.

mod credential;
mod oauth2;
mod refresh_token;

use std::path::PathBuf;
use std::sync::Arc;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::transport::{Transport, permanent};
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::retry::RetryError;
use crate::secret::{Redactor, Secret, SecretLocation};
pub(crate) use credential::Credential;
use oauth2::Oauth2;

#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub(crate) enum AuthSettings {
    Bearer {
        env: Option<String>,
        file: Option<PathBuf>,
    },
    Basic {
        /// Without it the secret is `user:password`.
        username: Option<String>,
        env: Option<String>,
        file: Option<PathBuf>,
    },
    Header {
        header: String,
        prefix: Option<String>,
        env: Option<String>,
        file: Option<PathBuf>,
    },
    Param {
        param: String,
        env: Option<String>,
        file: Option<PathBuf>,
    },
    Oauth2(Oauth2),
}

/// The credential in use.
#[derive(Debug)]
struct Current {
    /// The secret as stored; none if there is only a refresh token.
    secret: Option<Secret>,
    credential: Credential,
    expires: Option<Instant>,
}

#[derive(Debug)]
pub(crate) struct Auth {
    settings: Option<AuthSettings>,
    redactor: Arc<Redactor>,
    host: HostRules,
    current: Mutex<Option<Current>>,
}

impl Auth {
    /// Reads the secret at once, so that a run without it fails at its start.
    pub(crate) fn new(
        settings: Option<AuthSettings>,
        redactor: Arc<Redactor>,
        host: HostRules,
    ) -> Result<Self> {
        let auth = Auth { settings, redactor, host, current: Mutex::new(None) };
        if let Some(settings) = &auth.settings {
            auth.read_secret(settings)?;
        }
        Ok(auth)
    }

    /// Where the secret is, for messages.
    pub(crate) fn kept_in(&self) -> Option<String> {
        let location = self.settings.as_ref()?.secret_location().ok()??;
        Some(location.to_string())
    }

    /// The credential for the next request.
    pub(crate) async fn credential(&self, transport: &Transport) -> Result<Credential, RetryError> {
        let Some(settings) = &self.settings else {
            return Ok(Credential::None);
        };
        let mut current = self.current.lock().await;
        if let Some(current) = current
            .as_ref()
            .filter(|current| current.expires.is_none_or(|end| Instant::now() < end))
        {
            return Ok(current.credential.clone());
        }
        let secret = self.read_secret(settings).map_err(permanent)?;
        let (credential, expires) = match (settings, &secret) {
            (AuthSettings::Oauth2(oauth2), secret) => {
                let (token, expires) =
                    oauth2.token(secret.as_ref(), &self.redactor, transport).await?;
                let value = format!("Bearer {}", token.expose());
                let credential = Credential::header(AUTHORIZATION, &value).map_err(permanent)?;
                (credential, expires)
            }
            (_, Some(secret)) => {
                let credential = settings.credential(secret, &self.redactor);
                (credential.map_err(permanent)?, None)
            }
            (_, None) => (Credential::None, None),
        };
        let fresh = Current { secret, credential, expires };
        Ok(current.insert(fresh).credential.clone())
    }

    /// Renews a credential that the server has refused; false if there is no other. A token is requested anew;
    /// a file or variable may have changed.
    pub(crate) async fn renew(&self, used: &Credential) -> Result<bool> {
        let mut current = self.current.lock().await;
        let Some(settings) = &self.settings else {
            return Ok(false);
        };
        let is_fresh = match current.as_ref() {
            // Another request has renewed it meanwhile.
            Some(current) if current.credential != *used => return Ok(true),
            Some(current) => {
                matches!(settings, AuthSettings::Oauth2(_))
                    || self.read_secret(settings)? != current.secret
            }
            None => true,
        };
        if is_fresh {
            *current = None;
        }
        Ok(is_fresh)
    }

    fn read_secret(&self, settings: &AuthSettings) -> Result<Option<Secret>> {
        if let AuthSettings::Oauth2(oauth2) = settings
            && let Some(file) = &oauth2.refresh_token_file
        {
            self.host.file(file)?;
        }
        let Some(location) = settings.secret_location()? else {
            return Ok(None);
        };
        let secret = location.read(&self.host)?;
        self.redactor.add(&secret);
        Ok(Some(secret))
    }
}

impl AuthSettings {
    /// Where tokens are requested.
    pub(crate) fn token_url(&self) -> Option<&Url> {
        match self {
            AuthSettings::Oauth2(oauth2) => Some(&oauth2.token_url),
            _ => None,
        }
    }

    fn secret_location(&self) -> Result<Option<SecretLocation>> {
        let (env, file) = match self {
            AuthSettings::Bearer { env, file }
            | AuthSettings::Basic { env, file, .. }
            | AuthSettings::Header { env, file, .. }
            | AuthSettings::Param { env, file, .. } => (env, file),
            AuthSettings::Oauth2(oauth2) => return oauth2.secret_location(),
        };
        SecretLocation::of(env.as_deref(), file.as_ref()).map(Some)
    }

    fn credential(&self, secret: &Secret, redactor: &Redactor) -> Result<Credential> {
        let text = secret.expose();
        match self {
            AuthSettings::Bearer { .. } => {
                Credential::header(AUTHORIZATION, &format!("Bearer {text}"))
            }
            AuthSettings::Basic { username, .. } => {
                let pair = username
                    .as_ref()
                    .map_or_else(|| text.to_owned(), |user| format!("{user}:{text}"));
                credential::basic(&pair, redactor)
            }
            AuthSettings::Header { header: name, prefix, .. } => {
                let name: HeaderName = name.parse().map_err(|cause| {
                    let cause: reqwest::header::InvalidHeaderName = cause;
                    Error::usage(format!("`{name}` cannot be a header")).caused_by(cause)
                })?;
                let prefix = prefix.as_deref().unwrap_or_default();
                Credential::header(name, &format!("{prefix}{text}"))
            }
            AuthSettings::Param { param, .. } => {
                Ok(Credential::Param(param.clone(), secret.clone()))
            }
            // Its secret is sent to the token URL only.
            AuthSettings::Oauth2(_) => Ok(Credential::None),
        }
    }
}
