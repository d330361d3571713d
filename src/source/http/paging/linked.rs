//! Pages by token and by link: the page after the current one.

use reqwest::Url;

use super::{PageFacts, PagePosition, Paging, PagingModel, link};
use crate::error::{Error, Result};
use crate::source::http::value::Extracted;
use crate::source::json::{self, Pointer};

impl Paging {
    /// The page that the token or link of a page leads to.
    pub(super) fn next_linked(
        &self,
        facts: &PageFacts<'_>,
        says_more: Option<bool>,
    ) -> Result<Option<PagePosition>> {
        let next = facts.signals.next.as_ref().filter(|next| !next.is_nothing());
        let next = match (self.model, next) {
            (PagingModel::Cursor, next) => match &self.last {
                Some(field) => token_in(facts.last_record, field).map(PagePosition::of_token),
                None => next.cloned().map(PagePosition::of_token),
            },
            (PagingModel::NextLink, Some(Extracted::Text(text))) => Some(resolve(facts.url, text)?),
            (PagingModel::NextLink, Some(Extracted::Json(json))) => {
                return Err(Error::failed(format!(
                    "{} of {} leads to {json}, which is not a URL",
                    self.next_place(),
                    facts.url
                ))
                .next("correct `next` in sluice.next_link_paging(…)"));
            }
            (PagingModel::LinkHeader, Some(header)) => match link::target(header.text(), &self.rel)
            {
                Some(text) => Some(resolve(facts.url, &text)?),
                None => None,
            },
            _ => None,
        };
        match &next {
            None if says_more == Some(true) => Err(self.contradiction()),
            // A page that leads to itself and is empty (or has only the record with the token) is the last.
            Some(next) if next == facts.at && facts.records <= u64::from(self.last.is_some()) => {
                Ok(None)
            }
            _ => Ok(next),
        }
    }

    /// Where the token or link is looked for, in messages.
    fn next_place(&self) -> String {
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
            self.next_place()
        ))
        .next("correct the paging of the source: `next`, `more`, `done`")
    }
}

fn token_in(record: Option<&[u8]>, field: &Pointer) -> Option<Extracted> {
    let record = record?;
    let span = json::find(record, &[field]).ok()?.pop()??;
    Some(Extracted::of_json(&record[span])).filter(|token| !token.is_nothing())
}

fn resolve(base: &Url, link: &str) -> Result<PagePosition> {
    base.join(link).map(|url| PagePosition::Link(url.into())).map_err(|cause| {
        Error::failed(format!("the next link `{link}` of {base} is not a URL"))
            .caused_by(cause)
            .next("correct the paging of the pipeline's source")
    })
}
