//! A request: what is asked, whose key it bears, and how it is signed.

use super::Endpoint;
use super::settings::KeyFormat;
use crate::error::{Error, Result};
use crate::http::auth::Credential;
use crate::run::delivery::verdict::{Answer, Verdict};
use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use std::time::SystemTime;

/// What is asked of the server, the same at every attempt.
pub(super) struct Letter<'a> {
    pub(super) method: &'a str,
    pub(super) url: Url,
    pub(super) body: String,
    /// The idempotency key.
    pub(super) id: &'a str,
    /// What it asks, as people read it.
    pub(super) shown: String,
}

/// What came of a letter, with the body of the last answer.
pub(super) struct Posted {
    pub(super) verdict: Verdict,
    pub(super) answer: Answer,
    pub(super) body: Bytes,
    /// Requests beyond the first.
    pub(super) retries: u32,
}

impl Posted {
    pub(super) fn refused(error: Error) -> Self {
        Posted {
            verdict: Verdict::Refused(error),
            answer: Answer::default(),
            body: Bytes::new(),
            retries: 0,
        }
    }
}

impl Endpoint {
    pub(super) fn letter<'a>(
        &self,
        method: &'a str,
        url: Url,
        body: String,
        id: &'a str,
    ) -> Letter<'a> {
        let shown = format!("{method} {}", self.redactor.clean(url.as_str()));
        Letter {
            method,
            url,
            body,
            id,
            shown,
        }
    }

    pub(super) fn request(&self, letter: &Letter<'_>, credential: &Credential) -> Result<Request> {
        let method = Method::from_bytes(letter.method.as_bytes()).map_err(|cause| {
            Error::usage(format!("`{}` is no method", letter.method)).caused_by(cause)
        })?;
        let has_body = method != Method::DELETE;
        let mut request = Request::new(method, letter.url.clone());
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        let mut put = |name: HeaderName, value: &str| -> Result<()> {
            let value = HeaderValue::from_str(value)
                .map_err(|_| Error::failed(format!("the header {name} cannot be `{value}`")))?;
            headers.insert(name, value);
            Ok(())
        };
        let id = letter.id;
        match self.settings.key_format {
            KeyFormat::Bare => put(self.key_header.clone(), id)?,
            KeyFormat::Quoted => put(self.key_header.clone(), &format!("\"{id}\""))?,
        }
        if let Some(signer) = &self.signer {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let now = now.unwrap_or_default().as_secs();
            for (name, value) in signer.headers(id, now, &letter.body) {
                put(HeaderName::from_static(name), &value)?;
            }
        }
        if has_body {
            *request.body_mut() = Some(letter.body.clone().into());
        } else {
            request.headers_mut().remove(CONTENT_TYPE);
        }
        credential.apply(&mut request);
        Ok(request)
    }
}
