//! The request of a delivery: method, body, idempotency key and signature.

use super::Endpoint;
use super::settings::KeyFormat;
use crate::error::{Error, Result};
use crate::http::auth::Credential;
use crate::run::delivery::outcome::{Answer, Outcome};
use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use std::time::SystemTime;

/// What is sent, the same at every attempt; [`Endpoint::http_request`] adds the credential and the signature.
pub(super) struct DeliveryRequest<'a> {
    pub(super) method: &'a str,
    pub(super) url: Url,
    pub(super) body: String,
    /// The idempotency key.
    pub(super) id: &'a str,
    /// Method and URL, for messages: without secrets.
    pub(super) shown: String,
}

/// The outcome of a request, with the body of the last answer.
pub(super) struct Response {
    pub(super) outcome: Outcome,
    pub(super) answer: Answer,
    pub(super) body: Bytes,
    /// Requests beyond the first.
    pub(super) retries: u32,
}

impl Response {
    pub(super) fn refused(error: Error) -> Self {
        Response {
            outcome: Outcome::Refused(error),
            answer: Answer::default(),
            body: Bytes::new(),
            retries: 0,
        }
    }
}

impl Endpoint {
    pub(super) fn delivery_request<'a>(
        &self,
        method: &'a str,
        url: Url,
        body: String,
        id: &'a str,
    ) -> DeliveryRequest<'a> {
        let shown = format!("{method} {}", self.redactor.clean(url.as_str()));
        DeliveryRequest { method, url, body, id, shown }
    }

    pub(super) fn http_request(
        &self,
        delivery: &DeliveryRequest<'_>,
        credential: &Credential,
    ) -> Result<Request> {
        let method = Method::from_bytes(delivery.method.as_bytes()).map_err(|cause| {
            Error::usage(format!("`{}` is not a method", delivery.method)).caused_by(cause)
        })?;
        let has_body = method != Method::DELETE;
        let mut request = Request::new(method, delivery.url.clone());
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        let mut put = |name: HeaderName, value: &str| -> Result<()> {
            let value = HeaderValue::from_str(value)
                .map_err(|_| Error::failed(format!("the header {name} cannot be `{value}`")))?;
            headers.insert(name, value);
            Ok(())
        };
        let id = delivery.id;
        match self.settings.key_format {
            KeyFormat::Bare => put(self.key_header.clone(), id)?,
            KeyFormat::Quoted => put(self.key_header.clone(), &format!("\"{id}\""))?,
        }
        if let Some(signer) = &self.signer {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            let now = now.unwrap_or_default().as_secs();
            for (name, value) in signer.headers(id, now, &delivery.body) {
                put(HeaderName::from_static(name), &value)?;
            }
        }
        if has_body {
            *request.body_mut() = Some(delivery.body.clone().into());
        } else {
            request.headers_mut().remove(CONTENT_TYPE);
        }
        credential.apply(&mut request);
        Ok(request)
    }
}
