//! Names under which others keep what is not ready to be read.

use std::path::Path;

const UNFINISHED: [&str; 3] = ["tmp", "part", "partial"];

/// Whether the last part of the name begins with a dot.
pub(super) fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Whether the suffix says that somebody is still writing.
pub(super) fn is_unfinished(path: &Path) -> bool {
    path.extension()
        .is_some_and(|suffix| UNFINISHED.iter().any(|u| suffix.eq_ignore_ascii_case(u)))
}
