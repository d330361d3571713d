//! Many deliveries in one request.

use super::items::Items;
use super::results::Said;
use super::{Endpoint, Letter};
use crate::batch::Claimed;
use crate::error::{Error, Result};
use crate::run::delivery::verdict::{Answer, Attempted, Tried, Verdict};
use reqwest::Url;

impl Endpoint {
    /// Their key is that of the parcel.
    pub(super) async fn deliver_items(&self, items: &Items, deliveries: Vec<Claimed>) -> Attempted {
        let (fit, unfit): (Vec<_>, Vec<_>) = deliveries
            .into_iter()
            .map(|delivery| (Items::check(&delivery), delivery))
            .partition(|(checked, _)| checked.is_ok());
        let fit: Vec<Claimed> = fit.into_iter().map(|(_, delivery)| delivery).collect();
        let mut attempted = self.post_items(items, fit).await;
        let refused = unfit.into_iter().filter_map(|(checked, delivery)| {
            Some(Tried {
                delivery,
                verdict: Verdict::Refused(checked.err()?),
                answer: Answer::default(),
            })
        });
        attempted.items.extend(refused);
        attempted
    }

    async fn post_items(&self, items: &Items, deliveries: Vec<Claimed>) -> Attempted {
        let Some(parcel) = deliveries.first().map(|first| first.parcel.clone()) else {
            return Attempted::default();
        };
        let url = match Url::parse(&self.settings.url) {
            Ok(url) => url,
            Err(cause) => {
                let error = Error::usage(format!("`{}` is no URL", self.settings.url));
                let verdict = Verdict::Stopped(error.caused_by(cause));
                return Attempted::of_all(deliveries, verdict, &Answer::default(), 0);
            }
        };
        let id = parcel.unwrap_or_default();
        let method = self.settings.method(false);
        let letter = self.letter(method, url, items.body(&deliveries), &id);
        let posted = self.post(&letter).await;
        let (answer, retries) = (posted.answer, posted.retries);
        let said = match posted.verdict {
            Verdict::Sent if answer.status == Some(207) && !items.has_results() => {
                Err(Error::failed("207 has a result for each row").next(
                    "say where: parcel => sluice.parcel(results => '/results', status => '/status', …)",
                ))
            }
            Verdict::Sent => items.results(&deliveries, &posted.body),
            // Which of them it is about shows when there are fewer.
            Verdict::Refused(_) | Verdict::Suspect(_) if deliveries.len() > 1 => {
                return Attempted::of_all(deliveries, Verdict::InHalves, &answer, retries);
            }
            verdict => return Attempted::of_all(deliveries, verdict, &answer, retries),
        };
        match said {
            Ok(None) => Attempted::of_all(deliveries, Verdict::Sent, &answer, retries),
            Ok(Some(said)) => {
                let items = self.by_results(deliveries, said, &letter, &answer).await;
                Attempted { items, retries }
            }
            // They may have been taken; their key will tell.
            Err(error) => {
                let error = self.unclear(error, &letter);
                Attempted::of_all(deliveries, Verdict::BrokenOff(error), &answer, retries)
            }
        }
    }

    async fn by_results(
        &self,
        deliveries: Vec<Claimed>,
        said: Vec<Said>,
        letter: &Letter<'_>,
        answer: &Answer,
    ) -> Vec<Tried> {
        let pause = self.pause_for(&said, letter).await;
        let mut pause = pause.err();
        let is_over = pause.is_some();
        let judged = |(delivery, said): (Claimed, Said)| {
            let mut kept = answer.clone();
            let mut keep = |status: Option<u16>, text: &str| {
                kept.status = status.or(kept.status);
                kept.text = Some(self.kept_text(text));
                let status = status.map_or_else(String::new, |status| format!(" {status}"));
                let text = self.kept_text(text);
                Error::failed(format!(
                    "{} answered for the row{status}: {text}",
                    letter.shown
                ))
            };
            let verdict = match said {
                Said::Taken => Verdict::Sent,
                Said::Refused(status, text) => Verdict::Refused(keep(status, &text)),
                Said::Passing(status, text) => {
                    let error = keep(status, &text);
                    match is_over {
                        true => Verdict::BrokenOff(pause.take().unwrap_or(error)),
                        false => Verdict::Later(error),
                    }
                }
                Said::Unclear(error) => Verdict::BrokenOff(self.unclear(error, letter)),
            };
            Tried {
                delivery,
                verdict,
                answer: kept,
            }
        };
        deliveries.into_iter().zip(said).map(judged).collect()
    }

    /// Where nothing was decided, as long as between any two tries.
    async fn pause_for(&self, said: &[Said], letter: &Letter<'_>) -> Result<()> {
        let passing = said.iter().find_map(|said| match said {
            Said::Passing(_, text) => Some(self.kept_text(text)),
            _ => None,
        });
        let is_passing = |said: &Said| matches!(said, Said::Passing(..));
        match passing {
            Some(text) if said.iter().all(is_passing) => {
                let error = Error::failed(format!("{} took no row: {text}", letter.shown));
                self.budget.pause(&letter.shown, error, None).await
            }
            _ => Ok(()),
        }
    }

    /// A success that does not say what became of the rows.
    fn unclear(&self, error: Error, letter: &Letter<'_>) -> Error {
        let error = error.reworded(|text| self.kept_text(text));
        let is_told = error.next_step().is_some();
        let error = error.context(&format!(
            "{} was answered, and not understood",
            letter.shown
        ));
        match is_told {
            true => error,
            false => error.next(
                "correct the parcel of deliver (results, status, error, index, id); \
                 what was sent is repeated with the same key",
            ),
        }
    }
}
