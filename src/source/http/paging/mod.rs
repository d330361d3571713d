//! The paging models: the first request, and the one that follows a page. No input or output here.

mod counted;
mod link;
mod linked;
mod loop_guard;
mod place;

use reqwest::Url;
use reqwest::header::LINK;
use serde::Deserialize;

use super::value::{Found, Locator, SendIn};
use crate::error::{Error, Result};
use crate::source::json::Pointer;
pub(crate) use link::target as link_target;
pub(crate) use loop_guard::{LoopGuard, Repeat};
pub(crate) use place::At;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Model {
    #[default]
    None,
    PageNumber,
    Offset,
    Cursor,
    NextLink,
    LinkHeader,
}

/// What ends the pages, besides what the source says about their end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndsAt {
    #[default]
    EmptyPage,
    /// A page with fewer records than were asked for.
    ShortPage,
    /// A page that the source does not have.
    NotFound,
    /// A page with the same records as the one before.
    RepeatedPage,
}

/// Which of the settings belong to which model is checked where a pipeline is defined.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Paging {
    model: Model,
    param: String,
    start: Option<u64>,
    size_param: Option<String>,
    size: Option<u64>,
    send_in: SendIn,
    /// Where the next token or link is found; or the token in the last record.
    next: Option<Locator>,
    last: Option<Pointer>,
    rel: String,
    pages: Option<Locator>,
    total: Option<Locator>,
    more: Option<Locator>,
    done: Option<Locator>,
    pub(crate) ends_at: EndsAt,
}

/// What an answer says of the pages.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Signals {
    pub(crate) next: Option<Found>,
    pub(crate) pages: Option<Found>,
    pub(crate) total: Option<Found>,
    pub(crate) more: Option<Found>,
    pub(crate) done: Option<Found>,
}

/// The last counts of pages and of records that an answer gave.
pub(crate) type Counts = [Option<Found>; 2];

impl Signals {
    /// A count that an answer does not give is that of the one before.
    pub(crate) fn remember(&mut self, counts: &mut Counts) {
        for (count, last) in [&mut self.pages, &mut self.total].into_iter().zip(counts) {
            match count {
                Some(count) => *last = Some(count.clone()),
                None => count.clone_from(last),
            }
        }
    }

    /// In the order of [`Paging::locators`].
    pub(crate) fn of(found: [Option<Found>; 5]) -> Self {
        let [next, pages, total, more, done] = found;
        Signals {
            next,
            pages,
            total,
            more,
            done,
        }
    }

    pub(crate) fn in_order(&mut self) -> [&mut Option<Found>; 5] {
        [
            &mut self.next,
            &mut self.pages,
            &mut self.total,
            &mut self.more,
            &mut self.done,
        ]
    }
}

/// What is known of a page that was fetched.
pub(crate) struct Facts<'a> {
    pub(crate) at: &'a At,
    /// Records in it.
    pub(crate) records: u64,
    /// Records in all pages of the sweep so far, this one included.
    pub(crate) seen: u64,
    /// Records in the largest page so far.
    pub(crate) largest: u64,
    /// Where it came from, after redirects: what links are relative to.
    pub(crate) url: &'a Url,
    pub(crate) signals: &'a Signals,
    pub(crate) last_record: Option<&'a [u8]>,
}

/// What follows a page.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct After {
    pub(crate) next: Option<At>,
    /// The source said that this was the end; the next page is asked for all the same.
    pub(crate) is_doubtful: bool,
    /// How many records the source says there are.
    pub(crate) total: Option<u64>,
}

/// Where paging puts a value into the request.
pub(crate) type Put<'a> = &'a mut dyn FnMut(SendIn, &str, Found);

impl Paging {
    pub(crate) fn is_none(&self) -> bool {
        self.model == Model::None
    }

    pub(crate) fn first(&self) -> At {
        match self.model {
            Model::PageNumber => At::Page(self.start()),
            Model::Offset => At::Offset(self.start()),
            _ => At::First,
        }
    }

    fn start(&self) -> u64 {
        self.start.unwrap_or(match self.model {
            Model::PageNumber => 1,
            _ => 0,
        })
    }

    /// The first page after this many others, how many those are, and how many records they are taken to
    /// hold: what counts to the end goes on as if they had been read. Pages that only the one before can
    /// name cannot be passed over.
    pub(crate) fn first_behind(&self, pages: u64) -> (At, u64, u64) {
        let mut at = self.first();
        for passed in 0..pages {
            match self.ahead(&at) {
                Some(next) => at = next,
                None => return (at, passed, 0),
            }
        }
        (at, pages, pages * self.size.unwrap_or(0))
    }

    /// Whether `at` is a place in this model.
    pub(crate) fn knows(&self, at: &At) -> bool {
        match (self.model, at) {
            (Model::PageNumber, At::Page(_)) | (Model::Offset, At::Offset(_)) => true,
            (Model::PageNumber | Model::Offset, _) => false,
            (Model::Cursor, At::Token(_) | At::TokenJson(_)) => true,
            (Model::NextLink | Model::LinkHeader, At::Link(_)) => true,
            (_, at) => *at == At::First,
        }
    }

    /// Where the values of [`Signals`] stand, in their order.
    pub(crate) fn locators(&self) -> [Option<Locator>; 5] {
        let next = match self.model {
            Model::LinkHeader => Some(Locator::Header(LINK)),
            _ => self.next.clone(),
        };
        let others = [&self.pages, &self.total, &self.more, &self.done].map(Clone::clone);
        let [pages, total, more, done] = others;
        [next, pages, total, more, done]
    }

    /// Writes the place into the request. For a link, that is the whole request.
    pub(crate) fn put(&self, at: &At, put: Put<'_>) {
        let number = |n: u64| Found::Json(n.to_string());
        match at {
            At::Page(n) | At::Offset(n) => {
                put(self.send_in, &self.param, number(*n));
                if let (Some(name), Some(size)) = (&self.size_param, self.size) {
                    put(self.send_in, name, number(size));
                }
            }
            At::Token(text) => put(self.send_in, &self.param, Found::Text(text.clone())),
            At::TokenJson(json) => put(self.send_in, &self.param, Found::Json(json.clone())),
            At::First | At::Link(_) => {}
        }
    }

    /// The page after `at`, if it is known before `at` has come.
    pub(crate) fn ahead(&self, at: &At) -> Option<At> {
        match at {
            At::Page(page) => Some(At::Page(page + 1)),
            At::Offset(offset) => Some(At::Offset(offset + self.size?)),
            _ => None,
        }
    }

    /// The page after `facts.at`, now that it has come; none: it was the last.
    pub(crate) fn after(&self, facts: &Facts<'_>) -> Result<After> {
        let says_more = self.says_more(facts.signals)?;
        let after = match self.model {
            Model::PageNumber | Model::Offset => self.after_counted(facts, says_more),
            _ => After {
                next: self.led_to(facts, says_more)?,
                ..After::default()
            },
        };
        Ok(After {
            next: after.next.filter(|_| says_more != Some(false)),
            total: facts.signals.total.as_ref().and_then(Found::number),
            ..after
        })
    }

    /// What `more` and `done` say. A word for `more` that is neither yes nor no is taken for yes, as it may be a
    /// link; for `done` it is refused, as what it ends might be lost.
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

    /// The value that leads on is in the body and was not there at all, not even empty: it looks like a
    /// typing error.
    pub(crate) fn lacks_lead(&self, signals: &Signals) -> bool {
        let is_told = signals.more.is_some() || signals.done.is_some();
        self.next.is_some() && signals.next.is_none() && !is_told
    }
}

#[cfg(test)]
mod tests;
