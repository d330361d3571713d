//! Signs that a setting is missing: further pages, errors beside the data.

use std::sync::LazyLock;

use reqwest::header::LINK;

use super::{Page, PageParser};
use crate::source::http::paging::link_target;
use crate::source::http::settings::RecordsShape;
use crate::source::http::value::Extracted;
use crate::source::json::Pointer;

/// Members by which answers report errors.
pub(super) static ERRORS: LazyLock<Vec<Pointer>> = LazyLock::new(|| {
    pointers(&["/errors", "/error", "/fault", "/exception", "/message", "/detail"])
});

/// Members by which answers lead to further pages.
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
    ])
});

/// Members that count all records, or all pages (in which the name says so).
pub(super) static COUNTS: LazyLock<Vec<Pointer>> = LazyLock::new(|| {
    pointers(&[
        "/total",
        "/total_count",
        "/totalCount",
        "/totalElements",
        "/total_results",
        "/totalResults",
        "/count",
        "/meta/total",
        "/meta/total_count",
        "/meta/totalCount",
        "/meta/count",
        "/pagination/total",
        "/page/totalElements",
        "/total_pages",
        "/totalPages",
        "/meta/total_pages",
        "/meta/totalPages",
        "/pagination/total_pages",
        "/pagination/totalPages",
        "/page/totalPages",
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

    /// The first of `leads` and `counts` that shows further pages.
    pub(super) fn find_more<'a>(
        &self,
        leads: impl Iterator<Item = (&'a Pointer, Option<&'a [u8]>)>,
        counts: impl Iterator<Item = (&'a Pointer, Option<&'a [u8]>)>,
    ) -> Option<String> {
        let records = self.records();
        let leads = leads.filter(|(_, json)| {
            json.is_some_and(|json| Extracted::of_json(json).answer() != Some(false))
        });
        let counts = counts.filter(|(place, json)| {
            let read =
                if place.text().to_ascii_lowercase().ends_with("pages") { 1 } else { records };
            let count = json.and_then(|json| Extracted::of_json(json).number());
            records > 0 && count.is_some_and(|count| count > read)
        });
        leads.chain(counts).next().map(|(place, _)| format!("`{}`", place.text()))
    }
}

impl PageParser<'_> {
    /// Whether a count of records is one of those that this source would read.
    pub(super) fn has_counts(&self) -> bool {
        let is_filtered = self.reader.since.is_some() && !self.reader.paging.is_none();
        self.reader.content.shape != RecordsShape::Object && !is_filtered
    }

    /// Whether the headers show further pages.
    pub(super) fn has_next_link(&self) -> bool {
        let links = self.reply.headers.get_all(LINK).iter();
        let mut links = links.filter_map(|link| link.to_str().ok());
        links.any(|link| link_target(link, "next").is_some())
    }
}
