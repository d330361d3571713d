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

/// Whether Spark and Hive keep by this name what is not data (`_SUCCESS`, `_temporary`, `.part.crc`),
/// or it is hidden. `_year=2026` is a partition.
pub(super) fn is_aside(name: &str) -> bool {
    let is_reserved = name.starts_with('_') && !name.contains('=');
    is_reserved || name.starts_with('.') || name.ends_with(".crc")
}
