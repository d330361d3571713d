//! Pages by token and by link: where the current one leads.

use reqwest::Url;

use super::{At, Facts, Model, Paging, link};
use crate::error::{Error, Result};
use crate::source::http::value::Found;
use crate::source::json::{self, Pointer};

impl Paging {
    /// Where the token or link of a page leads.
    pub(super) fn led_to(&self, facts: &Facts<'_>, says_more: Option<bool>) -> Result<Option<At>> {
        let next = facts
            .signals
            .next
            .as_ref()
            .filter(|next| !next.is_nothing());
        let next = match (self.model, next) {
            (Model::Cursor, next) => match &self.last {
                Some(field) => token_in(facts.last_record, field).map(At::of_token),
                None => next.cloned().map(At::of_token),
            },
            (Model::NextLink, Some(Found::Text(text))) => Some(resolve(facts.url, text)?),
            (Model::NextLink, Some(Found::Json(json))) => {
                return Err(Error::failed(format!(
                    "{} of {} leads to {json}, which is not a URL",
                    self.lead(),
                    facts.url
                ))
                .next("correct `next` in sluice.next_link_paging(…)"));
            }
            (Model::LinkHeader, Some(header)) => match link::target(header.text(), &self.rel) {
                Some(text) => Some(resolve(facts.url, &text)?),
                None => None,
            },
            _ => None,
        };
        match &next {
            None if says_more == Some(true) => Err(self.contradiction()),
            // A page that leads to itself and holds nothing (or, if the token is its last record, nothing
            // else) leads nowhere.
            Some(next) if next == facts.at && facts.records <= u64::from(self.last.is_some()) => {
                Ok(None)
            }
            _ => Ok(next),
        }
    }

    /// Where the value that leads on is looked for, for messages.
    fn lead(&self) -> String {
        match (&self.next, &self.last) {
            (_, Some(field)) => format!("`{}` of the last record", field.text()),
            (Some(next), None) => next.to_string(),
            (None, None) => "header link".to_owned(),
        }
    }

    fn contradiction(&self) -> Error {
        let flag = self.more.as_ref().or(self.done.as_ref());
        Error::failed(format!(
            "{} says that there are more pages, but {} leads to none",
            flag.map(ToString::to_string).unwrap_or_default(),
            self.lead()
        ))
        .next("correct the paging of the source: `next`, `more`, `done`")
    }
}

fn token_in(record: Option<&[u8]>, field: &Pointer) -> Option<Found> {
    let record = record?;
    let span = json::find(record, &[field]).ok()?.pop()??;
    Some(Found::of_json(&record[span])).filter(|token| !token.is_nothing())
}

fn resolve(base: &Url, link: &str) -> Result<At> {
    base.join(link)
        .map(|url| At::Link(url.into()))
        .map_err(|cause| {
            Error::failed(format!("the next link `{link}` of {base} is not a URL"))
                .caused_by(cause)
                .next("correct the paging of the pipeline's source")
        })
}
