//! Signs that a setting is missing: further pages, errors beside the data.

use std::sync::LazyLock;

use reqwest::header::LINK;

use super::{Page, PageParser};
use crate::source::http::paging::link_target;
use crate::source::http::value::Extracted;
use crate::source::json::Pointer;

/// Members by which answers report errors.
pub(super) static ERRORS: LazyLock<Vec<Pointer>> = LazyLock::new(|| {
    pointers(&["/errors", "/error", "/fault", "/exception", "/message", "/detail"])
});

/// Members by which answers lead to further pages, or count all records.
pub(super) static MORE_PAGES: LazyLock<Vec<Pointer>> = LazyLock::new(|| {
    pointers(&[
        "/next",
        "/next_page",
        "/nextPage",
        "/next_cursor",
        "/nextCursor",
        "/next_page_token",
        "/nextPageToken",
        "/nextLink",
        "/@odata.nextLink",
        "/has_more",
        "/hasMore",
        "/links/next",
        "/_links/next",
        "/meta/next",
        "/meta/next_cursor",
        "/paging/next",
        "/pagination/next",
        "/response_metadata/next_cursor",
        "/total",
        "/total_count",
        "/totalCount",
        "/meta/total",
    ])
});

/// Characters of an error that a note shows.
const SHOWN: usize = 200;

fn pointers(texts: &[&str]) -> Vec<Pointer> {
    let pointers = texts.iter().filter_map(|text| Pointer::parse(text));
    pointers.collect()
}

/// Whether the value of a member in [`ERRORS`] means an error.
pub(super) fn is_error(value: Option<&[u8]>) -> bool {
    value.is_some_and(|json| {
        let says_nothing = [&b"null"[..], b"false", b"\"\"", b"[]", b"{}"];
        !says_nothing.contains(&json) && json != b"0"
    })
}

impl Page {
    /// GraphQL, for example, returns errors beside partial data.
    pub(super) fn note_errors(&mut self, pointer: &Pointer, value: &[u8]) {
        let text: String = String::from_utf8_lossy(value).chars().take(SHOWN).collect();
        self.notes.push(format!(
            "there are errors beside the data, at `{0}` of {1}: {text} (fail_when => '[\"{0}\"]' makes them fail the run)",
            pointer.text(),
            self.origin
        ));
    }

    /// Notes the first of `hints` that shows further pages, for a source without paging.
    pub(super) fn note_more_pages<'a>(
        &mut self,
        mut hints: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
    ) {
        let records = self.records();
        let says_more = |place: &str, json: &[u8]| {
            let value = Extracted::of_json(json);
            match place.contains("total") {
                true => value.number().is_some_and(|total| total > records && records > 0),
                false => value.answer() != Some(false),
            }
        };
        let hint = hints.find(|(place, value)| value.is_some_and(|json| says_more(place, json)));
        if let Some((place, _)) = hint {
            self.note_hint(&format!("`{place}`"));
        }
    }

    fn note_hint(&mut self, place: &str) {
        self.notes.push(format!(
            "{place} of {} shows that there are more pages, and no `paging` is set: only this one was read",
            self.origin
        ));
    }
}

impl PageParser<'_> {
    /// Notes further pages that the headers show.
    pub(super) fn note_hints(&self, page: &mut Page) {
        if !self.reader.paging.is_none() || !page.notes.is_empty() {
            return;
        }
        let links = self.reply.headers.get_all(LINK).iter();
        let mut links = links.filter_map(|link| link.to_str().ok());
        if links.any(|link| link_target(link, "next").is_some()) {
            page.note_hint("the header Link");
        }
    }
}
