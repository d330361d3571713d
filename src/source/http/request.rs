//! A request for one page, before credentials.

use std::time::SystemTime;

use reqwest::{Method, Url};
use serde_json::{Map, Value};

use super::paging::At;
use super::settings::{self, BodyFormat, Settings};
use super::since::Span;
use super::value::{Found, SendIn};
use crate::error::{Error, Result};
use crate::source::json::Pointer;
use crate::source::secret::Redactor;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PageRequest {
    pub(crate) url: Url,
    pub(crate) method: Method,
    pub(crate) body: Option<String>,
    /// It asks for more than the first page.
    pub(crate) goes_on: bool,
    /// The place, where the URL does not show it.
    place: Option<String>,
}

impl PageRequest {
    /// For the page at `at`, in a sweep that began at `began`.
    pub(crate) fn new(
        settings: &Settings,
        at: &At,
        span: &Span,
        began: SystemTime,
    ) -> Result<Self> {
        let method = match settings.method {
            settings::Method::Get => Method::GET,
            settings::Method::Post => Method::POST,
        };
        let mut content = Content::new(settings);
        if let Some(since) = &settings.since {
            since.put(span, began, &mut |send_in, name, value| {
                content.put(send_in, name, value);
            });
        }
        let body_before = content.body();
        settings.paging.put(at, &mut |send_in, name, value| {
            content.put(send_in, name, value);
        });
        let body = content.body();
        let url = match at {
            At::Link(link) => Url::parse(link).map_err(|cause| {
                Error::failed(format!("the link `{link}` is no URL")).caused_by(cause)
            })?,
            _ => {
                let mut url = settings.url.clone();
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
            body,
        })
    }

    /// What records of this page have as their origin, and messages as the URL.
    pub(crate) fn shown(&self, redactor: &Redactor) -> String {
        let url = redactor.clean(self.url.as_str());
        match &self.place {
            Some(place) => format!("{url} ({place})"),
            None => url,
        }
    }
}

/// What a request carries, in the making.
struct Content {
    params: Vec<(String, String)>,
    body: Option<Body>,
}

enum Body {
    Form(Vec<(String, String)>),
    Json {
        value: Value,
        /// JSON that goes into it as it stands, so that its numbers stay what they are.
        verbatim: Vec<String>,
    },
}

impl Content {
    fn new(settings: &Settings) -> Self {
        let body = match (settings.body_format, &settings.body) {
            (BodyFormat::Form, Some(Value::Object(members))) => Some(Body::Form(pairs(members))),
            (BodyFormat::Form, _) => Some(Body::Form(Vec::new())),
            (BodyFormat::Json, body) => body.clone().map(|value| Body::Json {
                value,
                verbatim: Vec::new(),
            }),
        };
        Content {
            params: pairs(&settings.params),
            body,
        }
    }

    fn put(&mut self, send_in: SendIn, name: &str, value: Found) {
        let body = self.body.take();
        self.body = match (send_in, body) {
            (SendIn::Params, body) => {
                replace(&mut self.params, name, value);
                body
            }
            (SendIn::Body, Some(Body::Form(mut pairs))) => {
                replace(&mut pairs, name, value);
                Some(Body::Form(pairs))
            }
            (SendIn::Body, body) => {
                let (mut whole, mut verbatim) = match body {
                    Some(Body::Json { value, verbatim }) => (value, verbatim),
                    _ => (Value::Object(Map::new()), Vec::new()),
                };
                let member = match value {
                    Found::Text(text) => Value::from(text),
                    Found::Json(json) => {
                        verbatim.push(json);
                        Value::from(stand_in(verbatim.len() - 1))
                    }
                };
                put_at(&mut whole, name, member);
                Some(Body::Json {
                    value: whole,
                    verbatim,
                })
            }
        };
    }

    /// As it is sent.
    fn body(&self) -> Option<String> {
        match self.body.as_ref()? {
            Body::Form(pairs) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                Some(form.extend_pairs(pairs).finish())
            }
            Body::Json { value, verbatim } => {
                let places = (0..).map(|index| Value::from(stand_in(index)).to_string());
                let text = verbatim
                    .iter()
                    .zip(places)
                    .fold(value.to_string(), |text, (json, place)| {
                        text.replace(&place, json)
                    });
                Some(text)
            }
        }
    }
}

/// No JSON that comes from Postgres holds a NUL.
fn stand_in(index: usize) -> String {
    format!("\0{index}\0")
}

/// `name` is a member of the body, or a JSON pointer to one; objects on the way to it are made.
fn put_at(body: &mut Value, name: &str, value: Value) {
    let path = match Pointer::parse(name) {
        Some(pointer) => pointer.segments().to_vec(),
        None => vec![name.to_owned()],
    };
    let mut place = body;
    for segment in path {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        let Value::Object(map) = place else { return };
        place = map.entry(segment).or_insert(Value::Null);
    }
    *place = value;
}

fn replace(pairs: &mut Vec<(String, String)>, name: &str, value: Found) {
    pairs.retain(|(other, _)| other != name);
    pairs.push((name.to_owned(), value.text().to_owned()));
}

/// Members as parameters; an array is one that is repeated.
fn pairs(members: &Map<String, Value>) -> Vec<(String, String)> {
    fn add(pairs: &mut Vec<(String, String)>, name: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Array(items) => items.iter().for_each(|item| add(pairs, name, item)),
            Value::String(text) => pairs.push((name.to_owned(), text.clone())),
            other => pairs.push((name.to_owned(), other.to_string())),
        }
    }
    let mut pairs = Vec::new();
    for (name, value) in members {
        add(&mut pairs, name, value);
    }
    pairs
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::UNIX_EPOCH;

    fn request(more: Value, at: At) -> PageRequest {
        let mut settings = json!({"kind": "http", "url": "https://api.example/v1?fixed=1"});
        for (key, value) in more.as_object().unwrap() {
            settings[key] = value.clone();
        }
        let (settings, _) = Settings::parse(&settings).unwrap();
        let span = settings.since.as_ref().map(|since| since.span(None, None));
        PageRequest::new(&settings, &at, &span.unwrap_or_default(), UNIX_EPOCH).unwrap()
    }

    #[test]
    fn parameters_are_added_to_those_of_the_url() {
        let request = request(
            json!({
                "params": {"q": "a b&c", "tags": ["x", "y"], "n": 5, "none": null, "page": 7},
                "paging": {"model": "page_number", "param": "page"}, "since": {"param": "from", "start": "2026-01-01"},
            }),
            At::Page(2),
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
            At::Link(link.to_owned()),
        );
        assert_eq!(request.url.as_str(), link);
    }

    #[test]
    fn a_place_in_the_body_shows_in_the_origin() {
        let token = || At::Token("a&b".to_owned());
        let paging =
            json!({"model": "cursor", "param": "after", "next": "/next", "send_in": "body"});
        for (format, body) in [
            ("json", r#"{"size":2,"after":"a&b"}"#),
            ("form", "size=2&after=a%26b"),
        ] {
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

    #[test]
    fn values_go_into_the_body_where_they_are_wanted_and_numbers_stay_what_they_are() {
        let mut content = Content {
            params: Vec::new(),
            body: Some(Body::Json {
                value: json!({"query": {"size": 2}, "after": 1}),
                verbatim: Vec::new(),
            }),
        };
        for (name, value) in [
            ("/query/after", Found::Text("a\"b".to_owned())),
            (
                "/new/deep",
                Found::Json("[0.10, 123456789012345678901234567890]".to_owned()),
            ),
            ("after", Found::Json("7".to_owned())),
        ] {
            content.put(SendIn::Body, name, value);
        }
        assert_eq!(
            content.body().unwrap(),
            r#"{"query":{"size":2,"after":"a\"b"},"after":7,"new":{"deep":[0.10, 123456789012345678901234567890]}}"#
        );
    }
}
