//! Values that are taken from answers and sent in requests.

use reqwest::header::{HeaderMap, HeaderName};
use serde::Deserialize;

use crate::source::json::{self, Pointer};

/// Where a value is: at a JSON pointer in the body, or in a header.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Locator {
    Body(Pointer),
    Header(HeaderName),
}

impl Locator {
    pub(crate) fn in_body(&self) -> Option<&Pointer> {
        match self {
            Locator::Body(pointer) => Some(pointer),
            Locator::Header(_) => None,
        }
    }

    /// The value, if it is in a header that is present.
    pub(crate) fn in_headers(&self, headers: &HeaderMap) -> Option<Extracted> {
        let Locator::Header(name) = self else {
            return None;
        };
        let values: Vec<&str> =
            headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        (!values.is_empty()).then(|| Extracted::Text(values.join(", ")))
    }
}

impl TryFrom<String> for Locator {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match Pointer::parse(&text) {
            Some(pointer) => Ok(Locator::Body(pointer)),
            None => text.parse().map(Locator::Header).map_err(|_| {
                format!("`{text}` is neither a JSON pointer nor the name of a header")
            }),
        }
    }
}

impl std::fmt::Display for Locator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Locator::Body(pointer) => f.write_str(pointer.text()),
            Locator::Header(name) => write!(f, "header {name}"),
        }
    }
}

/// A value extracted from an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Extracted {
    Text(String),
    /// The JSON of anything but a string.
    Json(String),
}

impl Extracted {
    pub(crate) fn of_json(bytes: &[u8]) -> Self {
        match json::string(bytes) {
            Some(text) => Extracted::Text(text),
            None => Extracted::Json(String::from_utf8_lossy(bytes).into_owned()),
        }
    }

    /// Whether the value is absent, in any of the forms that servers use.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Extracted::Text(text) => text.is_empty(),
            Extracted::Json(json) => matches!(json.as_str(), "null" | "false"),
        }
    }

    /// The value as a boolean; none if it is neither true nor false.
    pub(crate) fn answer(&self) -> Option<bool> {
        let mut text = self.text().to_ascii_lowercase();
        text.retain(|c| !c.is_whitespace());
        match text.as_str() {
            "" | "null" | "false" | "f" | "no" | "n" | "off" | "[]" | "{}" => Some(false),
            "true" | "t" | "yes" | "y" | "on" => Some(true),
            number => number.parse().ok().map(|number: f64| number != 0.0),
        }
    }

    pub(crate) fn text(&self) -> &str {
        match self {
            Extracted::Text(text) | Extracted::Json(text) => text,
        }
    }

    /// A count, also one that is written as text, or as `ResponseFormat-Range` has it (`0-24/250`).
    pub(crate) fn number(&self) -> Option<u64> {
        let text = self.text();
        let behind = text.rsplit_once('/').map_or(text, |(_, total)| total);
        behind.trim().parse().ok()
    }
}

/// Where a value is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SendIn {
    #[default]
    Params,
    Body,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_pointers_or_headers() {
        let locator = |text: &str| Locator::try_from(text.to_owned());
        assert_eq!(locator("/a/b").unwrap().to_string(), "/a/b");
        assert_eq!(locator("X-Next").unwrap().to_string(), "header x-next");
        assert!(locator("no header").is_err());
    }

    #[test]
    fn yes_and_no_are_known_in_every_way_they_are_written() {
        for (json, answer) in [
            ("true", Some(true)),
            ("\"Yes\"", Some(true)),
            ("2", Some(true)),
            ("null", Some(false)),
            ("\"\"", Some(false)),
            ("\"NO\"", Some(false)),
            ("\"FALSE\"", Some(false)),
            ("0.0", Some(false)),
            ("[ ]", Some(false)),
            ("{}", Some(false)),
            ("\"nein\"", None),
            ("[1]", None),
        ] {
            assert_eq!(Extracted::of_json(json.as_bytes()).answer(), answer, "{json}");
        }
    }

    #[test]
    fn counts_are_read_in_every_way_they_are_written() {
        for (text, number) in [
            ("250", Some(250)),
            (" 250 ", Some(250)),
            ("0-24/250", Some(250)),
            ("items 0-24/250", Some(250)),
            ("0-24/*", None),
            ("many", None),
        ] {
            assert_eq!(Extracted::Text(text.to_owned()).number(), number, "{text}");
        }
    }
}
