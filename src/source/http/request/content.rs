//! Parameters and body of a request.

use serde_json::{Map, Value};

use crate::error::Result;
use crate::source::http::placeholders::{RowValues, fill_value};
use crate::source::http::settings::{BodyFormat, HttpSettings};
use crate::source::http::value::{Extracted, SendIn};
use crate::source::json::Pointer;

/// The parameters and the body of a request.
pub(super) struct RequestContent {
    pub(super) params: Vec<(String, String)>,
    body: Option<RequestBody>,
}

enum RequestBody {
    Form(Vec<(String, String)>),
    Json {
        value: Value,
        /// JSON that is inserted as text, so that its numbers keep their digits.
        verbatim: Vec<String>,
    },
}

impl RequestContent {
    pub(super) fn new(settings: &HttpSettings, row: Option<&RowValues>) -> Result<Self> {
        let body = settings.body.clone();
        let body = body.map(|body| fill_value(body, row)).transpose()?;
        let body = match (settings.body_format, &body) {
            (BodyFormat::Form, Some(Value::Object(members))) => {
                Some(RequestBody::Form(pairs(members)))
            }
            (BodyFormat::Form, _) => Some(RequestBody::Form(Vec::new())),
            (BodyFormat::Json, body) => {
                body.clone().map(|value| RequestBody::Json { value, verbatim: Vec::new() })
            }
        };
        let params = match fill_value(Value::Object(settings.params.clone()), row)? {
            Value::Object(params) => pairs(&params),
            _ => Vec::new(),
        };
        Ok(RequestContent { params, body })
    }

    pub(super) fn put(&mut self, send_in: SendIn, name: &str, value: Extracted) {
        let body = self.body.take();
        self.body = match (send_in, body) {
            (SendIn::Params, body) => {
                replace(&mut self.params, name, value);
                body
            }
            (SendIn::Body, Some(RequestBody::Form(mut pairs))) => {
                replace(&mut pairs, name, value);
                Some(RequestBody::Form(pairs))
            }
            (SendIn::Body, body) => {
                let (mut whole, mut verbatim) = match body {
                    Some(RequestBody::Json { value, verbatim }) => (value, verbatim),
                    _ => (Value::Object(Map::new()), Vec::new()),
                };
                let member = match value {
                    Extracted::Text(text) => Value::from(text),
                    Extracted::Json(json) => {
                        verbatim.push(json);
                        Value::from(stand_in(verbatim.len() - 1))
                    }
                };
                put_at(&mut whole, name, member);
                Some(RequestBody::Json { value: whole, verbatim })
            }
        };
    }

    /// The encoded body.
    pub(super) fn body(&self) -> Option<String> {
        match self.body.as_ref()? {
            RequestBody::Form(pairs) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                Some(form.extend_pairs(pairs).finish())
            }
            RequestBody::Json { value, verbatim } => {
                let places = (0..).map(|index| Value::from(stand_in(index)).to_string());
                let text = verbatim
                    .iter()
                    .zip(places)
                    .fold(value.to_string(), |text, (json, place)| text.replace(&place, json));
                Some(text)
            }
        }
    }
}

/// A placeholder for verbatim JSON: no JSON from Postgres contains NUL.
fn stand_in(index: usize) -> String {
    format!("\0{index}\0")
}

/// Sets a member by name or JSON pointer, creating the objects on its path.
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

fn replace(pairs: &mut Vec<(String, String)>, name: &str, value: Extracted) {
    pairs.retain(|(other, _)| other != name);
    pairs.push((name.to_owned(), value.text().to_owned()));
}

/// Members as parameters; an array becomes a repeated one.
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
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_go_into_the_body_where_they_are_wanted_and_numbers_stay_what_they_are() {
        let mut content = RequestContent {
            params: Vec::new(),
            body: Some(RequestBody::Json {
                value: json!({"query": {"size": 2}, "after": 1}),
                verbatim: Vec::new(),
            }),
        };
        for (name, value) in [
            ("/query/after", Extracted::Text("a\"b".to_owned())),
            ("/new/deep", Extracted::Json("[0.10, 123456789012345678901234567890]".to_owned())),
            ("after", Extracted::Json("7".to_owned())),
        ] {
            content.put(SendIn::Body, name, value);
        }
        assert_eq!(
            content.body().unwrap(),
            r#"{"query":{"size":2,"after":"a\"b"},"after":7,"new":{"deep":[0.10, 123456789012345678901234567890]}}"#
        );
    }
}
