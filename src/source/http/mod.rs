//! Records from HTTP APIs, page by page.
//!
//! A **sweep** reads all pages from the first to the last. A run resumes the sweep that was interrupted,
//! or begins the next one, and ends with it. The cursor names the next page and how many of its records
//! were read, and is committed with those records. A high-water mark (`since`) is kept with it, but used
//! only once its sweep is complete: all requests of a sweep ask for the same, however often it is resumed.
//!
//! | room | what |
//! |---|---|
//! | [`crate::http`] | one request, its complete answer, and credentials |
//! | [`paging`] | the first request, and the one after a page |
//! | [`page`] | the records of an answer, and what it says about further pages |
//! | [`request`], [`exchange`], [`fetch`] | from a page position to the page, ahead of the reader |
//! | [`source`] | from pages to batches, and the proof that all were read |
//! | [`first`] | the first answer, for `sluice init` |
//! | [`sweep`], [`since`] | the cursor, and the marks that a sweep asks for |

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

pub(crate) use first::FirstResponse;
pub use source::HttpSource;

use serde_json::Value;

use self::exchange::Exchange;
use self::settings::HttpSettings;
use super::SourceContext;
use crate::error::Result;

/// The hosts that the source would connect to, and what would keep it from sending its first request.
pub(super) fn preflight(settings: &Value, context: &SourceContext) -> Vec<Result<String>> {
    let (settings, content) = match HttpSettings::parse(settings) {
        Ok(parsed) => parsed,
        Err(error) => return vec![Err(error)],
    };
    let others = settings.allow_hosts.as_slice();
    let auth = settings.auth.as_ref();
    let mut found = crate::http::preflight(&settings.url, others, auth, &context.host);
    found.extend(Exchange::new(settings, content, context).err().map(Err));
    found
}
