//! Names under which others keep what is not ready to be read.

use std::path::Path;

const UNFINISHED: [&str; 3] = ["tmp", "part", "partial"];

/// Whether the suffix says that somebody is still writing.
pub(super) fn is_unfinished(path: &Path) -> bool {
    path.extension()
        .is_some_and(|suffix| UNFINISHED.iter().any(|u| suffix.eq_ignore_ascii_case(u)))
}

/// Whether Spark and Hive keep by this name what is not data (`_SUCCESS`, `_temporary`, `.part.crc`),
/// or it is hidden. `_year=2026` is a partition.
pub(super) fn is_aside(name: &str) -> bool {
    let is_reserved = name.starts_with('_') && !name.contains('=');
    // Keys, unlike paths, may have parts named so.
    let is_hidden = name.starts_with('.') && !matches!(name, "." | "..");
    is_reserved || is_hidden || name.ends_with(".crc")
}
