//! One delivery until there is an answer that decides about it.

use super::address::fill;
use super::settings::{KeyFormat, Settings};
use super::signature::Signer;
use crate::batch::Claimed;
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::http::auth::{Auth, Credential};
use crate::http::transport::{
    self, ACCEPTED_ENCODINGS, Reply, Transport, asked_pause, fatal, with_excerpt,
};
use crate::retry::{self, Budget, Trouble};
use crate::secret::Redactor;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, StatusCode, Url};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// So often is one delivery tried while others get through; then it waits for the next sender.
const TRIES_WHILE_OTHERS_PASS: u32 = 6;
/// As much of an answer is kept with its delivery.
const KEPT_OF_ANSWER: usize = 2000;

pub(super) struct Endpoint {
    settings: Settings,
    headers: HeaderMap,
    key_header: HeaderName,
    transport: Transport,
    auth: Auth,
    signer: Option<Signer>,
    redactor: Arc<Redactor>,
    budget: Arc<Budget>,
    accepted: AtomicU64,
}

/// What came of a delivery.
pub(super) struct Attempted {
    pub(super) delivery: Claimed,
    pub(super) verdict: Verdict,
    /// Requests beyond the first.
    pub(super) retries: u32,
    pub(super) answer: Answer,
}

/// What the server said last, as far as it is kept.
#[derive(Default, Clone)]
pub(super) struct Answer {
    pub(super) status: Option<u16>,
    pub(super) text: Option<String>,
}

pub(super) enum Verdict {
    Sent,
    /// This row is refused.
    Refused(Error),
    /// The row is refused, or all of them are: that shows in what becomes of others.
    Suspect(Error),
    /// It may have arrived, or not; others get through.
    Undecided(Error),
    /// No row would get through; this one did certainly not.
    Stopped(Error),
    /// No row gets through; whether this one did is not known.
    BrokenOff(Error),
}

impl Endpoint {
    pub(super) fn new(settings: Settings, host: &HostRules, budget: Arc<Budget>) -> Result<Self> {
        let redactor = Arc::new(Redactor::default());
        let unusable = |name: &str| {
            Error::usage(format!("the header `{name}` cannot be sent as it is set"))
                .next("correct `headers` and `key_header` of deliver")
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(
            ACCEPT_ENCODING,
            HeaderValue::from_static(ACCEPTED_ENCODINGS),
        );
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in &settings.headers {
            let header: HeaderName = name.parse().map_err(|_| unusable(name))?;
            headers.insert(header, value.parse().map_err(|_| unusable(name))?);
        }
        Ok(Endpoint {
            headers,
            key_header: settings
                .key_header
                .parse()
                .map_err(|_| unusable(&settings.key_header))?,
            transport: Transport::new(
                &settings.home()?,
                settings.ca_file.as_deref(),
                settings.limits(),
                host.clone(),
            )?,
            auth: Auth::new(settings.auth.clone(), Arc::clone(&redactor), host.clone())?,
            signer: match &settings.signature {
                Some(signature) => Some(Signer::new(signature, &redactor, host)?),
                None => None,
            },
            redactor,
            budget,
            settings,
            accepted: AtomicU64::new(0),
        })
    }

    /// Whether all that a delivery wants is that there is nothing.
    pub(super) fn only_deletes(&self, delivery: &Claimed) -> bool {
        delivery.is_delete && self.settings.method(true) == "DELETE"
    }

    /// Sends a delivery, and again with the same key for as long as nobody knows what came of it.
    pub(super) async fn deliver(self: Arc<Self>, delivery: Claimed) -> Attempted {
        let tries = AtomicU32::new(0);
        let mut answer = Answer::default();
        let verdict = match fill(&self.settings.url, &delivery.key) {
            Err(error) => Verdict::Refused(error),
            Ok(url) => self.send(&delivery, &url, &tries, &mut answer).await,
        };
        if matches!(verdict, Verdict::Sent) {
            self.accepted.fetch_add(1, Ordering::Relaxed);
            self.budget.progressed();
        }
        Attempted {
            delivery,
            verdict,
            retries: tries.into_inner().saturating_sub(1),
            answer,
        }
    }

    async fn send(
        &self,
        delivery: &Claimed,
        url: &Url,
        tries: &AtomicU32,
        answer: &mut Answer,
    ) -> Verdict {
        let method = self.settings.method(delivery.is_delete);
        let shown = format!("{method} {}", self.redactor.clean(url.as_str()));
        let accepted_before = self.accepted.load(Ordering::Relaxed);
        let last = Mutex::new(Answer::default());
        let step = || async {
            let tries = tries.fetch_add(1, Ordering::Relaxed) + 1;
            match self.attempt(delivery, method, url, &shown, &last).await {
                Err(Trouble::Passing { error, .. })
                    if tries >= TRIES_WHILE_OTHERS_PASS
                        && self.accepted.load(Ordering::Relaxed) > accepted_before =>
                {
                    Ok(Verdict::Undecided(*error))
                }
                done => done,
            }
        };
        let verdict = self.budget.retrying(&shown, step).await;
        *answer = last.into_inner().unwrap_or_default();
        verdict.unwrap_or_else(Verdict::BrokenOff)
    }

    /// One request, or two where the credential had to be renewed.
    async fn attempt(
        &self,
        delivery: &Claimed,
        method: &str,
        url: &Url,
        shown: &str,
        last: &Mutex<Answer>,
    ) -> Result<Verdict, Trouble> {
        let mut has_renewed = false;
        loop {
            let credential = self.auth.credential(&self.transport).await;
            let credential = credential.map_err(|trouble| self.worded(trouble))?;
            let request = self
                .request(delivery, method, url, &credential)
                .map_err(fatal)?;
            let reply = self.transport.send(request, shown).await;
            let reply = reply.map_err(|trouble| self.worded(trouble))?;
            *last.lock().unwrap_or_else(PoisonError::into_inner) = self.kept(&reply);
            let may_renew = reply.status == StatusCode::UNAUTHORIZED && !has_renewed;
            if may_renew && self.auth.renew(&credential).await.map_err(fatal)? {
                has_renewed = true;
                continue;
            }
            return self.judge(&reply, shown);
        }
    }

    /// Statuses, by whom they are about: nobody yet, this row, all rows, or one of the two.
    fn judge(&self, reply: &Reply, shown: &str) -> Result<Verdict, Trouble> {
        let status = reply.status;
        let error = || {
            let error = Error::failed(format!("{shown} answered {status}"));
            with_excerpt(error, &reply.body, &self.redactor)
        };
        let is_passing = match status {
            // The attempt before is still being worked on.
            StatusCode::CONFLICT => true,
            StatusCode::FORBIDDEN => {
                transport::is_spent(&reply.headers) || transport::asks_for_pause(&reply.headers)
            }
            _ => retry::is_retryable_status(status.as_u16()),
        };
        if is_passing {
            return Err(self.worded(Trouble::Passing {
                error: Box::new(error()),
                asked: asked_pause(&reply.headers, SystemTime::now()),
            }));
        }
        Ok(match status.as_u16() {
            200..=299 => Verdict::Sent,
            401 | 407 => Verdict::Stopped(
                error().next(match self.auth.kept_in() {
                    Some(keeper) => {
                        format!("check the credential in {keeper} and what it may write")
                    }
                    None => "give the delivery a credential: auth => sluice.bearer_auth(env => …)"
                        .to_owned(),
                }),
            ),
            300..=399 => Verdict::Stopped(error().next("set the url of deliver to where it leads")),
            501 | 505 => Verdict::Stopped(error().next("check url and method of deliver")),
            403 | 404 | 405 | 410 => Verdict::Suspect(error()),
            _ => Verdict::Refused(error()),
        })
    }

    fn request(
        &self,
        delivery: &Claimed,
        method: &str,
        url: &Url,
        credential: &Credential,
    ) -> Result<Request> {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|cause| Error::usage(format!("`{method}` is no method")).caused_by(cause))?;
        let has_body = method != Method::DELETE;
        let body = match has_body {
            true => delivery.body.as_str(),
            false => "",
        };
        let mut request = Request::new(method, url.clone());
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        let mut put = |name: HeaderName, value: &str| -> Result<()> {
            let value = HeaderValue::from_str(value)
                .map_err(|_| Error::failed(format!("the header {name} cannot be `{value}`")))?;
            headers.insert(name, value);
            Ok(())
        };
        let id = &delivery.idempotency_key;
        match self.settings.key_format {
            KeyFormat::Bare => put(self.key_header.clone(), id)?,
            KeyFormat::Quoted => put(self.key_header.clone(), &format!("\"{id}\""))?,
        }
        if let Some(signer) = &self.signer {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            for (name, value) in signer.headers(id, now.unwrap_or_default().as_secs(), body) {
                put(HeaderName::from_static(name), &value)?;
            }
        }
        if has_body {
            *request.body_mut() = Some(body.to_owned().into());
        } else {
            request.headers_mut().remove(CONTENT_TYPE);
        }
        credential.apply(&mut request);
        Ok(request)
    }

    fn kept(&self, reply: &Reply) -> Answer {
        let text = String::from_utf8_lossy(&reply.body);
        let text: String = text
            .chars()
            .filter(|c| *c != '\0')
            .take(KEPT_OF_ANSWER)
            .collect();
        let text = self.redactor.clean(&text);
        Answer {
            status: Some(reply.status.as_u16()),
            text: (!reply.status.is_success() && !text.is_empty()).then_some(text),
        }
    }

    /// A pause that the server asks for is meant for all requests; one that is too long ends
    /// the sending. What servers say may repeat what they were sent.
    fn worded(&self, trouble: Trouble) -> Trouble {
        self.transport.wait_or_give_up(trouble, &self.redactor)
    }
}
