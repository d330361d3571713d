//! A credential as it is sent with a request.

use base64::prelude::{BASE64_STANDARD, Engine};
use reqwest::Request;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use crate::error::{Error, Result};
use crate::secret::{Redactor, Secret};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Credential {
    None,
    Header(HeaderName, HeaderValue),
    Param(String, Secret),
}

impl Credential {
    /// A header that is marked sensitive, as libraries would log it.
    pub(super) fn header(name: HeaderName, value: &str) -> Result<Self> {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            Error::usage(format!("the credential cannot be sent in the header {name}"))
                .next("it has to be visible ASCII")
        })?;
        value.set_sensitive(true);
        Ok(Credential::Header(name, value))
    }

    /// Adds the credential to a request.
    pub(crate) fn apply(&self, request: &mut Request) {
        match self {
            Credential::None => {}
            Credential::Header(name, value) => {
                request.headers_mut().insert(name, value.clone());
            }
            Credential::Param(name, secret) => {
                let mut pairs = request.url_mut().query_pairs_mut();
                pairs.append_pair(name, secret.expose());
            }
        }
    }
}

/// The header of Basic authentication (RFC 7617).
pub(super) fn basic(pair: &str, redactor: &Redactor) -> Result<Credential> {
    let encoded = Secret::new(BASE64_STANDARD.encode(pair));
    redactor.add(&encoded);
    Credential::header(AUTHORIZATION, &format!("Basic {}", encoded.expose()))
}
