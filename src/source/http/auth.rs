//! Credentials: from an environment variable or a file into one header or parameter.

use std::path::PathBuf;
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};
use reqwest::Request;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::Deserialize;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::oauth2::Oauth2;
use super::trouble::Trouble;
use super::wire::Wire;
use crate::error::{Error, Result};
use crate::source::secret::{Keeper, Redactor, Secret};

#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case")]
pub(super) enum AuthSettings {
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

/// What goes with a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Credential {
    None,
    Header(HeaderName, HeaderValue),
    Param(String, Secret),
}

#[derive(Debug)]
struct Live {
    secret: Secret,
    credential: Credential,
    expires: Option<Instant>,
}

#[derive(Debug)]
pub(super) struct Auth {
    settings: Option<AuthSettings>,
    redactor: Arc<Redactor>,
    live: Mutex<Option<Live>>,
}

impl Auth {
    /// Looks for the secret at once: a run that lacks it has nothing to begin with.
    pub(super) fn new(settings: Option<AuthSettings>, redactor: Arc<Redactor>) -> Result<Self> {
        let auth = Auth {
            settings,
            redactor,
            live: Mutex::new(None),
        };
        if let Some(settings) = &auth.settings {
            auth.redactor.add(&settings.keeper()?.read()?);
        }
        Ok(auth)
    }

    /// Where the secret is kept, for messages.
    pub(super) fn kept_in(&self) -> Option<String> {
        let keeper = self.settings.as_ref()?.keeper().ok()?;
        Some(keeper.to_string())
    }

    /// What goes with the next request.
    pub(super) async fn credential(&self, wire: &Wire) -> Result<Credential, Trouble> {
        let Some(settings) = &self.settings else {
            return Ok(Credential::None);
        };
        let mut live = self.live.lock().await;
        if let Some(live) = live
            .as_ref()
            .filter(|live| live.expires.is_none_or(|end| Instant::now() < end))
        {
            return Ok(live.credential.clone());
        }
        let secret = settings.keeper()?.read()?;
        self.redactor.add(&secret);
        let fresh = match settings {
            AuthSettings::Oauth2(oauth2) => {
                let (token, expires) = oauth2.token(&secret, &self.redactor, wire).await?;
                Live {
                    credential: header(AUTHORIZATION, &format!("Bearer {}", token.expose()))?,
                    secret: token,
                    expires,
                }
            }
            _ => Live {
                credential: settings.credential(&secret, &self.redactor)?,
                secret,
                expires: None,
            },
        };
        Ok(live.insert(fresh).credential.clone())
    }

    /// The server refused `used`: whether there is another one to try. A token is fetched
    /// anew, a file or variable may have changed.
    pub(super) async fn renew(&self, used: &Credential) -> Result<bool> {
        let mut live = self.live.lock().await;
        let Some(settings) = &self.settings else {
            return Ok(false);
        };
        let is_fresh = match live.as_ref() {
            // Another request has renewed it meanwhile.
            Some(live) if live.credential != *used => return Ok(true),
            Some(live) => {
                matches!(settings, AuthSettings::Oauth2(_))
                    || settings.keeper()?.read()? != live.secret
            }
            None => true,
        };
        if is_fresh {
            *live = None;
        }
        Ok(is_fresh)
    }
}

impl AuthSettings {
    fn keeper(&self) -> Result<Keeper> {
        let (env, file) = match self {
            AuthSettings::Bearer { env, file }
            | AuthSettings::Basic { env, file, .. }
            | AuthSettings::Header { env, file, .. }
            | AuthSettings::Param { env, file, .. } => (env, file),
            AuthSettings::Oauth2(oauth2) => (&oauth2.env, &oauth2.file),
        };
        Keeper::of(env.as_deref(), file.as_ref())
    }

    fn credential(&self, secret: &Secret, redactor: &Redactor) -> Result<Credential> {
        let text = secret.expose();
        match self {
            AuthSettings::Bearer { .. } => header(AUTHORIZATION, &format!("Bearer {text}")),
            AuthSettings::Basic { username, .. } => {
                let pair = username
                    .as_ref()
                    .map_or_else(|| text.to_owned(), |user| format!("{user}:{text}"));
                let encoded = Secret::new(BASE64_STANDARD.encode(pair));
                redactor.add(&encoded);
                header(AUTHORIZATION, &format!("Basic {}", encoded.expose()))
            }
            AuthSettings::Header {
                header: name,
                prefix,
                ..
            } => {
                let name: HeaderName = name.parse().map_err(|cause| {
                    let cause: reqwest::header::InvalidHeaderName = cause;
                    Error::usage(format!("`{name}` cannot be a header")).caused_by(cause)
                })?;
                header(
                    name,
                    &format!("{}{text}", prefix.as_deref().unwrap_or_default()),
                )
            }
            AuthSettings::Param { param, .. } => {
                Ok(Credential::Param(param.clone(), secret.clone()))
            }
            // Its secret buys a token, and goes nowhere else.
            AuthSettings::Oauth2(_) => Ok(Credential::None),
        }
    }
}

/// A header that is left out of what libraries log. The cause of a failure would quote it.
pub(super) fn header(name: HeaderName, value: &str) -> Result<Credential> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        Error::usage(format!(
            "the credential cannot be sent in the header {name}"
        ))
        .next("it has to be visible ASCII")
    })?;
    value.set_sensitive(true);
    Ok(Credential::Header(name, value))
}

impl Credential {
    /// Puts it into a request.
    pub(super) fn apply(&self, request: &mut Request) {
        match self {
            Credential::None => {}
            Credential::Header(name, value) => {
                request.headers_mut().insert(name, value.clone());
            }
            Credential::Param(name, secret) => {
                request
                    .url_mut()
                    .query_pairs_mut()
                    .append_pair(name, secret.expose());
            }
        }
    }
}
