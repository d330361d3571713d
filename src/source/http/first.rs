//! The first answer of an API, for `sluice init`.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::exchange::Exchange;
use super::paging::link_target;
use super::request::Asked;
use super::settings::Settings;
use super::sweep::Sweep;
use crate::error::Result;
use crate::source::SourceContext;

/// An answer, untouched.
pub(crate) struct FirstAnswer {
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl FirstAnswer {
    /// Asks for it, as the source that `settings` describe would.
    pub(crate) fn of(settings: &Value, context: &SourceContext) -> Result<Self> {
        let fingerprint = Settings::fingerprint(settings);
        let (settings, content) = Settings::parse(settings)?;
        let (sweep, _) = Sweep::after(None, &settings, fingerprint);
        let first = settings.paging.first();
        let asked = Asked {
            span: sweep.span(),
            row: None,
            began: sweep.began(),
        };
        let exchange = Arc::new(Exchange::new(settings, content, context)?);
        let reply = context.runtime.block_on(exchange.answer(&first, &asked))?;
        Ok(FirstAnswer {
            headers: reply.headers,
            body: reply.body,
        })
    }

    /// The header, if it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The names of all headers.
    pub(crate) fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.keys().map(|name| name.as_str())
    }

    /// Whether the header Link leads on.
    pub(crate) fn has_next_link(&self) -> bool {
        let links = self.headers.get_all("link").iter();
        let mut links = links.filter_map(|link| link.to_str().ok());
        links.any(|link| link_target(link, "next").is_some())
    }
}
