//! `require`: columns without which a file, an object or a page is refused.

use serde::Deserialize;

/// What the setting `require` names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(in crate::source) struct Required(Vec<String>);

/// What to do about content that lacks one.
pub(in crate::source) const NEXT: &str = "nothing of it was loaded: have it delivered with these columns, pass over it by \
     `sluice skip`, or take out of `require` what may be missing";

/// How many characters of a header are quoted.
const SHOWN: usize = 300;

impl Required {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What to say about a header with these names if it lacks a column.
    pub(in crate::source) fn refusal<T: AsRef<str>>(&self, names: &[T]) -> Option<String> {
        let is_there = |wanted: &String| names.iter().any(|name| name.as_ref() == wanted);
        let missing = self.0.iter().filter(|wanted| !is_there(wanted));
        let missing: Vec<String> = missing.map(|name| format!("`{name}`")).collect();
        if missing.is_empty() {
            return None;
        }
        let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
        let mut header = names.join(", ");
        if let Some((end, _)) = header.char_indices().nth(SHOWN) {
            header.truncate(end);
            header.push('…');
        }
        Some(format!(
            "lacks {}, which `require` names; it has: {header}",
            missing.join(", ")
        ))
    }
}
