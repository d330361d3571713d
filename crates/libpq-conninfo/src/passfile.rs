//! `.pgpass`: one password a line, `host:port:database:user:password`.

use crate::environment::Environment;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Whom a password is wanted for.
pub(crate) struct Wanted<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) dbname: &'a str,
    pub(crate) user: &'a str,
}

/// The password of the first line that fits, from `file` or else `~/.pgpass`.
pub(crate) fn lookup(
    file: Option<&str>,
    environment: &Environment,
    wanted: &Wanted<'_>,
) -> Option<String> {
    let path = match file {
        Some(file) => PathBuf::from(file),
        None => environment.in_home(".pgpass")?,
    };
    if !is_private(&path)? {
        tracing::warn!(
            "password file \"{}\" has group or world access and is ignored; run chmod 0600 on it",
            path.display()
        );
        return None;
    }
    find(&std::fs::read_to_string(&path).ok()?, wanted)
}

/// Whether only the owner can read the file; `None`: there is no such plain file.
fn is_private(path: &Path) -> Option<bool> {
    let metadata = std::fs::metadata(path).ok()?;
    metadata.is_file().then(|| metadata.permissions().mode() & 0o077 == 0)
}

/// The password of the first line that fits.
pub(crate) fn find(text: &str, wanted: &Wanted<'_>) -> Option<String> {
    let port = wanted.port.to_string();
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let mut rest = line;
        for value in [wanted.host, port.as_str(), wanted.dbname, wanted.user] {
            let (field, is_wildcard, after) = next_field(rest)?;
            if !is_wildcard && field != value {
                return None;
            }
            rest = after;
        }
        // The password goes to the next colon; anything after it is reserved.
        let password = match next_field(rest) {
            Some((password, _, _)) => password,
            None => unescape(rest),
        };
        (!password.is_empty()).then_some(password)
    })
}

/// The field up to the next unescaped colon, whether it is a bare `*`, and what follows.
fn next_field(text: &str) -> Option<(String, bool, &str)> {
    let mut escaped = false;
    for (index, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ':' => {
                let raw = &text[..index];
                return Some((unescape(raw), raw == "*", &text[index + 1..]));
            }
            _ => {}
        }
    }
    None
}

/// Takes the backslashes away.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => plain.extend(characters.next()),
            c => plain.push(c),
        }
    }
    plain
}
