//! Sends one request up to its final answer: credentials, redirects, and which failures are retried.

use std::time::SystemTime;

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION,
};
use reqwest::{Method, Request, StatusCode, Url};

use super::{Exchange, PageRequest, Reply, StatusError};
use crate::error::{Error, Result};
use crate::http::auth::Credential;
use crate::http::transport::{self, ACCEPTED_ENCODINGS, asked_pause, permanent, with_excerpt};
use crate::retry::{self, RetryError};
use crate::source::http::settings::BodyFormat;

impl Exchange {
    /// The answer after redirects, and the URL it came from.
    pub(super) async fn ask(
        &self,
        request: &PageRequest,
    ) -> Result<Result<(Url, Reply), Box<StatusError>>, RetryError> {
        let mut url = request.url.clone();
        let mut method = request.method.clone();
        let mut redirects = 0;
        let mut has_renewed = false;
        loop {
            let shown = self.redactor.clean(url.as_str());
            let is_home = self.hosts.is_home(&url);
            let credential = match is_home {
                true => self.auth.credential(&self.transport).await?,
                false => Credential::None,
            };
            let sent = self.request(&url, &method, request, &credential, is_home);
            let reply = self.transport.send(sent, &shown).await?;
            let status = reply.status;
            if self.is_transient(&reply) {
                return Err(RetryError::Transient {
                    error: Box::new(self.answered(&reply, &shown)),
                    retry_after: asked_pause(&reply.headers, SystemTime::now()),
                });
            }
            if self.settings.final_statuses.contains(&status.as_u16()) {
                return Ok(Err(self.status_error(&reply, request, &shown)));
            }
            match status {
                StatusCode::OK
                | StatusCode::CREATED
                | StatusCode::NON_AUTHORITATIVE_INFORMATION
                | StatusCode::NO_CONTENT
                | StatusCode::RESET_CONTENT => return Ok(Ok((url, reply))),
                StatusCode::PARTIAL_CONTENT if is_whole(&reply.headers) => {
                    return Ok(Ok((url, reply)));
                }
                StatusCode::UNAUTHORIZED
                    if is_home
                        && !has_renewed
                        && self.auth.renew(&credential).await.map_err(permanent)? =>
                {
                    has_renewed = true;
                }
                status if status.is_redirection() && reply.headers.contains_key(LOCATION) => {
                    redirects += 1;
                    if redirects > self.settings.max_redirects {
                        return Err(permanent(self.too_many_redirects(request, &shown)));
                    }
                    url = self.redirected(&url, &reply, &mut method, &shown).map_err(permanent)?;
                }
                _ => return Ok(Err(self.status_error(&reply, request, &shown))),
            }
        }
    }

    fn too_many_redirects(&self, request: &PageRequest, last: &str) -> Error {
        Error::failed(format!(
            "{} was redirected more than max_redirects = {} times, last to {last}",
            request.shown(&self.redactor),
            self.settings.max_redirects
        ))
        .next("correct the url, or raise max_redirects")
    }

    fn redirected(
        &self,
        url: &Url,
        reply: &Reply,
        method: &mut Method,
        shown: &str,
    ) -> Result<Url> {
        let location =
            reply.headers.get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let target = url.join(location).map_err(|cause| {
            Error::failed(format!(
                "{shown} redirects to `{}`, which is not a URL",
                self.redactor.clean(location)
            ))
            .caused_by(cause)
        })?;
        let target = self.redactor.clean_link(&target);
        self.hosts.check(&target, "a redirect", &self.redactor)?;
        match reply.status {
            StatusCode::SEE_OTHER => *method = Method::GET,
            StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => {}
            _ if *method == Method::GET => {}
            status => {
                return Err(Error::failed(format!(
                    "{shown} answered a POST with {status} to {target}"
                ))
                .next("set `url` to where it leads"));
            }
        }
        Ok(target)
    }

    /// Builds the request. Other hosts get neither credentials nor the headers in the settings.
    fn request(
        &self,
        url: &Url,
        method: &Method,
        page: &PageRequest,
        credential: &Credential,
        is_home: bool,
    ) -> Request {
        let mut request = Request::new(method.clone(), url.clone());
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static(self.accept));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED_ENCODINGS));
        if method == Method::POST {
            let content_type = match self.settings.body_format {
                BodyFormat::Json => "application/json",
                BodyFormat::Form => "application/x-www-form-urlencoded",
            };
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        if is_home {
            headers.extend(self.headers.clone());
        }
        if method == Method::POST {
            *request.body_mut() = page.body.clone().map(Into::into);
        }
        credential.apply(&mut request);
        request
    }

    /// Whether a retry may succeed.
    fn is_transient(&self, reply: &Reply) -> bool {
        let status = reply.status.as_u16();
        let (retry, is_final) = (&self.settings.retry_statuses, &self.settings.final_statuses);
        if retry.contains(&status) || is_final.contains(&status) {
            return retry.contains(&status);
        }
        match reply.status {
            // The server is still preparing the answer.
            StatusCode::ACCEPTED => true,
            // Some servers answer so when the quota is used up.
            StatusCode::FORBIDDEN => {
                transport::is_spent(&reply.headers) || transport::asks_for_pause(&reply.headers)
            }
            _ => retry::is_retryable_status(status),
        }
    }

    fn answered(&self, reply: &Reply, shown: &str) -> Error {
        let error = Error::failed(format!("{shown} answered {}", reply.status));
        with_excerpt(error, &reply.body, &self.redactor)
    }

    fn status_error(&self, reply: &Reply, request: &PageRequest, shown: &str) -> Box<StatusError> {
        let next = match (reply.status, self.auth.kept_in()) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Some(location)) => format!("check the credential in {location} and what it may read"),
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, None) => "give the source a credential: auth => sluice.bearer_auth(env => …)".to_owned(),
            (StatusCode::PARTIAL_CONTENT, _) => "only a part of the answer came, which was not asked for: leave Range out of `headers`".to_owned(),
            _ if request.goes_on => "if the source has forgotten the place to go on from, begin the sweep anew: sluice rewind PIPELINE --to-start; if this is how its pages end: ends_at => 'not_found'".to_owned(),
            _ => "check url, params, headers and body of the pipeline's source".to_owned(),
        };
        let error = self.answered(reply, shown).next(next);
        Box::new(StatusError {
            status: reply.status,
            error: error.reworded(|text| self.redactor.clean(text)),
            origin: request.shown(&self.redactor),
        })
    }
}

/// Whether a partial answer is all there is. A range in other units than bytes counts records.
fn is_whole(headers: &HeaderMap) -> bool {
    let range = headers.get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
    let Some(bytes) = range.and_then(|range| range.trim().strip_prefix("bytes")) else {
        return range.is_some();
    };
    let (from_to, all) = bytes.trim().split_once('/').unwrap_or_default();
    let (from, to) = from_to.split_once('-').unwrap_or_default();
    let number = |text: &str| text.trim().parse::<u64>().ok();
    number(from) == Some(0) && number(to).is_some_and(|to| number(all) == to.checked_add(1))
}
