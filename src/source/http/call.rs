//! A request for one page, before credentials.

use reqwest::{Method, Url};
use serde_json::Value;

use super::paging::At;
use super::place::{Draft, Found};
use super::settings::{self, Settings};
use crate::error::{Error, Result};
use crate::source::secret::Redactor;

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Call {
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) body: Option<String>,
    /// It asks for more than the first page.
    pub(super) goes_on: bool,
    /// The place, where the URL does not show it.
    mark: Option<String>,
}

impl Call {
    pub(super) fn new(settings: &Settings, at: &At, since: Option<&Found>) -> Result<Self> {
        let method = match settings.method {
            settings::Method::Get => Method::GET,
            settings::Method::Post => Method::POST,
        };
        let params = settings
            .params
            .iter()
            .flat_map(|(name, value)| pairs(name, value));
        let mut draft = Draft::new(params.collect(), settings.body.clone());
        if let (Some(since), Some(value)) = (&settings.since, since) {
            draft.put(since.send_in, &since.param, value);
        }
        if let Some((since, param, to)) = settings.until() {
            draft.put(since.send_in, param, &since.found(to.to_owned()));
        }
        let body_before = draft.body_text();
        settings.paging.put(at, &mut draft);
        let is_in_body = draft.body_text() != body_before;
        let url = match at {
            At::Link(link) => Url::parse(link).map_err(|cause| {
                Error::failed(format!("the link `{link}` is no URL")).caused_by(cause)
            })?,
            _ => {
                let mut url = settings.url.clone();
                if !draft.params.is_empty() {
                    url.query_pairs_mut().extend_pairs(&draft.params);
                }
                url
            }
        };
        Ok(Call {
            url,
            method,
            body: draft.body_text(),
            goes_on: *at != settings.paging.first(),
            mark: is_in_body.then(|| at.to_string()),
        })
    }

    /// What records of this page have as their origin, and messages as the URL.
    pub(super) fn shown(&self, redactor: &Redactor) -> String {
        let url = redactor.clean(self.url.as_str());
        match &self.mark {
            Some(mark) => format!("{url} ({mark})"),
            None => url,
        }
    }
}

fn pairs(name: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) => items.iter().flat_map(|item| pairs(name, item)).collect(),
        Value::String(text) => vec![(name.to_owned(), text.clone())],
        other => vec![(name.to_owned(), other.to_string())],
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn settings(more: Value) -> Settings {
        let mut settings = json!({"kind": "http", "url": "https://api.example/v1?fixed=1"});
        for (key, value) in more.as_object().unwrap() {
            settings[key] = value.clone();
        }
        Settings::parse(&settings).unwrap()
    }

    #[test]
    fn parameters_are_added_to_those_of_the_url() {
        let settings = settings(json!({
            "params": {"q": "a b&c", "tags": ["x", "y"], "n": 5, "none": null},
            "paging": {"model": "page_number", "param": "page"}, "since": {"param": "from", "start": "2026-01-01"},
        }));
        let since = settings.since.as_ref().unwrap().value(None);
        let call = Call::new(&settings, &At::Page(2), since.as_ref()).unwrap();
        assert_eq!(
            call.url.as_str(),
            "https://api.example/v1?fixed=1&q=a+b%26c&tags=x&tags=y&n=5&from=2026-01-01&page=2"
        );
        assert_eq!(call.method, Method::GET);
        assert!(call.goes_on);
    }

    #[test]
    fn a_link_is_taken_as_it_is() {
        let settings = settings(
            json!({"params": {"q": "a"}, "paging": {"model": "next_link", "next": "/next"}}),
        );
        let call = Call::new(
            &settings,
            &At::Link("https://api.example/v1?page=2".to_owned()),
            None,
        )
        .unwrap();
        assert_eq!(call.url.as_str(), "https://api.example/v1?page=2");
    }

    #[test]
    fn a_place_in_the_body_shows_in_the_origin() {
        let settings = settings(
            json!({"method": "POST", "body": {"size": 2}, "paging": {"model": "cursor", "param": "after", "next": "/next", "send_in": "body"}}),
        );
        let call = Call::new(&settings, &At::Token("abc".to_owned()), None).unwrap();
        assert_eq!(call.body.as_deref(), Some(r#"{"size":2,"after":"abc"}"#));
        assert_eq!(
            call.shown(&Redactor::default()),
            "https://api.example/v1?fixed=1 (token `abc`)"
        );
    }
}
