//! Deliveries over HTTP: a request is repeated until an answer decides about its rows.

mod address;
mod items;
mod many;
mod request;
mod results;
mod settings;
mod signature;

use self::address::fill;
use self::items::Items;
use self::request::{DeliveryRequest, Response};
pub(super) use self::settings::Settings;
use self::signature::Signer;
use super::outcome::{Answer, Attempt, Outcome, TRIES_WHILE_OTHERS_PASS};
use crate::batch::Claimed;
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::http::auth::Auth;
use crate::http::transport::{
    self, ACCEPTED_ENCODINGS, Reply, Transport, asked_pause, permanent, with_excerpt,
};
use crate::retry::{self, Budget, RetryError};
use crate::secret::Redactor;
use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// How many characters of an answer are kept with its delivery.
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

impl Endpoint {
    pub(super) fn new(settings: Settings, host: &HostRules, budget: Arc<Budget>) -> Result<Self> {
        let redactor = Arc::new(Redactor::default());
        let unusable = |name: &str| {
            Error::usage(format!("the header `{name}` cannot be sent as it is set"))
                .next("correct `headers` and `key_header` of deliver")
        };
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED_ENCODINGS));
        let content_type = settings.items.as_ref().map_or("application/json", Items::content_type);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        for (name, value) in &settings.headers {
            let header: HeaderName = name.parse().map_err(|_| unusable(name))?;
            headers.insert(header, value.parse().map_err(|_| unusable(name))?);
        }
        Ok(Endpoint {
            headers,
            key_header: settings.key_header.parse().map_err(|_| unusable(&settings.key_header))?,
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

    /// Whether the delivery is a DELETE, which has succeeded if there is nothing to delete.
    pub(super) fn only_deletes(&self, delivery: &Claimed) -> bool {
        delivery.is_delete && self.settings.method(true) == "DELETE"
    }

    pub(super) fn parcel_rows(&self) -> Option<usize> {
        self.settings.items.as_ref().map(|items| items.size)
    }

    /// Sends deliveries, and repeats the request with the same key until their outcome is known.
    pub(super) async fn deliver(&self, mut deliveries: Vec<Claimed>) -> Attempt {
        let attempt = match (&self.settings.items, deliveries.pop()) {
            (None, Some(delivery)) => self.deliver_one(delivery).await,
            (Some(items), Some(last)) => {
                deliveries.push(last);
                self.deliver_items(items, deliveries).await
            }
            (_, None) => Attempt::default(),
        };
        if attempt.has_sent() {
            self.accepted.fetch_add(1, Ordering::Relaxed);
            self.budget.progressed();
        }
        attempt
    }

    async fn deliver_one(&self, delivery: Claimed) -> Attempt {
        let method = self.settings.method(delivery.is_delete);
        let body = match method {
            "DELETE" => String::new(),
            _ => delivery.body.clone(),
        };
        let response = match fill(&self.settings.url, &delivery.key) {
            Err(error) => Response::refused(error),
            Ok(url) => {
                let request = self.delivery_request(method, url, body, &delivery.idempotency_key);
                self.post(&request).await
            }
        };
        Attempt::of_all(vec![delivery], response.outcome, &response.answer, response.retries)
    }

    async fn post(&self, request: &DeliveryRequest<'_>) -> Response {
        let accepted_before = self.accepted.load(Ordering::Relaxed);
        let tries = AtomicU32::new(0);
        let last = Mutex::new((Answer::default(), Bytes::new()));
        let step = || async {
            let tries = tries.fetch_add(1, Ordering::Relaxed) + 1;
            match self.attempt(request, &last).await {
                Err(RetryError::Transient { error, .. })
                    if tries >= TRIES_WHILE_OTHERS_PASS
                        && self.accepted.load(Ordering::Relaxed) > accepted_before =>
                {
                    Ok(Outcome::Undecided(*error))
                }
                done => done,
            }
        };
        let outcome = self.budget.retrying(&request.shown, step).await;
        let (answer, body) = last.into_inner().unwrap_or_default();
        Response {
            outcome: outcome.unwrap_or_else(Outcome::BrokenOff),
            answer,
            body,
            retries: tries.into_inner().saturating_sub(1),
        }
    }

    /// One request, or two where the credential had to be renewed.
    async fn attempt(
        &self,
        request: &DeliveryRequest<'_>,
        last: &Mutex<(Answer, Bytes)>,
    ) -> Result<Outcome, RetryError> {
        let mut has_renewed = false;
        loop {
            let credential = self.auth.credential(&self.transport).await;
            let credential = credential.map_err(|trouble| self.worded(trouble))?;
            let http_request = self.http_request(request, &credential).map_err(permanent)?;
            let reply = self.transport.send(http_request, &request.shown).await;
            let reply = reply
                .and_then(|reply| self.readable(reply, &request.shown))
                .map_err(|trouble| self.worded(trouble))?;
            *last.lock().unwrap_or_else(PoisonError::into_inner) =
                (self.kept(&reply), reply.body.clone());
            let may_renew = reply.status == StatusCode::UNAUTHORIZED && !has_renewed;
            if may_renew && self.auth.renew(&credential).await.map_err(permanent)? {
                has_renewed = true;
                continue;
            }
            return self.outcome_of(&reply, &request.shown);
        }
    }

    /// Decodes a successful answer if it has results to read.
    fn readable(&self, reply: Reply, shown: &str) -> Result<Reply, RetryError> {
        let has_results = self.settings.items.as_ref().is_some_and(Items::has_results);
        match has_results && reply.status.is_success() {
            true => self.transport.decode(reply, shown),
            false => Ok(reply),
        }
    }

    /// The outcome by the status: undecided, about this row, about all rows, or about either.
    fn outcome_of(&self, reply: &Reply, shown: &str) -> Result<Outcome, RetryError> {
        let status = reply.status;
        let error = || {
            let error = Error::failed(format!("{shown} answered {status}"));
            with_excerpt(error, &reply.body, &self.redactor)
        };
        let is_transient = match status {
            // An earlier attempt is still in progress.
            StatusCode::CONFLICT => true,
            StatusCode::FORBIDDEN => {
                transport::is_spent(&reply.headers) || transport::asks_for_pause(&reply.headers)
            }
            _ => retry::is_retryable_status(status.as_u16()),
        };
        if is_transient {
            return Err(self.worded(RetryError::Transient {
                error: Box::new(error()),
                retry_after: asked_pause(&reply.headers, SystemTime::now()),
            }));
        }
        Ok(match status.as_u16() {
            200..=299 => Outcome::Sent,
            401 | 407 => Outcome::Stopped(
                error().next(match self.auth.kept_in() {
                    Some(location) => {
                        format!("check the credential in {location} and what it may write")
                    }
                    None => "give the delivery a credential: auth => sluice.bearer_auth(env => …)"
                        .to_owned(),
                }),
            ),
            300..=399 => {
                let leads_to = reply.headers.get(LOCATION).and_then(|to| to.to_str().ok());
                let error = leads_to.into_iter().fold(error(), |error, to| {
                    error.detail(format!("leads to {}", self.redactor.clean(to)))
                });
                Outcome::Stopped(error.next("set the url of deliver to where it leads"))
            }
            501 | 505 => Outcome::Stopped(error().next("check url and method of deliver")),
            403 | 404 | 405 | 410 => Outcome::Suspect(error()),
            _ => Outcome::Refused(error()),
        })
    }

    fn kept(&self, reply: &Reply) -> Answer {
        let text = (!reply.status.is_success())
            .then(|| self.kept_text(&String::from_utf8_lossy(&reply.body)));
        Answer { status: Some(reply.status.as_u16()), text: text.filter(|text| !text.is_empty()) }
    }

    fn kept_text(&self, text: &str) -> String {
        // Cut at the end, as it could be through a secret.
        let text = self.redactor.clean(&text.replace('\0', ""));
        text.chars().take(KEPT_OF_ANSWER).collect()
    }

    /// Applies a pause that the server asks for to all requests; one that is too long ends the delivery. Takes secrets
    /// out of what the server says.
    fn worded(&self, trouble: RetryError) -> RetryError {
        self.transport.wait_or_give_up(trouble, &self.redactor)
    }
}
