//! Many rows in one request: its body, and what the answer says of each row.

use crate::batch::Claimed;
use crate::error::{Error, Result};
use crate::retry;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Stands for the array until the wrapper is text.
const ITEMS: &str = "\u{1}items\u{1}";

#[derive(Debug, Clone, Deserialize)]
pub(in crate::run::delivery) struct Items {
    pub(super) size: usize,
    #[serde(default)]
    format: Format,
    #[serde(default, rename = "items")]
    place: String,
    #[serde(default)]
    wrapper: Option<Value>,
    results: Option<String>,
    status: Option<String>,
    error: Option<String>,
    index: Option<String>,
    id: Option<String>,
    item_id: Option<String>,
    #[serde(default)]
    only_failed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Array,
    Ndjson,
}

/// What an answer says of a row.
pub(super) enum Said {
    Taken,
    Refused(Option<u16>, String),
    Passing(Option<u16>, String),
    /// It cannot be understood.
    Unclear(Error),
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
            Err(cause) => Err(
                Error::failed("the body is no JSON, and cannot be one of many").caused_by(cause),
            ),
        }
    }

    /// The body of a request, out of bodies that are JSON.
    pub(super) fn body(&self, deliveries: &[Claimed]) -> String {
        let bodies = deliveries.iter().map(|delivery| delivery.body.as_str());
        match self.format {
            // Between the tokens of JSON a line break is a blank, and within them there is none.
            Format::Ndjson => bodies
                .map(|body| body.replace(['\n', '\r'], " ") + "\n")
                .collect(),
            Format::Array => {
                let items = format!("[{}]", bodies.collect::<Vec<_>>().join(","));
                let whole = wrap(self.wrapper.clone(), &self.place).to_string();
                whole.replacen(&Value::from(ITEMS).to_string(), &items, 1)
            }
        }
    }

    /// What the body of an answer says of each delivery; `None`: it was one of all of them.
    pub(super) fn results(&self, deliveries: &[Claimed], body: &[u8]) -> Result<Option<Vec<Said>>> {
        let Some(place) = &self.results else {
            return Ok(None);
        };
        let answer: Value = serde_json::from_slice(body)
            .map_err(|cause| Error::failed("the answer is no JSON").caused_by(cause))?;
        let list = answer
            .pointer(place)
            .and_then(Value::as_array)
            .ok_or_else(|| {
                Error::failed(format!("the answer has no list of results at \"{place}\""))
            })?;
        let said = match (&self.index, &self.id) {
            (None, None) if list.len() == deliveries.len() => {
                list.iter().map(|result| self.said(result)).collect()
            }
            (None, None) => {
                return Err(Error::failed(format!(
                    "the answer has {} results for {} rows",
                    list.len(),
                    deliveries.len()
                )));
            }
            (index, id) => {
                let pointer = index.as_ref().or(id.as_ref()).map_or("", String::as_str);
                let found: HashMap<String, &Value> = list
                    .iter()
                    .filter_map(|result| Some((text(result.pointer(pointer)?), result)))
                    .collect();
                let name = |(place, delivery): (usize, &Claimed)| match id {
                    None => Some(place.to_string()),
                    Some(id) => {
                        let item: Value = serde_json::from_str(&delivery.body).ok()?;
                        Some(text(item.pointer(self.item_id.as_deref().unwrap_or(id))?))
                    }
                };
                let of_item = |item| match name(item).and_then(|name| found.get(&name)) {
                    Some(result) => self.said(result),
                    None if self.only_failed => Said::Taken,
                    None => Said::Unclear(Error::failed("the answer has no result for the row")),
                };
                deliveries.iter().enumerate().map(of_item).collect()
            }
        };
        Ok(Some(said))
    }

    /// What one result says.
    fn said(&self, result: &Value) -> Said {
        let at = |place: &Option<String>| place.as_ref().and_then(|place| result.pointer(place));
        let refused = |status| Said::Refused(status, result.to_string());
        match at(&self.status) {
            Some(Value::Bool(true)) => return Said::Taken,
            Some(Value::Bool(false)) => return refused(None),
            Some(status @ (Value::Number(_) | Value::String(_))) => {
                if let Ok(status) = text(status).parse() {
                    return match status {
                        200..300 => Said::Taken,
                        409 => Said::Passing(Some(status), result.to_string()),
                        status if retry::is_retryable_status(status) => {
                            Said::Passing(Some(status), result.to_string())
                        }
                        status => refused(Some(status)),
                    };
                }
            }
            _ => {}
        }
        match (&self.error, at(&self.error)) {
            (None, _) if self.status.is_none() => refused(None),
            (None, _) => Said::Unclear(Error::failed(format!(
                "a result has no status at \"{}\": {result}",
                self.status.as_deref().unwrap_or_default()
            ))),
            (Some(_), None | Some(Value::Null | Value::Bool(false))) => Said::Taken,
            (Some(_), Some(Value::String(error))) if error.is_empty() => Said::Taken,
            (Some(_), Some(Value::Array(errors))) if errors.is_empty() => Said::Taken,
            (Some(_), Some(Value::Object(errors))) if errors.is_empty() => Said::Taken,
            (Some(_), Some(_)) => refused(None),
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

/// A string without its quotes, anything else as JSON.
fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn items(settings: Value) -> Items {
        serde_json::from_value(settings).unwrap()
    }

    fn deliveries(bodies: &[&str]) -> Vec<Claimed> {
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

    fn shown(items: &Items, bodies: &[&str], answer: &str) -> Vec<String> {
        let said = items
            .results(&deliveries(bodies), answer.as_bytes())
            .unwrap();
        let show = |said| match said {
            Said::Taken => "taken".to_owned(),
            Said::Refused(status, _) => format!("refused {status:?}"),
            Said::Passing(status, _) => format!("passing {status:?}"),
            Said::Unclear(error) => error.message().to_owned(),
        };
        said.unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn bodies_stand_in_the_request_byte_by_byte() {
        let bodies = ["{\"n\": 1.50}", "{\"n\":\n2}"];
        let of = |settings| items(settings).body(&deliveries(&bodies));
        assert_eq!(of(json!({"size": 2})), "[{\"n\": 1.50},{\"n\":\n2}]");
        assert_eq!(
            of(json!({"size": 2, "format": "ndjson"})),
            "{\"n\": 1.50}\n{\"n\": 2}\n"
        );
        assert_eq!(
            of(json!({"size": 2, "items": "/a/b~1c", "wrapper": {"all": false}})),
            "{\"all\":false,\"a\":{\"b/c\":[{\"n\": 1.50},{\"n\":\n2}]}}"
        );
    }

    #[test]
    fn results_are_found_in_order_by_index_or_by_id() {
        let bodies = [r#"{"key": 7}"#, r#"{"key": "8"}"#, r#"{"key": 9}"#];
        let in_order = items(json!({"size": 3, "results": "/r", "status": "/s"}));
        assert_eq!(
            shown(
                &in_order,
                &bodies,
                r#"{"r": [{"s": 201}, {"s": "422"}, {"s": 503}]}"#
            ),
            ["taken", "refused Some(422)", "passing Some(503)"]
        );
        assert!(
            in_order
                .results(&deliveries(&bodies), br#"{"r": []}"#)
                .is_err()
        );
        assert!(in_order.results(&deliveries(&bodies), b"<html>").is_err());
        let by_index = items(json!({"size": 3, "results": "", "index": "/i", "only_failed": true}));
        assert_eq!(
            shown(&by_index, &bodies, r#"[{"i": 1}]"#),
            ["taken", "refused None", "taken"]
        );
        let by_id =
            items(json!({"size": 3, "results": "", "id": "/id", "item_id": "/key", "error": "/e"}));
        assert_eq!(
            shown(
                &by_id,
                &bodies,
                r#"[{"id": "8", "e": []}, {"id": "7", "e": ["no"]}]"#
            ),
            [
                "refused None",
                "taken",
                "the answer has no result for the row"
            ]
        );
        let by_truth = items(json!({"size": 3, "results": "", "status": "/ok"}));
        assert_eq!(
            shown(&by_truth, &bodies, r#"[{"ok": true}, {"ok": false}, {}]"#)[..2],
            ["taken", "refused None"]
        );
    }
}
