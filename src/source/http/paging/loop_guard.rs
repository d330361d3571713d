//! Detects pages that repeat in a loop, in bounded memory.

use std::collections::HashSet;
use std::hash::Hash;

use super::position::PagePosition;
use crate::error::{Error, Result};

/// The log notes every so many pages without records in a row.
const TELL_EMPTY_PAGES: u64 = 100;

/// Pages without records in a row that are taken for a loop.
const EMPTY_PAGES: u64 = 1000;

/// Values that are remembered exactly; a longer loop is detected in its second round.
const REMEMBERED: usize = 1 << 16;

/// The pages of a sweep so far.
#[derive(Debug)]
pub(crate) struct LoopGuard {
    places: Repeats<u64>,
    contents: Repeats<[u8; 12]>,
    empty: u64,
    /// The source may give equal pages.
    allows_equal: bool,
}

/// Whether the records of a page were those of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    No,
    /// Those of the page before.
    OfLast,
    OfEarlier,
}

impl LoopGuard {
    /// `before` is the digest of the last page of an earlier run.
    pub(crate) fn new(allows_equal: bool, before: Option<[u8; 12]>) -> Self {
        let mut contents = Repeats::default();
        if let Some(before) = before {
            contents.note(before);
        }
        LoopGuard { places: Repeats::default(), contents, empty: 0, allows_equal }
    }

    /// Refuses to request a page twice.
    pub(crate) fn enter(&mut self, at: &PagePosition) -> Result<()> {
        match self.places.note(at.fingerprint()) {
            Repeat::No => Ok(()),
            _ => Err(looping(format!("{at} came a second time"))),
        }
    }

    /// Compares the digest of a page with records; counts pages without.
    pub(crate) fn look_at(
        &mut self,
        records: u64,
        digest: [u8; 12],
        at: &PagePosition,
        origin: &str,
    ) -> Result<Repeat> {
        if records > 0 {
            self.empty = 0;
            return Ok(self.contents.note(digest));
        }
        self.empty += 1;
        let what = format!("{} pages in a row hold no record, up to {at}: {origin}", self.empty);
        if self.empty >= EMPTY_PAGES && !self.allows_equal {
            return Err(looping(what)
                .detail("if the source does give so many empty pages: allow_equal_pages => true"));
        }
        if self.empty.is_multiple_of(TELL_EMPTY_PAGES) {
            tracing::warn!("{what}");
        }
        Ok(Repeat::No)
    }

    /// Refuses a repeat, unless it is allowed.
    pub(crate) fn refuse(&self, repeat: Repeat, at: &PagePosition, origin: &str) -> Result<()> {
        if repeat == Repeat::No || self.allows_equal {
            return Ok(());
        }
        Err(looping(format!("{at} holds the same records as an earlier page: {origin}"))
            .detail("if the source does give equal pages: allow_equal_pages => true"))
    }
}

/// The last [`REMEMBERED`] values, and an anchor that outlives them (Brent's cycle detection): it is replaced
/// by the newest value whenever the steps since have doubled.
#[derive(Debug)]
struct Repeats<T> {
    recent: HashSet<T>,
    last: Option<T>,
    anchor: Option<T>,
    steps: u64,
    power: u64,
}

impl<T> Default for Repeats<T> {
    fn default() -> Self {
        Repeats { recent: HashSet::new(), last: None, anchor: None, steps: 0, power: 1 }
    }
}

impl<T: Copy + Eq + Hash> Repeats<T> {
    fn note(&mut self, value: T) -> Repeat {
        let repeat = match () {
            () if self.last == Some(value) => Repeat::OfLast,
            () if self.anchor == Some(value) || self.recent.contains(&value) => Repeat::OfEarlier,
            () => Repeat::No,
        };
        if self.recent.len() >= REMEMBERED {
            self.recent.clear();
        }
        self.recent.insert(value);
        self.last = Some(value);
        self.steps += 1;
        if self.steps == self.power {
            (self.anchor, self.steps, self.power) = (Some(value), 0, self.power * 2);
        }
        repeat
    }
}

fn looping(what: String) -> Error {
    Error::failed(format!("the pages go round in a circle: {what}")).next(
        "check the paging of the source: does the server know the parameter, does `next` lead on?",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_longer_than_the_memory_is_noticed_in_its_second_round() {
        let size = REMEMBERED as u64 * 3 / 2;
        let mut repeats = Repeats::default();
        let rounds = (0..4).flat_map(|_| 0..size);
        let found = rounds.take_while(|n| repeats.note(*n) == Repeat::No).count() as u64;
        assert!(found < 4 * size, "{found}");
        assert!(repeats.recent.len() <= REMEMBERED);
        let mut repeats = Repeats::default();
        assert!((0..4 * size).all(|n| repeats.note(n) == Repeat::No));
    }

    #[test]
    fn the_page_before_is_told_from_earlier_ones() {
        let mut repeats = Repeats::default();
        let noted = [1, 2, 2, 1].map(|n| repeats.note(n));
        use Repeat::{No, OfEarlier, OfLast};
        assert_eq!(noted, [No, No, OfLast, OfEarlier]);
    }

    #[test]
    fn pages_without_records_are_a_loop_if_they_are_many_in_a_row_and_not_allowed() {
        let look = |guard: &mut LoopGuard, records| {
            let looked =
                guard.look_at(records, [0; 12], &PagePosition::Page(7), "http://x/?page=7");
            looked.map_err(|error| error.to_string())
        };
        let mut guard = LoopGuard::new(false, None);
        for records in [0, 0, 1, 0].repeat(1000) {
            assert!(look(&mut guard, records).is_ok());
        }
        let refused = (0..).find_map(|n| Some((n, look(&mut guard, 0).err()?)));
        let (before, text) = refused.expect("they have no end");
        assert_eq!(before, 998);
        assert!(
            text.starts_with(
                "the pages go round in a circle: 1000 pages in a row hold no record, up to page 7: http://x/?page=7"
            ) && text.contains("allow_equal_pages => true"),
            "{text}"
        );
        let mut guard = LoopGuard::new(true, None);
        assert!((0..5000).all(|_| look(&mut guard, 0).is_ok()));
    }
}
