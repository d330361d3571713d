//! Pages by number and by offset: when they end.

use super::{After, At, EndsAt, Facts, Paging};
use crate::source::http::value::Found;

impl Paging {
    /// The counts of a source are not trusted blindly: some are cached, some are capped. If a full page
    /// reaches or exceeds the count, that does not end the pages; the next page is asked for to see.
    pub(super) fn after_counted(&self, facts: &Facts<'_>, says_more: Option<bool>) -> After {
        let size = self.size.unwrap_or(facts.largest);
        let is_full = facts.records > 0 && facts.records >= size;
        let is_short = self.ends_at == EndsAt::ShortPage && facts.records < size;
        let count = |found: &Option<Found>| found.as_ref().and_then(Found::number);
        // How much is done with this page, and how much there is, in pages or records.
        let told = match (count(&facts.signals.pages), count(&facts.signals.total)) {
            (Some(pages), _) => Some((self.pages_to(facts.at, size), pages)),
            (None, Some(total)) if facts.records > 0 => Some((facts.seen, total)),
            // Nothing came: is there more after what this page would hold?
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
        After {
            next: goes_on.then(|| match facts.at {
                At::Offset(offset) if facts.records > 0 => At::Offset(offset + facts.records),
                At::Offset(offset) => At::Offset(offset + size.max(1)),
                At::Page(page) => At::Page(page + 1),
                other => other.clone(),
            }),
            is_doubtful,
            total: None,
        }
    }

    /// The number of pages including this one.
    fn pages_to(&self, at: &At, size: u64) -> u64 {
        match at {
            At::Page(page) => (page + 1).saturating_sub(self.start()),
            At::Offset(offset) => (offset - self.start().min(*offset)) / size.max(1) + 1,
            _ => 1,
        }
    }
}
