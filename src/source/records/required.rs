//! `require`: columns without which a file, an object or a page is refused.

use serde::Deserialize;

/// The columns in `require`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Required(Vec<String>);

/// What to do about content that lacks a column.
pub(crate) const NEXT: &str = "nothing of it was loaded: have it delivered with these columns, pass over it by \
     `sluice skip`, or take out of `require` what may be missing";

/// Characters of a header that an error quotes.
const SHOWN: usize = 300;

impl Required {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The columns that `names` lacks, in words; none if it has all.
    pub(crate) fn refusal<T: AsRef<str>>(&self, names: &[T]) -> Option<String> {
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
        Some(format!("lacks {}, which `require` names; it has: {header}", missing.join(", ")))
    }
}
