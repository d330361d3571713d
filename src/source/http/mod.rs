//! Records from HTTP APIs, page by page.
//!
//! A **sweep** reads all pages from the first to the last; a run goes on with the sweep that
//! was broken off, or begins the next one, and ends with it. The cursor names the page to go
//! on with and how many of its records are behind us, and is committed with the records it
//! stands for. A high-water mark (`since`) moves with the records too, but is used only once
//! the sweep that saw it is complete: a sweep asks for the same from its first page to its
//! last, however often it is broken off.
//!
//! | room | what |
//! |---|---|
//! | [`crate::http`] | one request and its whole answer, the credential that goes with it |
//! | [`paging`] | which request comes first, and which after a page |
//! | [`page`] | the records in an answer, and what it says of the next |
//! | [`request`], [`exchange`], [`fetch`] | from a place in the pages to the page, ahead of the reader |
//! | [`source`] | pages into batches, and what their end proves |
//! | [`first`] | the first answer, before anybody knows how to read it |
//! | [`sweep`], [`since`] | the cursor, and what a sweep asks for |

mod condition;
mod exchange;
mod fetch;
mod first;
mod page;
mod paging;
mod placeholders;
mod request;
mod settings;
mod since;
mod source;
mod sweep;
mod value;

pub(crate) use first::FirstAnswer;
pub use source::HttpSource;

use serde_json::Value;

use self::exchange::Exchange;
use self::settings::Settings;
use super::SourceContext;
use crate::error::Result;

/// The hosts that it would talk to, and whatever else keeps a first request from being made.
pub(super) fn preflight(settings: &Value, context: &SourceContext) -> Vec<Result<String>> {
    let (settings, content) = match Settings::parse(settings) {
        Ok(parsed) => parsed,
        Err(error) => return vec![Err(error)],
    };
    let others = settings.allow_hosts.as_slice();
    let auth = settings.auth.as_ref();
    let mut found = crate::http::preflight(&settings.url, others, auth, &context.host);
    found.extend(Exchange::new(settings, content, context).err().map(Err));
    found
}
