//! The URL of a delivery, with the values of the key filled in.

use crate::error::{Error, Result};
use reqwest::Url;
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Puts the values of `key`, a JSON object, into `template`. A value never changes which path
/// it is: `..`, `.` and nothing at all would lead to another resource, or to all of them.
pub(super) fn fill(template: &str, key: &str) -> Result<Url> {
    let values: HashMap<String, Box<RawValue>> = serde_json::from_str(key).unwrap_or_default();
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, after)) = behind.split_once('}') else {
            filled.push('{');
            rest = behind;
            continue;
        };
        let value = values.get(name).map(|raw| text(raw.get()));
        match value.as_deref() {
            None => {
                return Err(Error::usage(format!("there is no {{{name}}} in the key {key}"))
                    .next("correct the url of deliver"));
            }
            Some("" | "." | "..") => {
                return Err(Error::failed(format!(
                    "the key {key} cannot stand in the url {template}: it would lead to another resource"
                )));
            }
            Some(value) => {
                let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
                filled.push_str(&encoded.replace('+', "%20"));
            }
        }
        rest = after;
    }
    filled.push_str(rest);
    Url::parse(&filled)
        .map_err(|cause| Error::usage(format!("`{filled}` is not a URL")).caused_by(cause))
}

/// A string without its quotes; of anything else the JSON, digit by digit.
fn text(json: &str) -> String {
    serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_the_url_digit_by_digit_and_encoded() {
        let key = r#"{"id": 123456789012345678901234567890.10, "name": "a/b c?&ü"}"#;
        assert_eq!(
            fill("https://a/{id}/x/{name}?n={name}", key).unwrap().as_str(),
            "https://a/123456789012345678901234567890.10/x/a%2Fb%20c%3F%26%C3%BC?n=a%2Fb%20c%3F%26%C3%BC"
        );
        assert_eq!(fill("https://a/x", key).unwrap().as_str(), "https://a/x");
    }

    #[test]
    fn no_value_leads_to_another_resource() {
        for value in ["", ".", ".."] {
            let key = format!(r#"{{"id": "{value}"}}"#);
            let refused = fill("https://a/orders/{id}", &key).unwrap_err();
            assert!(refused.message().contains("another resource"), "{value:?}");
        }
        let slashes = fill("https://a/orders/{id}", r#"{"id": "../../x"}"#).unwrap();
        assert_eq!(slashes.as_str(), "https://a/orders/..%2F..%2Fx");
        assert!(fill("https://a/{other}", r#"{"id": 1}"#).is_err());
    }
}
