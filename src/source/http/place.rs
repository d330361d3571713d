//! Where a value is found in a response, and where one is put into a request.

use reqwest::header::HeaderName;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::source::json::Pointer;

/// Where a value is found: at a JSON pointer in the body, or in a header.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum Place {
    Body(Pointer),
    Header(HeaderName),
}

impl TryFrom<String> for Place {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match Pointer::parse(&text) {
            Some(pointer) => Ok(Place::Body(pointer)),
            None => text.parse().map(Place::Header).map_err(|_| {
                format!("`{text}` is neither a JSON pointer nor the name of a header")
            }),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Body(pointer) => f.write_str(pointer.text()),
            Place::Header(name) => write!(f, "header {name}"),
        }
    }
}

/// A value found in a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    Text(String),
    /// Anything but a string: its JSON, as it stands.
    Json(String),
}

impl Found {
    /// Nothing, in one of the ways in which servers say so.
    pub(super) fn is_nothing(&self) -> bool {
        match self {
            Found::Text(text) => text.is_empty(),
            Found::Json(json) => matches!(json.as_str(), "null" | "false"),
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Found::Text(text) | Found::Json(text) => text,
        }
    }

    /// A count, also one that is written as text.
    pub(super) fn number(&self) -> Option<u64> {
        self.text().trim().parse().ok()
    }
}

/// Where the parameters of paging go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum SendIn {
    #[default]
    Params,
    Body,
}

/// A request in the making.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Draft {
    pub(super) params: Vec<(String, String)>,
    pub(super) body: Option<Value>,
    /// JSON that goes into the body as it stands, so that its numbers stay what they are.
    raw: Vec<String>,
}

impl Draft {
    pub(super) fn new(params: Vec<(String, String)>, body: Option<Value>) -> Self {
        Draft {
            params,
            body,
            raw: Vec::new(),
        }
    }

    pub(super) fn put(&mut self, send_in: SendIn, name: &str, value: &Found) {
        match (send_in, value) {
            (SendIn::Params, value) => {
                self.params.retain(|(other, _)| other != name);
                self.params.push((name.to_owned(), value.text().to_owned()));
            }
            (SendIn::Body, Found::Text(text)) => self.put_in_body(name, Value::from(text.as_str())),
            (SendIn::Body, Found::Json(json)) => {
                // No JSON that comes from Postgres holds a NUL.
                let stand_in = stand_in(self.raw.len());
                self.raw.push(json.clone());
                self.put_in_body(name, Value::from(stand_in));
            }
        }
    }

    /// `name` is a member of the body, or a JSON pointer to one; objects on the way to it
    /// are made.
    fn put_in_body(&mut self, name: &str, value: Value) {
        let path = match Pointer::parse(name) {
            Some(pointer) => pointer.segments().to_vec(),
            None => vec![name.to_owned()],
        };
        let mut place = self.body.get_or_insert_with(|| Value::Object(Map::new()));
        for segment in path {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            let Value::Object(map) = place else { return };
            place = map.entry(segment).or_insert(Value::Null);
        }
        *place = value;
    }

    /// The body as it is sent.
    pub(super) fn body_text(&self) -> Option<String> {
        let mut text = self.body.as_ref()?.to_string();
        for (index, json) in self.raw.iter().enumerate() {
            text = text.replace(&Value::from(stand_in(index)).to_string(), json);
        }
        Some(text)
    }
}

fn stand_in(index: usize) -> String {
    format!("\0{index}\0")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_go_into_the_body_where_they_are_wanted() {
        let mut draft = Draft {
            body: Some(json!({"query": {"size": 2}, "after": 1})),
            ..Draft::default()
        };
        draft.put(
            SendIn::Body,
            "/query/after",
            &Found::Text("a\"b".to_owned()),
        );
        draft.put(
            SendIn::Body,
            "/new/deep",
            &Found::Json("[0.10, 123456789012345678901234567890]".to_owned()),
        );
        draft.put(SendIn::Body, "after", &Found::Json("7".to_owned()));
        assert_eq!(
            draft.body_text().unwrap(),
            r#"{"query":{"size":2,"after":"a\"b"},"after":7,"new":{"deep":[0.10, 123456789012345678901234567890]}}"#
        );
    }

    #[test]
    fn a_parameter_replaces_the_one_of_the_same_name() {
        let mut draft = Draft {
            params: vec![
                ("page".to_owned(), "1".to_owned()),
                ("q".to_owned(), "x".to_owned()),
            ],
            ..Draft::default()
        };
        draft.put(SendIn::Params, "page", &Found::Json("2".to_owned()));
        assert_eq!(
            draft.params,
            [
                ("q".to_owned(), "x".to_owned()),
                ("page".to_owned(), "2".to_owned())
            ]
        );
        assert_eq!(draft.body_text(), None);
    }

    #[test]
    fn places_are_pointers_or_headers() {
        assert_eq!(
            Place::try_from("/a/b".to_owned()).unwrap().to_string(),
            "/a/b"
        );
        assert_eq!(
            Place::try_from("X-Next".to_owned()).unwrap().to_string(),
            "header x-next"
        );
        assert!(Place::try_from("no header".to_owned()).is_err());
    }
}
