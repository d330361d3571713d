//! Parameters and body of a request being built.

use serde_json::{Map, Value};

use crate::error::Result;
use crate::source::http::placeholders::{Filled, fill_value};
use crate::source::http::settings::{BodyFormat, Settings};
use crate::source::http::value::{Found, SendIn};
use crate::source::json::Pointer;

/// What a request carries.
pub(super) struct Content {
    pub(super) params: Vec<(String, String)>,
    body: Option<Body>,
}

enum Body {
    Form(Vec<(String, String)>),
    Json {
        value: Value,
        /// JSON that goes into it as it is, so that its numbers stay what they are.
        verbatim: Vec<String>,
    },
}

impl Content {
    pub(super) fn new(settings: &Settings, row: Option<&Filled>) -> Result<Self> {
        let body = settings.body.clone();
        let body = body.map(|body| fill_value(body, row)).transpose()?;
        let body = match (settings.body_format, &body) {
            (BodyFormat::Form, Some(Value::Object(members))) => Some(Body::Form(pairs(members))),
            (BodyFormat::Form, _) => Some(Body::Form(Vec::new())),
            (BodyFormat::Json, body) => body.clone().map(|value| Body::Json {
                value,
                verbatim: Vec::new(),
            }),
        };
        let params = match fill_value(Value::Object(settings.params.clone()), row)? {
            Value::Object(params) => pairs(&params),
            _ => Vec::new(),
        };
        Ok(Content { params, body })
    }

    pub(super) fn put(&mut self, send_in: SendIn, name: &str, value: Found) {
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
    pub(super) fn body(&self) -> Option<String> {
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
