//! From the path in the settings to the files that are to be read, in order.

use std::fs;
use std::path::Path;

use super::listing::{Listing, MATCHING, unreadable};
use crate::error::{Error, Result};
use crate::host::HostRules;

/// The files a path stands for, sorted by name in byte order.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) names: Vec<String>,
    /// What was passed over, and that there was nothing to read.
    pub(super) remarks: Vec<String>,
}

/// Finds the files that `path` names: itself, the files of a folder, or a glob's matches.
pub(super) fn discover(path: &str, host: &HostRules) -> Result<Found> {
    // A name with brackets that exists is taken by its word before it is taken as a glob.
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => found(Listing::of_folder(path, host), || {
            format!("folder `{path}` holds no file to read")
        }),
        Ok(meta) if meta.is_file() => Ok(Found {
            names: vec![path.to_owned()],
            remarks: Vec::new(),
        }),
        Ok(_) => Err(not_regular(path)),
        Err(_) if is_glob(path) => found(Listing::of_glob(path, host)?, || {
            format!("no file matches `{path}`")
        }),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::failed(format!("there is no file `{path}`"))
                .next("check the path; it is taken relative to the folder `sluice` runs in"))
        }
        Err(cause) => Err(unreadable(path, cause)),
    }
}

/// An error about a pipe, a socket or a device.
pub(super) fn not_regular(path: &str) -> Error {
    Error::failed(format!("`{path}` is not a regular file")).next(format!(
        "pipe it in: sluice run … < {path}, with the path `-`"
    ))
}

/// Whether what `path` stands for may be listed and read here, for those who ask beforehand.
pub fn is_readable(path: &str, host: &HostRules) -> Result<()> {
    host.file(root(path))?;
    match discover(path, host)?.names.first() {
        Some(name) => fs::File::open(name)
            .map(drop)
            .map_err(|cause| unreadable(name, cause)),
        None => Ok(()),
    }
}

/// Where the files of `path` are looked for: itself, or the folder before a glob's first
/// wildcard.
pub(super) fn root(path: &str) -> &Path {
    if !is_glob(path) || Path::new(path).exists() {
        return Path::new(path);
    }
    let is_plain = |part: &Path| !is_glob(&part.to_string_lossy());
    match Path::new(path).ancestors().find(|part| is_plain(part)) {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => Path::new(path),
    }
}

fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

fn found(listing: Listing<'_>, nothing: impl Fn() -> String) -> Result<Found> {
    let (mut names, mut remarks) = listing.list()?;
    names.sort_unstable();
    if names.is_empty() {
        remarks.insert(0, nothing());
    }
    Ok(Found { names, remarks })
}

/// Whether `path` stands for the file `name`, should it be there.
pub(super) fn covers(path: &str, name: &str) -> bool {
    let is_in_folder = Path::new(name).parent() == Some(Path::new(path));
    let matches = |pattern: glob::Pattern| pattern.matches_with(name, MATCHING);
    path == name || is_in_folder || glob::Pattern::new(path).is_ok_and(matches)
}
