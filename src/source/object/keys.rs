//! Takes keys through the library's listing that it could not ask for as they are.
//!
//! The library refuses a whole page because of one key with an empty part, and cuts a slash or a space off
//! a key's end, which makes it another key. So such keys pass through it in disguise.

use std::borrow::Cow;

use object_store::path::Path;

/// What a disguised key begins with; behind it are the key's bytes in hexadecimal digits.
const DISGUISE: char = '\u{10FFFD}';

/// The page of a listing with such keys disguised, of S3 (`Key`) or Azure (`Name`).
pub(super) fn disguised(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, opened, key, behind)) = next_key(rest) {
        out.push_str(before);
        out.push_str(opened);
        match quick_xml::escape::unescape(key) {
            Ok(plain) if !can_be_asked_for(&plain) => {
                out.push(DISGUISE);
                out.push_str(&hex::encode(plain.as_bytes()));
            }
            _ => out.push_str(key),
        }
        rest = behind;
    }
    out + rest
}

/// What stands before the next key, its tag, the key, and what stands behind it.
fn next_key(page: &str) -> Option<(&str, &str, &str, &str)> {
    const TAGS: [&str; 2] = ["<Key>", "<Name>"];
    let (at, opened) = TAGS
        .iter()
        .filter_map(|tag| Some((page.find(tag)?, *tag)))
        .min()?;
    let (before, from) = page.split_at(at);
    let from = &from[opened.len()..];
    let (key, behind) = from.split_at(from.find("</")?);
    Some((before, opened, key, behind))
}

fn can_be_asked_for(key: &str) -> bool {
    key.trim() == key
        && !key.starts_with(DISGUISE)
        && Path::parse(key).is_ok_and(|path| path.as_ref() == key)
}

/// The key at `location`, and whether it can be asked for.
pub(super) fn key_at(location: &Path) -> (Cow<'_, str>, bool) {
    let disguised = location.as_ref().strip_prefix(DISGUISE);
    match disguised.and_then(|digits| hex::decode(digits).ok()) {
        Some(bytes) => (String::from_utf8_lossy(&bytes).into_owned().into(), false),
        None => (location.as_ref().into(), true),
    }
}

/// Said about an object whose key cannot be asked for.
pub(super) fn unaskable(name: &str) -> String {
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
