//! Which file names and keys are read, and which are left out because they are unfinished or no data.

use std::path::Path;

use crate::error::Result;
use crate::source::records::invalid;

const UNFINISHED: [&str; 3] = ["tmp", "part", "partial"];

/// The glob for what stands behind a folder or a prefix; `None`: what is usual there. With `subfolders`
/// a pattern without a slash is about the last part alone, however deep it stands.
pub(super) fn glob_below(pattern: Option<&str>, subfolders: Option<bool>) -> Option<String> {
    match (pattern, subfolders) {
        (None, None) => None,
        (None, Some(false)) => Some("*".to_owned()),
        (None, Some(true)) => Some("**/*".to_owned()),
        (Some(name), Some(true)) if !name.contains('/') => Some(format!("**/{name}")),
        (Some(pattern), _) => Some(pattern.to_owned()),
    }
}

/// Whether `after` is a name as the source gives them: one that begins as all below its `address` do, up to a
/// wildcard.
pub(super) fn check_after(kind: &str, after: &str, address: &str) -> Result<()> {
    let plain = address.split(['*', '?', '[']).next().unwrap_or_default();
    if after.starts_with(plain) {
        return Ok(());
    }
    let next =
        format!("give a whole name, as errors and origins have it; all begin with `{plain}`");
    Err(invalid(kind, "after", after, &next))
}

/// Whether the suffix says that somebody is still writing.
pub(super) fn is_unfinished(path: &Path) -> bool {
    path.extension().is_some_and(|suffix| UNFINISHED.iter().any(|u| suffix.eq_ignore_ascii_case(u)))
}

/// Whether the name says that it is not data: Spark's and Hive's own (`_SUCCESS`, `_temporary`,
/// `.part.crc`), hidden files, what accompanies data for people, and checksums. `_year=2026` is a
/// partition.
pub(super) fn is_aside(name: &str) -> bool {
    let is_reserved = name.starts_with('_') && !name.contains('=');
    // Keys, unlike paths, may have parts of such names.
    let is_hidden = name.starts_with('.') && !matches!(name, "." | "..");
    let (stem, suffix) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_any_of = |word: &str, words: &[&str]| words.iter().any(|w| word.eq_ignore_ascii_case(w));
    is_reserved
        || is_hidden
        || is_any_of(suffix, &BESIDE_DATA)
        || is_any_of(stem, &FOR_PEOPLE) && is_any_of(suffix, &["", "txt"])
}

const BESIDE_DATA: [&str; 7] = ["crc", "md", "md5", "sha1", "sha256", "sig", "asc"];
const FOR_PEOPLE: [&str; 4] = ["README", "LICENSE", "NOTICE", "CHANGELOG"];
