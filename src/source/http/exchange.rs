//! From a place in the pages to the page: the request, redirects, refusals, retries.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use reqwest::{Method, Request, StatusCode, Url};

use super::auth::{Auth, Credential};
use super::call::Call;
use super::encoding;
use super::hosts::is_same_origin;
use super::limits;
use super::paging::At;
use super::place::Found;
use super::settings::{Format, Settings};
use super::sheet::Sheet;
use super::trouble::Trouble;
use super::wire::{Reply, Wire};
use crate::error::{Error, Kind, Result};
use crate::retry::{self, Backoff};
use crate::source::Means;
use crate::source::secret::Redactor;

/// Lines of a body that an error shows, and how much of each.
const LINES: usize = 5;
const LINE: usize = 200;

pub(super) struct Exchange {
    pub(super) settings: Settings,
    pub(super) redactor: Arc<Redactor>,
    headers: HeaderMap,
    wire: Wire,
    auth: Auth,
    backoff: Mutex<Backoff>,
    /// What this sweep asks for, if not for everything.
    since: Option<Found>,
}

impl Exchange {
    pub(super) fn new(settings: Settings, since: Option<Found>, means: &Means) -> Result<Self> {
        let redactor = Arc::clone(&means.secrets);
        let mut headers = HeaderMap::new();
        for (name, value) in &settings.headers {
            let unusable = |_| {
                Error::usage(format!("the header `{name}` cannot be sent as it is set"))
                    .next("correct `headers`")
            };
            let name: HeaderName = name.parse().map_err(|_| unusable(()))?;
            headers.insert(name, value.parse().map_err(|_| unusable(()))?);
        }
        Ok(Exchange {
            wire: Wire::new(&settings)?,
            auth: Auth::new(settings.auth.clone(), Arc::clone(&redactor))?,
            backoff: Mutex::new(Backoff::new(means.budget.retries())),
            headers,
            redactor,
            since,
            settings,
        })
    }

    /// Fetches the page at `at`, and says how often it had to be asked for again.
    pub(super) async fn fetch(&self, at: &At) -> Result<(Sheet, u32)> {
        let call = Call::new(&self.settings, at, self.since.as_ref())?;
        // A link may come from the cursor, which others can write.
        self.settings
            .check_host(&call.url, "the page to go on with", &self.redactor)?;
        let mut retried = 0;
        loop {
            let done = match self.ask(&call).await {
                Ok((url, reply)) => Sheet::read(&self.settings, &self.redactor, &call, url, reply),
                Err(trouble) => Err(trouble),
            };
            match done {
                Ok(sheet) => {
                    self.backoff().succeeded();
                    return Ok((sheet, retried));
                }
                Err(Trouble::Fatal(error)) => return Err(*error),
                Err(Trouble::Passing { error, asked }) => self.pause(*error, asked, &call).await?,
            }
            retried += 1;
        }
    }

    fn backoff(&self) -> std::sync::MutexGuard<'_, Backoff> {
        self.backoff.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits before another try, or gives up.
    async fn pause(&self, error: Error, asked: Option<Duration>, call: &Call) -> Result<()> {
        let asked = asked.unwrap_or_default();
        if asked > self.settings.max_wait() {
            return Err(error
                .with_kind(Kind::Exhausted)
                .detail(format!(
                    "the server asks to be left alone for {} s, more than max_wait = {} s",
                    asked.as_secs(),
                    self.settings.max_wait().as_secs()
                ))
                .next("run again after that, or raise max_wait"));
        }
        let pause = self.backoff().next_pause_at_least(asked);
        let Some(pause) = pause else {
            return Err(error
                .with_kind(Kind::Exhausted)
                .detail("every retry of this run is used up")
                .next("it is safe to run again; raise --retries if this is usual here"));
        };
        tracing::warn!(
            pause_ms = pause.as_millis() as u64,
            "{} is asked again: {}",
            call.shown(&self.redactor),
            self.redactor.clean(error.message())
        );
        if !asked.is_zero() {
            // It is meant for the requests sent ahead as well.
            self.wire.hold(asked);
        }
        tokio::time::sleep(pause).await;
        Ok(())
    }

    /// One answer that is one, redirects followed; with the URL it came from.
    async fn ask(&self, call: &Call) -> Result<(Url, Reply), Trouble> {
        let mut url = call.url.clone();
        let mut method = call.method.clone();
        let mut redirects = 0;
        let mut has_renewed = false;
        loop {
            let shown = self.redactor.clean(url.as_str());
            let is_home = is_same_origin(&url, &self.settings.url);
            let credential = match is_home {
                true => self.auth.credential(&self.wire).await?,
                false => Credential::None,
            };
            let request = self.request(&url, &method, call, &credential, is_home);
            let reply = self.wire.send(request, &shown).await?;
            match reply.status {
                StatusCode::OK
                | StatusCode::CREATED
                | StatusCode::NON_AUTHORITATIVE_INFORMATION
                | StatusCode::NO_CONTENT => {
                    return Ok((url, reply));
                }
                StatusCode::UNAUTHORIZED
                    if is_home && !has_renewed && self.auth.renew(&credential).await? =>
                {
                    has_renewed = true
                }
                status if status.is_redirection() && reply.headers.contains_key(LOCATION) => {
                    redirects += 1;
                    if redirects > self.settings.max_redirects {
                        return Err(Trouble::fatal(self.too_many_redirects(call, &shown)));
                    }
                    url = self.redirected(&url, &reply, &mut method, &shown)?;
                }
                _ => return Err(self.refusal(&reply, call, &shown)),
            }
        }
    }

    fn too_many_redirects(&self, call: &Call, last: &str) -> Error {
        Error::failed(format!(
            "{} was redirected more than max_redirects = {} times, last to {last}",
            call.shown(&self.redactor),
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
        let location = reply
            .headers
            .get(LOCATION)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let target = url.join(location).map_err(|cause| {
            Error::failed(format!(
                "{shown} redirects to `{}`, which is no URL",
                self.redactor.clean(location)
            ))
            .caused_by(cause)
        })?;
        let target = self.redactor.clean_link(&target);
        self.settings
            .check_host(&target, "a redirect", &self.redactor)?;
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

    /// To other hosts go neither credentials nor the headers of the settings.
    fn request(
        &self,
        url: &Url,
        method: &Method,
        call: &Call,
        credential: &Credential,
        is_home: bool,
    ) -> Request {
        let mut request = Request::new(method.clone(), url.clone());
        let headers = request.headers_mut();
        headers.insert(
            ACCEPT,
            HeaderValue::from_static(match self.settings.format {
                Format::Json => "application/json, */*;q=0.5",
                _ => "*/*",
            }),
        );
        headers.insert(
            ACCEPT_ENCODING,
            HeaderValue::from_static(encoding::ACCEPTED),
        );
        if method == Method::POST {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if is_home {
            headers.extend(self.headers.clone());
        }
        if method == Method::POST {
            *request.body_mut() = call.body.clone().map(Into::into);
        }
        credential.apply(&mut request);
        request
    }

    fn refusal(&self, reply: &Reply, call: &Call, shown: &str) -> Trouble {
        let status = reply.status;
        let error = with_excerpt(
            Error::failed(format!("{shown} answered {status}")),
            &reply.body,
            &self.redactor,
        );
        // Some tell so that their quota is spent.
        let is_throttled = status == StatusCode::FORBIDDEN && limits::is_spent(&reply.headers);
        if is_throttled || retry::is_retryable_status(status.as_u16()) {
            let asked = limits::asked_pause(&reply.headers, SystemTime::now());
            return Trouble::passing_after(error, asked);
        }
        let next = match (status, self.auth.kept_in()) {
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, Some(keeper)) => format!("check the credential in {keeper} and what it may read"),
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, None) => "give the source a credential: auth => sluice.bearer_auth(env => …)".to_owned(),
            _ if call.goes_on => "if the source has forgotten the place to go on from, begin the sweep anew: sluice rewind PIPELINE --to-start".to_owned(),
            _ => "check url, params, headers and body of the pipeline's source".to_owned(),
        };
        Trouble::fatal(error.next(next))
    }
}

/// Shows the first lines of what a server said, without the secrets it may repeat.
pub(super) fn with_excerpt(error: Error, body: &[u8], redactor: &Redactor) -> Error {
    let text = redactor.clean(&String::from_utf8_lossy(body));
    let lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.trim().is_empty());
    lines
        .take(LINES)
        .enumerate()
        .fold(error, |error, (number, line)| {
            let line: String = line
                .chars()
                .filter(|c| !c.is_control())
                .take(LINE)
                .collect();
            let label = if number == 0 { "body: " } else { "      " };
            error.detail(format!("{label} {line}"))
        })
}
