//! The part of the cursor that says which page: number, offset, token or link.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::secret::{credential_of, without_credentials};
use crate::source::http::value::Found;

/// Which request fetches a page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum At {
    /// The request as the settings have it.
    First,
    Page(u64),
    Offset(u64),
    Token(String),
    /// A token that is no string: its JSON.
    TokenJson(String),
    Link(String),
}

impl At {
    pub(super) fn of_token(token: Found) -> Self {
        match token {
            Found::Text(text) => At::Token(text),
            Found::Json(json) => At::TokenJson(json),
        }
    }

    /// The parameter of a link by which the server admits whoever has it.
    pub(crate) fn credential(&self) -> Option<String> {
        match self {
            At::Link(link) => credential_of(&Url::parse(link).ok()?),
            _ => None,
        }
    }

    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::First => f.write_str("the first page"),
            At::Page(number) => write!(f, "page {number}"),
            At::Offset(offset) => write!(f, "offset {offset}"),
            At::Token(text) => write!(f, "token `{text}`"),
            At::TokenJson(json) => write!(f, "token {json}"),
            At::Link(url) => write!(f, "link {}", without_credentials(url)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn places_survive_the_cursor() {
        for (at, json) in [
            (At::First, json!("first")),
            (At::Page(3), json!({"page": 3})),
            (
                At::TokenJson("[1.0]".to_owned()),
                json!({"token_json": "[1.0]"}),
            ),
            (
                At::Link("https://x/".to_owned()),
                json!({"link": "https://x/"}),
            ),
        ] {
            assert_eq!(serde_json::to_value(&at).unwrap(), json);
            assert_eq!(serde_json::from_value::<At>(json).unwrap(), at);
        }
    }
}
