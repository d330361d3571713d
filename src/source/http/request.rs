//! The request for a page, without credentials.

mod content;

use std::time::SystemTime;

use reqwest::{Method, Url};

use self::content::RequestContent;
use super::paging::PagePosition;
use super::placeholders::{RowValues, fill_url};
use super::settings::{self, HttpSettings};
use super::since::MarkSpan;
use crate::error::{Error, Result};
use crate::secret::Redactor;

/// What all requests of a round of pages have in common.
#[derive(Debug, Clone)]
pub(crate) struct RequestScope {
    pub(crate) span: MarkSpan,
    /// The row of `for_each`.
    pub(crate) row: Option<String>,
    /// When the sweep began.
    pub(crate) began: SystemTime,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PageRequest {
    pub(crate) url: Url,
    pub(crate) method: Method,
    pub(crate) body: Option<String>,
    /// It is not for the first page.
    pub(crate) goes_on: bool,
    /// The position, unless the URL shows it.
    place: Option<String>,
    row: Option<String>,
}

impl PageRequest {
    /// For the page at `at`.
    pub(crate) fn new(
        settings: &HttpSettings,
        at: &PagePosition,
        scope: &RequestScope,
    ) -> Result<Self> {
        let method = match settings.method {
            settings::Method::Get => Method::GET,
            settings::Method::Post => Method::POST,
        };
        let row = scope.row.as_deref().map(RowValues::of);
        let mut content = RequestContent::new(settings, row.as_ref())?;
        if let Some(since) = &settings.since {
            since.put(&scope.span, scope.began, &mut |send_in, name, value| {
                content.put(send_in, name, value);
            });
        }
        let body_before = content.body();
        settings.paging.put(at, &mut |send_in, name, value| {
            content.put(send_in, name, value);
        });
        let body = content.body();
        let url = match at {
            PagePosition::Link(link) => Url::parse(link).map_err(|cause| {
                Error::failed(format!("the link `{link}` is not a URL")).caused_by(cause)
            })?,
            _ => {
                let mut url = fill_url(&settings.url, row.as_ref())?;
                if !content.params.is_empty() {
                    url.query_pairs_mut().extend_pairs(&content.params);
                }
                url
            }
        };
        Ok(PageRequest {
            url,
            method,
            goes_on: *at != settings.paging.first(),
            place: (body != body_before).then(|| at.to_string()),
            row: scope.row.clone(),
            body,
        })
    }

    /// The origin of its records, which is also how messages name the request.
    pub(crate) fn shown(&self, redactor: &Redactor) -> String {
        let place = self.place.as_ref().map(|place| format!(" ({place})"));
        // The engine parses the row from this (sql/engine/batch/_origins.sql).
        let row = self.row.as_ref().map(|row| format!(" for {row}"));
        let url = redactor.clean(self.url.as_str());
        [Some(url), place, row].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::time::UNIX_EPOCH;

    fn request(more: Value, at: PagePosition) -> PageRequest {
        let mut settings = json!({"kind": "http", "url": "https://api.example/v1?fixed=1"});
        for (key, value) in more.as_object().unwrap() {
            settings[key] = value.clone();
        }
        let (settings, _) = HttpSettings::parse(&settings).unwrap();
        let span = settings.since.as_ref().map(|since| since.span(None, None));
        let scope = RequestScope { span: span.unwrap_or_default(), row: None, began: UNIX_EPOCH };
        PageRequest::new(&settings, &at, &scope).unwrap()
    }

    #[test]
    fn parameters_are_added_to_those_of_the_url() {
        let request = request(
            json!({
                "params": {"q": "a b&c", "tags": ["x", "y"], "n": 5, "none": null, "page": 7},
                "paging": {"model": "page_number", "param": "page"}, "since": {"param": "from", "start": "2026-01-01"},
            }),
            PagePosition::Page(2),
        );
        assert_eq!(
            request.url.as_str(),
            "https://api.example/v1?fixed=1&q=a+b%26c&tags=x&tags=y&n=5&from=2026-01-01&page=2"
        );
        assert_eq!(request.method, Method::GET);
        assert!(request.goes_on);
    }

    #[test]
    fn a_link_is_taken_as_it_is() {
        let link = "https://api.example/v1?page=2";
        let request = request(
            json!({"params": {"q": "a"}, "paging": {"model": "next_link", "next": "/next"}}),
            PagePosition::Link(link.to_owned()),
        );
        assert_eq!(request.url.as_str(), link);
    }

    #[test]
    fn a_place_in_the_body_shows_in_the_origin() {
        let token = || PagePosition::Token("a&b".to_owned());
        let paging =
            json!({"model": "cursor", "param": "after", "next": "/next", "send_in": "body"});
        for (format, body) in
            [("json", r#"{"size":2,"after":"a&b"}"#), ("form", "size=2&after=a%26b")]
        {
            let request = request(
                json!({"method": "POST", "body": {"size": 2}, "body_format": format, "paging": paging}),
                token(),
            );
            assert_eq!(request.body.as_deref(), Some(body));
            assert_eq!(
                request.shown(&Redactor::default()),
                "https://api.example/v1?fixed=1 (token `a&b`)"
            );
        }
    }
}
