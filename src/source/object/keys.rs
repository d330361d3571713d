//! Escapes keys in listings that `object_store` cannot represent.
//!
//! The library refuses a whole page because of one key with an empty part, and trims slashes and spaces,
//! which makes another key. So such keys are escaped in the listing.

use std::borrow::Cow;

use object_store::path::Path;

/// The prefix of an escaped key, which is followed by its bytes in hex.
const ESCAPE: char = '\u{10FFFD}';

/// Escapes such keys in a page of a listing, of S3 (`Key`) or Azure (`Name`).
pub(super) fn escape_keys(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, opened, key, behind)) = next_key(rest) {
        out.push_str(before);
        out.push_str(opened);
        match quick_xml::escape::unescape(key) {
            Ok(plain) if !is_requestable(&plain) => {
                out.push(ESCAPE);
                out.push_str(&hex::encode(plain.as_bytes()));
            }
            _ => out.push_str(key),
        }
        rest = behind;
    }
    out + rest
}

/// The text before the next key, its tag, the key, and the text after it.
fn next_key(page: &str) -> Option<(&str, &str, &str, &str)> {
    const TAGS: [&str; 2] = ["<Key>", "<Name>"];
    let (at, opened) = TAGS.iter().filter_map(|tag| Some((page.find(tag)?, *tag))).min()?;
    let (before, from) = page.split_at(at);
    let from = &from[opened.len()..];
    let (key, behind) = from.split_at(from.find("</")?);
    Some((before, opened, key, behind))
}

fn is_requestable(key: &str) -> bool {
    key.trim() == key
        && !key.starts_with(ESCAPE)
        && Path::parse(key).is_ok_and(|path| path.as_ref() == key)
}

/// The key at `location`, and whether it can be requested.
pub(super) fn key_at(location: &Path) -> (Cow<'_, str>, bool) {
    let escape_keys = location.as_ref().strip_prefix(ESCAPE);
    match escape_keys.and_then(|digits| hex::decode(digits).ok()) {
        Some(bytes) => (String::from_utf8_lossy(&bytes).into_owned().into(), false),
        None => (location.as_ref().into(), true),
    }
}

/// The message about an object whose key cannot be requested.
pub(super) fn unrequestable(name: &str) -> String {
    let shown: String = name
        .chars()
        .map(|c| match c.is_control() {
            true => c.escape_default().to_string(),
            false => c.to_string(),
        })
        .collect();
    format!(
        "{shown} cannot be asked for by this key (empty parts, `.`, `..`, control characters, and \
         slashes or spaces at an end stand in the way): copy it to another key, or `sluice skip` it"
    )
}
