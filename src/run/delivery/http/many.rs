//! Delivers many rows in one request.

use super::items::Items;
use super::results::RowResult;
use super::{DeliveryRequest, Endpoint};
use crate::batch::Claimed;
use crate::error::{Error, Result};
use crate::run::delivery::outcome::{Answer, Attempt, DeliveryOutcome, Outcome};
use reqwest::Url;

impl Endpoint {
    /// One request for all of them, with the key of the parcel.
    pub(super) async fn deliver_items(&self, items: &Items, deliveries: Vec<Claimed>) -> Attempt {
        let (fit, unfit): (Vec<_>, Vec<_>) = deliveries
            .into_iter()
            .map(|delivery| (Items::check(&delivery), delivery))
            .partition(|(checked, _)| checked.is_ok());
        let fit: Vec<Claimed> = fit.into_iter().map(|(_, delivery)| delivery).collect();
        let mut attempt = self.post_items(items, fit).await;
        let refused = unfit.into_iter().filter_map(|(checked, delivery)| {
            Some(DeliveryOutcome {
                delivery,
                outcome: Outcome::Refused(checked.err()?),
                answer: Answer::default(),
            })
        });
        attempt.items.extend(refused);
        attempt
    }

    async fn post_items(&self, items: &Items, deliveries: Vec<Claimed>) -> Attempt {
        let Some(parcel) = deliveries.first().map(|first| first.parcel.clone()) else {
            return Attempt::default();
        };
        let url = match Url::parse(&self.settings.url) {
            Ok(url) => url,
            Err(cause) => {
                let error = Error::usage(format!("`{}` is not a URL", self.settings.url));
                let outcome = Outcome::Stopped(error.caused_by(cause));
                return Attempt::of_all(deliveries, outcome, &Answer::default(), 0);
            }
        };
        let id = parcel.unwrap_or_default();
        let method = self.settings.method(false);
        let request = self.delivery_request(method, url, items.body(&deliveries), &id);
        let response = self.post(&request).await;
        let (answer, retries) = (response.answer, response.retries);
        let said = match response.outcome {
            Outcome::Sent if answer.status == Some(207) && !items.has_results() => {
                Err(Error::failed("207 has a result for each row").next(
                    "say where: parcel => sluice.parcel(results => '/results', status => '/status', …)",
                ))
            }
            Outcome::Sent => items.results(&deliveries, &response.body),
            // Smaller requests show which row it is about.
            Outcome::Refused(_) | Outcome::Suspect(_) if deliveries.len() > 1 => {
                return Attempt::of_all(deliveries, Outcome::InHalves, &answer, retries);
            }
            outcome => return Attempt::of_all(deliveries, outcome, &answer, retries),
        };
        match said {
            Ok(None) => Attempt::of_all(deliveries, Outcome::Sent, &answer, retries),
            Ok(Some(said)) => {
                let items = self.by_results(deliveries, said, &request, &answer).await;
                Attempt { items, retries }
            }
            // They may have been accepted; the server can tell by the key.
            Err(error) => {
                let error = self.unclear(error, &request);
                Attempt::of_all(deliveries, Outcome::BrokenOff(error), &answer, retries)
            }
        }
    }

    async fn by_results(
        &self,
        deliveries: Vec<Claimed>,
        said: Vec<RowResult>,
        request: &DeliveryRequest<'_>,
        answer: &Answer,
    ) -> Vec<DeliveryOutcome> {
        let pause = self.pause_for(&said, request).await;
        let mut pause = pause.err();
        let is_over = pause.is_some();
        let judged = |(delivery, said): (Claimed, RowResult)| {
            let mut kept = answer.clone();
            let mut keep = |status: Option<u16>, text: &str| {
                kept.status = status.or(kept.status);
                kept.text = Some(self.kept_text(text));
                let status = status.map_or_else(String::new, |status| format!(" {status}"));
                let text = self.kept_text(text);
                Error::failed(format!("{} answered for the row{status}: {text}", request.shown))
            };
            let outcome = match said {
                RowResult::Taken => Outcome::Sent,
                RowResult::Refused(status, text) => Outcome::Refused(keep(status, &text)),
                RowResult::Passing(status, text) => {
                    let error = keep(status, &text);
                    match is_over {
                        true => Outcome::BrokenOff(pause.take().unwrap_or(error)),
                        false => Outcome::Later(error),
                    }
                }
                RowResult::Unclear(error) => Outcome::BrokenOff(self.unclear(error, request)),
            };
            DeliveryOutcome { delivery, outcome, answer: kept }
        };
        deliveries.into_iter().zip(said).map(judged).collect()
    }

    /// Pauses as before any retry if every row is to be sent again.
    async fn pause_for(&self, said: &[RowResult], request: &DeliveryRequest<'_>) -> Result<()> {
        let transient = said.iter().find_map(|said| match said {
            RowResult::Passing(_, text) => Some(self.kept_text(text)),
            _ => None,
        });
        let is_transient = |said: &RowResult| matches!(said, RowResult::Passing(..));
        match transient {
            Some(text) if said.iter().all(is_transient) => {
                let error = Error::failed(format!("{} took no row: {text}", request.shown));
                self.budget.pause(&request.shown, error, None).await
            }
            _ => Ok(()),
        }
    }

    /// A success whose results cannot be read.
    fn unclear(&self, error: Error, request: &DeliveryRequest<'_>) -> Error {
        let error = error.reworded(|text| self.kept_text(text));
        let is_told = error.next_step().is_some();
        let error =
            error.context(&format!("the answer to {} cannot be interpreted", request.shown));
        match is_told {
            true => error,
            false => error.next(
                "correct the parcel of deliver (results, status, error, index, id); \
                 what was sent is repeated with the same key",
            ),
        }
    }
}
