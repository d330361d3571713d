//! The paging models: which request comes first, and which after a page. Pure: nothing
//! here knows of a network.

use std::hash::{DefaultHasher, Hash, Hasher};

use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::link;
use super::place::{Draft, Found, Place, SendIn};
use crate::error::{Error, Result};

/// Which request fetches a page: the part of the cursor that the paging model decides.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum At {
    /// The request as the settings have it.
    First,
    Page(u64),
    Offset(u64),
    Token(String),
    /// A token that is no string: its JSON.
    TokenJson(String),
    Link(String),
}

impl At {
    /// For the loop guard, which has to remember every page of a sweep.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            At::First => f.write_str("the first page"),
            At::Page(number) => write!(f, "page {number}"),
            At::Offset(offset) => write!(f, "offset {offset}"),
            At::Token(text) => write!(f, "token `{text}`"),
            At::TokenJson(json) => write!(f, "token {json}"),
            At::Link(url) => write!(f, "link {url}"),
        }
    }
}

/// What ends the pages when the source does not count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum EndsAt {
    #[default]
    EmptyPage,
    /// A page with fewer records than were asked for.
    ShortPage,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PageNumber {
    param: String,
    #[serde(default = "one")]
    start: u64,
    #[serde(default)]
    size_param: Option<String>,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    pages: Option<Place>,
    #[serde(default)]
    total: Option<Place>,
    #[serde(default)]
    ends_at: EndsAt,
    #[serde(default)]
    send_in: SendIn,
}

fn one() -> u64 {
    1
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Offset {
    param: String,
    size_param: String,
    size: u64,
    #[serde(default)]
    start: u64,
    #[serde(default)]
    total: Option<Place>,
    #[serde(default)]
    ends_at: EndsAt,
    #[serde(default)]
    send_in: SendIn,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cursor {
    param: String,
    next: Place,
    #[serde(default)]
    more: Option<Place>,
    #[serde(default)]
    send_in: SendIn,
}

#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(tag = "model", rename_all = "snake_case")]
pub(super) enum Paging {
    #[default]
    None,
    PageNumber(PageNumber),
    Offset(Offset),
    Cursor(Cursor),
    NextLink {
        next: Place,
    },
    LinkHeader {
        rel: String,
    },
}

/// What is known of a page that was fetched.
pub(super) struct Facts<'a> {
    /// Records in it.
    pub(super) records: u64,
    /// Records in all pages of the sweep so far, this one included.
    pub(super) seen: u64,
    /// From where it came, after redirects: what links are relative to.
    pub(super) url: &'a Url,
    /// The values at the model's places, in their order.
    pub(super) values: &'a [Option<Found>],
}

/// What follows a page.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct After {
    pub(super) next: Option<At>,
    /// How many records the source says there are.
    pub(super) total: Option<u64>,
}

const LINK: reqwest::header::HeaderName = reqwest::header::LINK;

impl Paging {
    pub(super) fn first(&self) -> At {
        match self {
            Paging::PageNumber(model) => At::Page(model.start),
            Paging::Offset(model) => At::Offset(model.start),
            _ => At::First,
        }
    }

    /// The first page behind so many others, how many those are, and how many records they are
    /// taken to hold: what counts to the end goes on as if they had been read. Pages that only
    /// the one before can name cannot be passed over.
    pub(super) fn first_behind(&self, pages: u64) -> (At, u64, u64) {
        let mut at = self.first();
        for passed in 0..pages {
            match self.ahead(&at) {
                Some(next) => at = next,
                None => return (at, passed, 0),
            }
        }
        let size = match self {
            Paging::PageNumber(model) => model.size.unwrap_or(0),
            Paging::Offset(model) => model.size,
            _ => 0,
        };
        (at, pages, pages * size)
    }

    /// Whether `at` is a place of this model.
    pub(super) fn knows(&self, at: &At) -> bool {
        match (self, at) {
            (Paging::PageNumber(_), At::Page(_)) | (Paging::Offset(_), At::Offset(_)) => true,
            (Paging::PageNumber(_) | Paging::Offset(_), _) => false,
            (Paging::Cursor(_), At::Token(_) | At::TokenJson(_)) => true,
            (Paging::NextLink { .. } | Paging::LinkHeader { .. }, At::Link(_)) => true,
            (_, at) => *at == At::First,
        }
    }

    /// Where the values stand in a response that this model needs.
    pub(super) fn places(&self) -> Vec<Place> {
        match self {
            Paging::None => Vec::new(),
            Paging::PageNumber(model) => model.pages.iter().chain(&model.total).cloned().collect(),
            Paging::Offset(model) => model.total.iter().cloned().collect(),
            Paging::Cursor(model) => std::iter::once(&model.next)
                .chain(&model.more)
                .cloned()
                .collect(),
            Paging::NextLink { next } => vec![next.clone()],
            Paging::LinkHeader { .. } => vec![Place::Header(LINK)],
        }
    }

    /// Writes the place into the request. For a link, that is the whole request.
    pub(super) fn put(&self, at: &At, draft: &mut Draft) {
        let number = |n: u64| Found::Json(n.to_string());
        match (self, at) {
            (Paging::PageNumber(model), At::Page(page)) => {
                draft.put(model.send_in, &model.param, &number(*page));
                if let (Some(name), Some(size)) = (&model.size_param, model.size) {
                    draft.put(model.send_in, name, &number(size));
                }
            }
            (Paging::Offset(model), At::Offset(offset)) => {
                draft.put(model.send_in, &model.param, &number(*offset));
                draft.put(model.send_in, &model.size_param, &number(model.size));
            }
            (Paging::Cursor(model), At::Token(text)) => {
                draft.put(model.send_in, &model.param, &Found::Text(text.clone()));
            }
            (Paging::Cursor(model), At::TokenJson(json)) => {
                draft.put(model.send_in, &model.param, &Found::Json(json.clone()));
            }
            _ => {}
        }
    }

    /// The page after `at`, if it can be told before `at` has come.
    pub(super) fn ahead(&self, at: &At) -> Option<At> {
        match (self, at) {
            (Paging::PageNumber(_), At::Page(page)) => Some(At::Page(page + 1)),
            (Paging::Offset(model), At::Offset(offset)) => Some(At::Offset(offset + model.size)),
            _ => None,
        }
    }

    /// The page after `at`, now that it has come; none: it was the last.
    pub(super) fn after(&self, at: &At, facts: &Facts<'_>) -> Result<After> {
        let mut values = facts.values.iter();
        let mut value = |is_wanted: bool| match is_wanted {
            true => values.next().and_then(Option::as_ref),
            false => None,
        };
        let is_short = |ends_at, size| ends_at == EndsAt::ShortPage && facts.records < size;
        let mut total = None;
        let next = match (self, at) {
            (Paging::PageNumber(model), At::Page(page)) => {
                let pages = value(model.pages.is_some()).and_then(Found::number);
                total = value(model.total.is_some()).and_then(Found::number);
                let is_last = match (pages, total) {
                    (Some(pages), _) => page + 1 - model.start >= pages,
                    (None, Some(total)) => facts.records == 0 || facts.seen >= total,
                    (None, None) => {
                        facts.records == 0 || is_short(model.ends_at, model.size.unwrap_or(0))
                    }
                };
                (!is_last).then_some(At::Page(page + 1))
            }
            (Paging::Offset(model), At::Offset(offset)) => {
                total = value(model.total.is_some()).and_then(Found::number);
                let behind = offset + facts.records;
                let is_last = facts.records == 0
                    || match total {
                        Some(total) => behind - model.start >= total,
                        None => is_short(model.ends_at, model.size),
                    };
                (!is_last).then_some(At::Offset(behind))
            }
            (Paging::Cursor(model), _) => {
                let token = value(true).filter(|token| !token.is_nothing());
                let more = value(model.more.is_some())
                    .map(|more| !more.is_nothing() && !matches!(more.text(), "false" | "0"));
                match (token, more) {
                    (_, Some(false)) => None,
                    (None, Some(true)) => return Err(contradiction(model)),
                    (None, None) => None,
                    (Some(Found::Text(text)), _) => Some(At::Token(text.clone())),
                    (Some(Found::Json(json)), _) => Some(At::TokenJson(json.clone())),
                }
            }
            (Paging::NextLink { next }, _) => match value(true).filter(|link| !link.is_nothing()) {
                None => None,
                Some(Found::Text(text)) => Some(resolve(facts.url, text)?),
                Some(Found::Json(json)) => {
                    return Err(Error::failed(format!(
                        "{next} of {} leads to {json}, which is no URL",
                        facts.url
                    ))
                    .next("correct `next` in sluice.next_link_paging(…)"));
                }
            },
            (Paging::LinkHeader { rel }, _) => {
                match value(true).and_then(|header| link::target(header.text(), rel)) {
                    None => None,
                    Some(text) => Some(resolve(facts.url, &text)?),
                }
            }
            _ => None,
        };
        Ok(After { next, total })
    }

    /// The place that leads on, if it is one that a typing error would make look like the
    /// end of the pages.
    pub(super) fn leads_on(&self) -> Option<&Place> {
        match self {
            Paging::Cursor(model) => Some(&model.next),
            Paging::NextLink { next } => Some(next),
            _ => None,
        }
    }
}

fn contradiction(model: &Cursor) -> Error {
    let more = model
        .more
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    Error::failed(format!(
        "{more} says that there are more pages, but {} holds no token",
        model.next
    ))
    .next("correct `next` or `more` in sluice.cursor_paging(…)")
}

fn resolve(base: &Url, link: &str) -> Result<At> {
    base.join(link)
        .map(|url| At::Link(url.into()))
        .map_err(|cause| {
            Error::failed(format!("the next link `{link}` of {base} is no URL"))
                .caused_by(cause)
                .next("correct the paging of the pipeline's source")
        })
}

#[cfg(test)]
mod tests;
