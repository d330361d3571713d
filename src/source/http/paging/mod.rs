//! The paging models: the first request, and the one after a page. There is no I/O here.

mod counted;
mod link;
mod linked;
mod loop_guard;
mod position;

use reqwest::Url;
use reqwest::header::LINK;
use serde::Deserialize;

use super::value::{Extracted, Locator, SendIn};
use crate::error::{Error, Result};
use crate::source::json::Pointer;
pub(crate) use link::target as link_target;
pub(crate) use loop_guard::{LoopGuard, Repeat};
pub(crate) use position::PagePosition;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PagingModel {
    #[default]
    None,
    PageNumber,
    Offset,
    Cursor,
    NextLink,
    LinkHeader,
}

/// What ends the pages, besides what the source says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndsAt {
    #[default]
    EmptyPage,
    /// A page with fewer records than were asked for.
    ShortPage,
    /// An error status for a page that does not exist.
    NotFound,
    /// A page with the same records as the one before.
    RepeatedPage,
}

/// The settings. `define_pipeline` checks which belong to which model.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Paging {
    model: PagingModel,
    param: String,
    start: Option<u64>,
    size_param: Option<String>,
    size: Option<u64>,
    send_in: SendIn,
    /// The next token or link; or the token in the last record.
    next: Option<Locator>,
    last: Option<Pointer>,
    rel: String,
    pages: Option<Locator>,
    total: Option<Locator>,
    more: Option<Locator>,
    done: Option<Locator>,
    pub(crate) ends_at: EndsAt,
}

/// What an answer says about the pages.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Signals {
    pub(crate) next: Option<Extracted>,
    pub(crate) pages: Option<Extracted>,
    pub(crate) total: Option<Extracted>,
    pub(crate) more: Option<Extracted>,
    pub(crate) done: Option<Extracted>,
}

/// The last counts of pages and of records that an answer gave.
pub(crate) type LastCounts = [Option<Extracted>; 2];

impl Signals {
    /// Takes counts that this answer lacks from the one before.
    pub(crate) fn remember(&mut self, counts: &mut LastCounts) {
        for (count, last) in [&mut self.pages, &mut self.total].into_iter().zip(counts) {
            match count {
                Some(count) => *last = Some(count.clone()),
                None => count.clone_from(last),
            }
        }
    }

    /// In the order of [`Paging::locators`].
    pub(crate) fn of(found: [Option<Extracted>; 5]) -> Self {
        let [next, pages, total, more, done] = found;
        Signals { next, pages, total, more, done }
    }

    pub(crate) fn in_order(&mut self) -> [&mut Option<Extracted>; 5] {
        [&mut self.next, &mut self.pages, &mut self.total, &mut self.more, &mut self.done]
    }
}

/// What is known about a fetched page.
pub(crate) struct PageFacts<'a> {
    pub(crate) at: &'a PagePosition,
    /// Records in it.
    pub(crate) records: u64,
    /// Records in all pages of the sweep so far, this one included.
    pub(crate) seen: u64,
    /// Records in the largest page so far.
    pub(crate) largest: u64,
    /// Its URL after redirects, the base of links.
    pub(crate) url: &'a Url,
    pub(crate) signals: &'a Signals,
    pub(crate) last_record: Option<&'a [u8]>,
}

/// What follows a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct NextPage {
    pub(crate) next: Option<PagePosition>,
    /// The source says that this was the last page; the next one is requested all the same.
    pub(crate) is_doubtful: bool,
    /// How many records the source says there are.
    pub(crate) total: Option<u64>,
}

/// Where paging puts a value into the request.
pub(crate) type PutParam<'a> = &'a mut dyn FnMut(SendIn, &str, Extracted);

impl Paging {
    pub(crate) fn is_none(&self) -> bool {
        self.model == PagingModel::None
    }

    pub(crate) fn first(&self) -> PagePosition {
        match self.model {
            PagingModel::PageNumber => PagePosition::Page(self.start()),
            PagingModel::Offset => PagePosition::Offset(self.start()),
            _ => PagePosition::First,
        }
    }

    fn start(&self) -> u64 {
        self.start.unwrap_or(match self.model {
            PagingModel::PageNumber => 1,
            _ => 0,
        })
    }

    /// The page after the first `pages`, how many are skipped, and how many records those are assumed to
    /// have. Pages that only the page before names cannot be skipped.
    pub(crate) fn first_after_skipping(&self, pages: u64) -> (PagePosition, u64, u64) {
        let mut at = self.first();
        for passed in 0..pages {
            match self.ahead(&at) {
                Some(next) => at = next,
                None => return (at, passed, 0),
            }
        }
        (at, pages, pages * self.size.unwrap_or(0))
    }

    /// Whether `at` is a position of this model.
    pub(crate) fn knows(&self, at: &PagePosition) -> bool {
        match (self.model, at) {
            (PagingModel::PageNumber, PagePosition::Page(_))
            | (PagingModel::Offset, PagePosition::Offset(_)) => true,
            (PagingModel::PageNumber | PagingModel::Offset, _) => false,
            (PagingModel::Cursor, PagePosition::Token(_) | PagePosition::TokenJson(_)) => true,
            (PagingModel::NextLink | PagingModel::LinkHeader, PagePosition::Link(_)) => true,
            (_, at) => *at == PagePosition::First,
        }
    }

    /// The locators of [`Signals`], in their order.
    pub(crate) fn locators(&self) -> [Option<Locator>; 5] {
        let next = match self.model {
            PagingModel::LinkHeader => Some(Locator::Header(LINK)),
            _ => self.next.clone(),
        };
        let others = [&self.pages, &self.total, &self.more, &self.done].map(Clone::clone);
        let [pages, total, more, done] = others;
        [next, pages, total, more, done]
    }

    /// Sets the parameters for `at`. A link is a request of its own and needs none.
    pub(crate) fn put(&self, at: &PagePosition, put: PutParam<'_>) {
        let number = |n: u64| Extracted::Json(n.to_string());
        match at {
            PagePosition::Page(n) | PagePosition::Offset(n) => {
                put(self.send_in, &self.param, number(*n));
                if let (Some(name), Some(size)) = (&self.size_param, self.size) {
                    put(self.send_in, name, number(size));
                }
            }
            PagePosition::Token(text) => {
                put(self.send_in, &self.param, Extracted::Text(text.clone()))
            }
            PagePosition::TokenJson(json) => {
                put(self.send_in, &self.param, Extracted::Json(json.clone()))
            }
            PagePosition::First | PagePosition::Link(_) => {}
        }
    }

    /// The page after `at`, if it can be predicted.
    pub(crate) fn ahead(&self, at: &PagePosition) -> Option<PagePosition> {
        match at {
            PagePosition::Page(page) => Some(PagePosition::Page(page + 1)),
            PagePosition::Offset(offset) => Some(PagePosition::Offset(offset + self.size?)),
            _ => None,
        }
    }

    /// The page after the one that was fetched.
    pub(crate) fn after(&self, facts: &PageFacts<'_>) -> Result<NextPage> {
        let says_more = self.says_more(facts.signals)?;
        let after = match self.model {
            PagingModel::PageNumber | PagingModel::Offset => self.after_counted(facts, says_more),
            _ => NextPage { next: self.next_linked(facts, says_more)?, ..NextPage::default() },
        };
        Ok(NextPage {
            next: after.next.filter(|_| says_more != Some(false)),
            total: facts.signals.total.as_ref().and_then(Extracted::number),
            ..after
        })
    }

    /// What `more` and `done` say. Other values than booleans are true for `more`, which may be a link, and
    /// refused for `done`, as pages might be lost.
    fn says_more(&self, signals: &Signals) -> Result<Option<bool>> {
        if let Some(more) = &signals.more {
            return Ok(Some(more.answer() != Some(false)));
        }
        let Some(done) = &signals.done else {
            return Ok(None);
        };
        let is_done = done.answer().ok_or_else(|| {
            let place = self.done.as_ref().map(Locator::to_string);
            Error::failed(format!(
                "`{}`, which says whether the pages are done, is neither yes nor no: {:?}",
                place.unwrap_or_default(),
                done.text().chars().take(80).collect::<String>()
            ))
            .next("done => the place of true or false, yes or no, 1 or 0")
        })?;
        Ok(Some(!is_done))
    }

    /// Whether an answer says by itself, where the settings look for it, that there are no more pages.
    pub(crate) fn tells_end(&self, signals: &Signals) -> bool {
        let Signals { next, pages, total, more, done } = signals;
        let has_next = self.next.is_some() && next.is_some();
        has_next || [pages, total, more, done].into_iter().any(Option::is_some)
    }

    /// Whether the member that leads to the next page is absent, not just empty: `next` may be misspelt.
    pub(crate) fn lacks_next(&self, signals: &Signals) -> bool {
        let is_told = signals.more.is_some() || signals.done.is_some();
        self.next.is_some() && signals.next.is_none() && !is_told
    }
}

#[cfg(test)]
mod tests;
