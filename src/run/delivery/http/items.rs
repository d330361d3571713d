//! The body of a request that has many rows. [`super::results`] reads the answer.

use crate::batch::Claimed;
use crate::error::{Error, Result};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Stands for the array until the wrapper is text.
const ITEMS: &str = "\u{1}items\u{1}";

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Items {
    pub(super) size: usize,
    #[serde(default)]
    format: Format,
    #[serde(default, rename = "items")]
    place: String,
    wrapper: Option<Value>,
    pub(super) results: Option<String>,
    pub(super) status: Option<String>,
    pub(super) error: Option<String>,
    pub(super) index: Option<String>,
    pub(super) id: Option<String>,
    pub(super) item_id: Option<String>,
    #[serde(default)]
    pub(super) only_failed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Array,
    Ndjson,
}

impl Items {
    pub(super) fn content_type(&self) -> &'static str {
        match self.format {
            Format::Array => "application/json",
            Format::Ndjson => "application/x-ndjson",
        }
    }

    pub(super) fn has_results(&self) -> bool {
        self.results.is_some()
    }

    /// Whether a body can be an item.
    pub(super) fn check(delivery: &Claimed) -> Result<()> {
        match serde_json::from_str::<&RawValue>(&delivery.body) {
            Ok(_) => Ok(()),
            Err(cause) => {
                Err(Error::failed("the body is not JSON, and cannot be one of many")
                    .caused_by(cause))
            }
        }
    }

    /// The body of a request, out of bodies that are JSON.
    pub(super) fn body(&self, deliveries: &[Claimed]) -> String {
        let bodies = deliveries.iter().map(|delivery| delivery.body.as_str());
        match self.format {
            // Between the tokens of JSON a line break is a blank, and within them there is none.
            Format::Ndjson => bodies.map(|body| body.replace(['\n', '\r'], " ") + "\n").collect(),
            Format::Array => {
                let items = format!("[{}]", bodies.collect::<Vec<_>>().join(","));
                let whole = wrap(self.wrapper.clone(), &self.place).to_string();
                whole.replacen(&Value::from(ITEMS).to_string(), &items, 1)
            }
        }
    }
}

/// Puts a stand-in for the items where the JSON pointer `place` leads in `wrapper`.
fn wrap(wrapper: Option<Value>, place: &str) -> Value {
    let mut whole = wrapper.unwrap_or(Value::Null);
    let mut at = &mut whole;
    for token in place.split('/').skip(1) {
        let name = token.replace("~1", "/").replace("~0", "~");
        if !at.is_object() {
            *at = Value::Object(serde_json::Map::new());
        }
        at = &mut at[name];
    }
    *at = Value::from(ITEMS);
    whole
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    pub(crate) fn items(settings: Value) -> Items {
        serde_json::from_value(settings).unwrap()
    }

    pub(crate) fn deliveries(bodies: &[&str]) -> Vec<Claimed> {
        let claimed = |body: &&str| Claimed {
            id: 1,
            state: "in_flight".to_owned(),
            key: "{}".to_owned(),
            is_delete: false,
            idempotency_key: String::new(),
            body: (*body).to_owned(),
            error: None,
            parcel: None,
        };
        bodies.iter().map(claimed).collect()
    }

    #[test]
    fn bodies_stand_in_the_request_byte_by_byte() {
        let bodies = ["{\"n\": 1.50}", "{\"n\":\n2}"];
        let of = |settings| items(settings).body(&deliveries(&bodies));
        assert_eq!(of(json!({"size": 2})), "[{\"n\": 1.50},{\"n\":\n2}]");
        assert_eq!(of(json!({"size": 2, "format": "ndjson"})), "{\"n\": 1.50}\n{\"n\": 2}\n");
        assert_eq!(
            of(json!({"size": 2, "items": "/a/b~1c", "wrapper": {"all": false}})),
            "{\"all\":false,\"a\":{\"b/c\":[{\"n\": 1.50},{\"n\":\n2}]}}"
        );
    }
}
