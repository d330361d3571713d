//! Where in a document a value is.

use serde::Deserialize;

/// A JSON pointer (RFC 6901), taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pointer {
    text: String,
    pub(super) segments: Vec<String>,
}

impl Pointer {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let segments = match text.strip_prefix('/') {
            None if text.is_empty() => Vec::new(),
            None => return None,
            Some(rest) => rest
                .split('/')
                .map(|segment| segment.replace("~1", "/").replace("~0", "~"))
                .collect(),
        };
        Some(Pointer { text: text.to_owned(), segments })
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn segments(&self) -> &[String] {
        &self.segments
    }
}

impl TryFrom<String> for Pointer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Pointer::parse(&text).ok_or_else(|| format!("`{text}` is not a JSON pointer"))
    }
}
