//! The first answer of an API, as `sluice init` looks at it.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::exchange::Exchange;
use super::paging::link_target;
use super::request::RequestScope;
use super::settings::HttpSettings;
use super::sweep::HttpSweep;
use crate::error::Result;
use crate::source::SourceContext;

/// An unparsed answer.
pub(crate) struct FirstResponse {
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl FirstResponse {
    /// Sends the first request of the source that `settings` describe.
    pub(crate) fn of(settings: &Value, context: &SourceContext) -> Result<Self> {
        let fingerprint = HttpSettings::fingerprint(settings);
        let (settings, content) = HttpSettings::parse(settings)?;
        let (sweep, _) = HttpSweep::after(None, &settings, fingerprint);
        let first = settings.paging.first();
        let scope = RequestScope { span: sweep.span(), row: None, began: sweep.began() };
        let exchange = Arc::new(Exchange::new(settings, content, context)?);
        let reply = context.runtime.block_on(exchange.answer(&first, &scope))?;
        Ok(FirstResponse { headers: reply.headers, body: reply.body })
    }

    /// The value of a header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The names of all headers.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.keys().map(|name| name.as_str())
    }

    /// Whether the Link header has a relation `next`.
    pub(crate) fn has_next_link(&self) -> bool {
        let links = self.headers.get_all("link").iter();
        let mut links = links.filter_map(|link| link.to_str().ok());
        links.any(|link| link_target(link, "next").is_some())
    }
}
