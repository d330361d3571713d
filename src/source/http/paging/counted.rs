//! Pages by number and by offset: where they end.

use super::{EndsAt, NextPage, PageFacts, PagePosition, Paging};
use crate::source::http::value::Extracted;

impl Paging {
    /// Counts may be cached or capped. So a full page that reaches the count does not end the pages: the
    /// next one is requested to make sure.
    pub(super) fn after_counted(&self, facts: &PageFacts<'_>, says_more: Option<bool>) -> NextPage {
        let size = self.size.unwrap_or(facts.largest);
        let is_full = facts.records > 0 && facts.records >= size;
        let is_short = self.ends_at == EndsAt::ShortPage && facts.records < size;
        let count = |found: &Option<Extracted>| found.as_ref().and_then(Extracted::number);
        // How much was read with this page, and how much there is, in pages or records.
        let told = match (count(&facts.signals.pages), count(&facts.signals.total)) {
            (Some(pages), _) => Some((self.pages_to(facts.at, size), pages)),
            (None, Some(total)) if facts.records > 0 => Some((facts.seen, total)),
            // An empty page: is there more after what it would have held?
            (None, Some(total)) if size > 0 => {
                Some((self.pages_to(facts.at, size).saturating_mul(size), total))
            }
            (None, Some(total)) => Some((total, total)),
            (None, None) => None,
        };
        let (goes_on, is_doubtful) = match told {
            _ if says_more == Some(true) => (true, false),
            Some((behind, all)) if behind < all => (true, false),
            Some((behind, all)) if behind > all || is_full => (facts.records > 0, true),
            Some(_) => (false, false),
            None => (facts.records > 0 && !is_short, false),
        };
        NextPage {
            next: goes_on.then(|| match facts.at {
                PagePosition::Offset(offset) if facts.records > 0 => {
                    PagePosition::Offset(offset + facts.records)
                }
                PagePosition::Offset(offset) => PagePosition::Offset(offset + size.max(1)),
                PagePosition::Page(page) => PagePosition::Page(page + 1),
                other => other.clone(),
            }),
            is_doubtful,
            total: None,
        }
    }

    /// The number of pages including this one.
    fn pages_to(&self, at: &PagePosition, size: u64) -> u64 {
        match at {
            PagePosition::Page(page) => (page + 1).saturating_sub(self.start()),
            PagePosition::Offset(offset) => (offset - self.start().min(*offset)) / size.max(1) + 1,
            _ => 1,
        }
    }
}
