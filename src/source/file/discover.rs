//! Finds the files that a path means, in the order in which they are read.

use std::fs;
use std::path::Path;

use super::listing::{FileListing, MATCHING, unreadable};
use crate::error::{Error, Result};
use crate::host::HostRules;

/// The files that a path stands for, sorted by name in byte order.
#[derive(Debug, Default)]
pub(super) struct FoundFiles {
    pub(super) names: Vec<String>,
    /// What was passed over, or that there was nothing to read.
    pub(super) remarks: Vec<String>,
}

/// Where files are looked for.
#[derive(Debug, Clone)]
pub(super) struct FilePattern {
    /// A file, a folder or a glob.
    pub(super) path: String,
    /// Which of the files below the folder; `None`: those directly in it.
    pub(super) below: Option<String>,
}

impl FilePattern {
    /// Finds the files: the one that is named, those of a folder, or a glob's matches.
    pub(super) fn files(&self, host: &HostRules) -> Result<FoundFiles> {
        let path = self.path.as_str();
        host.file(root(path))?;
        // If a name with brackets exists, it is taken literally before it is taken as a glob.
        match (fs::metadata(path), &self.below) {
            (Ok(meta), None) if meta.is_dir() => found(FileListing::of_folder(path, host), || {
                format!("folder `{path}` holds no file to read")
            }),
            (Ok(meta), Some(below)) if meta.is_dir() => {
                found(FileListing::below_folder(path, below, host)?, || {
                    format!("no file in folder `{path}` matches `{below}`")
                })
            }
            (Ok(meta), None) if meta.is_file() => Ok(FoundFiles {
                names: vec![path.to_owned()],
                remarks: Vec::from_iter(is_glob(path).then(|| {
                    format!("`{path}` is the name of a file, which alone is read; if it is meant as a glob, rename that file")
                })),
            }),
            (Ok(_), None) => Err(not_regular(path)),
            (Err(_), None) if is_glob(path) => found(FileListing::of_glob(path, host)?, || {
                format!("no file matches `{path}`")
            }),
            (Err(cause), _) if cause.kind() == std::io::ErrorKind::NotFound => {
                let what = if self.below.is_some() {
                    "folder"
                } else {
                    "file"
                };
                Err(Error::failed(format!("there is no {what} `{path}`"))
                    .next("check the path; it is taken relative to the folder `sluice` runs in"))
            }
            (Err(cause), _) => Err(unreadable(path, cause)),
            (Ok(_), Some(_)) => Err(Error::failed(format!("`{path}` is not a folder"))
                .next("leave out `pattern` and `subfolders`, which pick files of one")),
        }
    }

    /// How many there are, if the first one can be opened.
    pub(super) fn readable(&self, host: &HostRules) -> Result<usize> {
        let names = self.files(host)?.names;
        if let Some(name) = names.first() {
            fs::File::open(name).map_err(|cause| unreadable(name, cause))?;
        }
        Ok(names.len())
    }

    /// Whether the file `name` would be found if it existed.
    pub(super) fn covers(&self, name: &str) -> bool {
        let matches = |pattern: &str, name: &str| {
            glob::Pattern::new(pattern).is_ok_and(|glob| glob.matches_with(name, MATCHING))
        };
        let folder = self.path.trim_end_matches('/');
        let below = name.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
        match (&self.below, below) {
            (Some(wanted), Some(below)) => matches(wanted, below),
            (Some(_), None) => false,
            (None, Some(below)) if !below.contains('/') => true,
            (None, _) => self.path == name || matches(&self.path, name),
        }
    }
}

/// An error about a pipe, a socket or a device.
pub(super) fn not_regular(path: &str) -> Error {
    Error::failed(format!("`{path}` is not a regular file"))
        .next(format!("pipe it in: sluice run … < {path}, with the path `-`"))
}

/// Where the files of `path` are looked for: itself, or the folder before a glob's first
/// wildcard.
fn root(path: &str) -> &Path {
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

fn found(listing: FileListing<'_>, nothing: impl Fn() -> String) -> Result<FoundFiles> {
    let (mut names, mut remarks) = listing.list()?;
    names.sort_unstable();
    if names.is_empty() {
        remarks.insert(0, nothing());
    }
    Ok(FoundFiles { names, remarks })
}
