//! Reads the results of single rows from the answer to a request with many.

use super::items::Items;
use crate::batch::Claimed;
use crate::error::{Error, Result};
use crate::retry;
use serde_json::Value;
use std::collections::HashMap;

/// The result of a row.
pub(super) enum RowResult {
    Taken,
    Refused(Option<u16>, String),
    Passing(Option<u16>, String),
    /// It cannot be understood.
    Unclear(Error),
}

impl Items {
    /// The result of each delivery in the body of an answer; none if the answer has no results.
    pub(super) fn results(
        &self,
        deliveries: &[Claimed],
        body: &[u8],
    ) -> Result<Option<Vec<RowResult>>> {
        let Some(place) = &self.results else {
            return Ok(None);
        };
        let answer: Value = serde_json::from_slice(body).map_err(|cause| {
            let what = match body.starts_with(&[0x1f, 0x8b]) {
                true => "the answer is compressed and does not say so",
                false => "the answer is not JSON",
            };
            Error::failed(what).caused_by(cause)
        })?;
        let list = answer.pointer(place).and_then(Value::as_array).ok_or_else(|| {
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
                let name = |(place, delivery): (usize, &Claimed)| match id {
                    None => Some(place.to_string()),
                    Some(id) => {
                        let item: Value = serde_json::from_str(&delivery.body).ok()?;
                        Some(text(item.pointer(self.item_id.as_deref().unwrap_or(id))?))
                    }
                };
                let names: Vec<_> = deliveries.iter().enumerate().map(name).collect();
                let mut found: HashMap<Option<String>, Vec<&Value>> = HashMap::new();
                for result in list {
                    let name = result.pointer(pointer).map(text);
                    if self.only_failed && (name.is_none() || !names.contains(&name)) {
                        // Perhaps of one of these rows, which would pass for taken.
                        return Err(of_no_row(result));
                    }
                    found.entry(name).or_default().push(result);
                }
                let of_item = |name: &Option<String>| match found.get(name) {
                    Some(results) if name.is_some() => {
                        // Of several the one that is not content.
                        let mut said = results.iter().map(|result| self.said(result));
                        said.find(|said| !matches!(said, RowResult::Taken))
                            .unwrap_or(RowResult::Taken)
                    }
                    None if self.only_failed && name.is_some() => RowResult::Taken,
                    _ => RowResult::Unclear(Error::failed("the answer has no result for the row")),
                };
                names.iter().map(of_item).collect()
            }
        };
        Ok(Some(said))
    }

    /// Reads one result.
    fn said(&self, result: &Value) -> RowResult {
        let at = |place: &Option<String>| place.as_ref().and_then(|place| result.pointer(place));
        let refused = |status| RowResult::Refused(status, result.to_string());
        match at(&self.status) {
            Some(Value::Bool(true)) => return RowResult::Taken,
            Some(Value::Bool(false)) => return refused(None),
            Some(status @ (Value::Number(_) | Value::String(_))) => {
                if let Ok(status) = text(status).parse() {
                    return match status {
                        200..300 => RowResult::Taken,
                        409 => RowResult::Passing(Some(status), result.to_string()),
                        status if retry::is_retryable_status(status) => {
                            RowResult::Passing(Some(status), result.to_string())
                        }
                        status => refused(Some(status)),
                    };
                }
            }
            _ => {}
        }
        match (&self.error, at(&self.error)) {
            (None, _) if self.status.is_none() => refused(None),
            (None, _) => RowResult::Unclear(Error::failed(format!(
                "a result has no status at \"{}\": {result}",
                self.status.as_deref().unwrap_or_default()
            ))),
            (Some(_), None | Some(Value::Null | Value::Bool(false))) => RowResult::Taken,
            (Some(_), Some(Value::String(error))) if error.is_empty() => RowResult::Taken,
            (Some(_), Some(Value::Array(errors))) if errors.is_empty() => RowResult::Taken,
            (Some(_), Some(Value::Object(errors))) if errors.is_empty() => RowResult::Taken,
            (Some(_), Some(_)) => refused(None),
        }
    }
}

fn of_no_row(result: &Value) -> Error {
    Error::failed(format!("a result of the answer names no row that was sent: {result}"))
        .next("index of the parcel says where a result has the place of its row, from 0, or id where it has its id")
}

/// A string without its quotes, anything else as JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::items::tests::{deliveries, items};
    use super::*;
    use serde_json::json;

    fn shown(items: &Items, bodies: &[&str], answer: &str) -> Vec<String> {
        let said = items.results(&deliveries(bodies), answer.as_bytes()).unwrap();
        let show = |said| match said {
            RowResult::Taken => "taken".to_owned(),
            RowResult::Refused(status, _) => format!("refused {status:?}"),
            RowResult::Passing(status, _) => format!("passing {status:?}"),
            RowResult::Unclear(error) => error.message().to_owned(),
        };
        said.unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn results_are_found_in_order_by_index_or_by_id() {
        let bodies = [r#"{"key": 7}"#, r#"{"key": "8"}"#, r#"{"key": 9}"#];
        let in_order = items(json!({"size": 3, "results": "/r", "status": "/s"}));
        assert_eq!(
            shown(&in_order, &bodies, r#"{"r": [{"s": 201}, {"s": "422"}, {"s": 503}]}"#),
            ["taken", "refused Some(422)", "passing Some(503)"]
        );
        assert!(in_order.results(&deliveries(&bodies), br#"{"r": []}"#).is_err());
        for (answer, message) in [(&b"<html>"[..], "not JSON"), (b"\x1f\x8b\x08", "compressed")] {
            let refused = in_order.results(&deliveries(&bodies), answer).err();
            assert!(refused.is_some_and(|error| error.message().contains(message)));
        }
        let by_index = items(json!({"size": 3, "results": "", "index": "/i", "only_failed": true}));
        assert_eq!(shown(&by_index, &bodies, r#"[{"i": 1}]"#), ["taken", "refused None", "taken"]);
        let by_id =
            items(json!({"size": 3, "results": "", "id": "/id", "item_id": "/key", "error": "/e"}));
        assert_eq!(
            shown(&by_id, &bodies, r#"[{"id": "8", "e": []}, {"id": "7", "e": ["no"]}]"#),
            ["refused None", "taken", "the answer has no result for the row"]
        );
        let by_truth = items(json!({"size": 3, "results": "", "status": "/ok"}));
        assert_eq!(
            shown(&by_truth, &bodies, r#"[{"ok": true}, {"ok": false}, {}]"#)[..2],
            ["taken", "refused None"]
        );
    }
    #[test]
    fn no_row_passes_for_taken_while_a_result_of_no_row_may_be_its_refusal() {
        let bodies = [r#"{"key": 7}"#, r#"{"key": 8}"#];
        let by_index =
            items(json!({"size": 2, "results": "/errors", "index": "/i", "only_failed": true}));
        let by_id =
            items(json!({"size": 2, "results": "/errors", "id": "/key", "only_failed": true}));
        for (items, answer) in [
            (&by_index, r#"{"errors": [{"message": "database down"}]}"#),
            (&by_index, r#"{"errors": [{"i": 2, "message": "counted from 1"}]}"#),
            (&by_id, r#"{"errors": [{"key": "007"}]}"#),
            (&by_id, r#"{"errors": ["all of them"]}"#),
        ] {
            let refused = items.results(&deliveries(&bodies), answer.as_bytes());
            let message = refused.err().map(|error| error.message().to_owned());
            assert!(message.is_some_and(|m| m.contains("names no row")), "{answer}");
        }
        assert_eq!(
            shown(&by_id, &[bodies[0], "{}"], r#"{"errors": []}"#),
            ["taken", "the answer has no result for the row"]
        );
        let twice = items(json!({"size": 2, "results": "", "id": "/key", "error": "/e"}));
        assert_eq!(
            shown(
                &twice,
                &bodies,
                r#"[{"key": 7, "e": "no"}, {"key": 8}, {"key": 7}, {"key": 9}]"#
            ),
            ["refused None", "taken"]
        );
    }
}
