//! Where a page stands: the part of the cursor that the paging model decides.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

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
            At::Link(url) => write!(f, "link {url}"),
        }
    }
}
