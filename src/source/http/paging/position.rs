//! The position of a page, as the cursor keeps it: number, offset, token or link.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::secret::{credential_of, without_credentials};
use crate::source::http::value::Extracted;

/// The request that fetches a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PagePosition {
    /// The first request, without a parameter.
    First,
    Page(u64),
    Offset(u64),
    Token(String),
    /// A token that is no string: its JSON.
    TokenJson(String),
    Link(String),
}

impl PagePosition {
    pub(super) fn of_token(token: Extracted) -> Self {
        match token {
            Extracted::Text(text) => PagePosition::Token(text),
            Extracted::Json(json) => PagePosition::TokenJson(json),
        }
    }

    /// The name of a parameter in a link that is a credential.
    pub(crate) fn credential(&self) -> Option<String> {
        match self {
            PagePosition::Link(link) => credential_of(&Url::parse(link).ok()?),
            _ => None,
        }
    }

    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

impl fmt::Display for PagePosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PagePosition::First => f.write_str("the first page"),
            PagePosition::Page(number) => write!(f, "page {number}"),
            PagePosition::Offset(offset) => write!(f, "offset {offset}"),
            PagePosition::Token(text) => write!(f, "token `{text}`"),
            PagePosition::TokenJson(json) => write!(f, "token {json}"),
            PagePosition::Link(url) => write!(f, "link {}", without_credentials(url)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_survive_the_cursor() {
        for (at, json) in [
            (PagePosition::First, json!("first")),
            (PagePosition::Page(3), json!({"page": 3})),
            (PagePosition::TokenJson("[1.0]".to_owned()), json!({"token_json": "[1.0]"})),
            (PagePosition::Link("https://x/".to_owned()), json!({"link": "https://x/"})),
        ] {
            assert_eq!(serde_json::to_value(&at).unwrap(), json);
            assert_eq!(serde_json::from_value::<PagePosition>(json).unwrap(), at);
        }
    }
}
