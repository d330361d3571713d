//! From the path in the settings to the files that are to be read, in order.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::source::names::{is_hidden, is_unfinished};

/// The files a path stands for, sorted by name in byte order.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) names: Vec<String>,
    /// Said at the end of the run when there was nothing to read.
    pub(super) remark: Option<String>,
}

/// Finds the files that `path` names: itself, the files of a folder, or a glob's matches.
pub(super) fn discover(path: &str) -> Result<Found> {
    // A name with brackets that exists is taken by its word before it is taken as a glob.
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => folder(path),
        Ok(meta) if meta.is_file() => Ok(Found {
            names: vec![path.to_owned()],
            remark: None,
        }),
        Ok(_) => Err(
            Error::failed(format!("`{path}` is not a regular file")).next(format!(
                "pipe it in: sluice run … < {path}, with the path `-`"
            )),
        ),
        Err(_) if is_glob(path) => matches(path),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::failed(format!("there is no file `{path}`"))
                .next("check the path; it is taken relative to the folder `sluice` runs in"))
        }
        Err(cause) => Err(unreadable(path, cause)),
    }
}

/// An error about a path that the system will not let us read.
pub(super) fn unreadable(path: &str, cause: std::io::Error) -> Error {
    Error::failed(format!("cannot read `{path}`"))
        .caused_by(cause)
        .next("check that it exists and that this user may read it")
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

fn folder(path: &str) -> Result<Found> {
    let mut names = Vec::new();
    for entry in fs::read_dir(path).map_err(|cause| unreadable(path, cause))? {
        let entry = entry.map_err(|cause| unreadable(path, cause))?;
        let file = entry.path();
        if is_hidden(&file) || is_unfinished(&file) || !file.is_file() {
            continue;
        }
        names.push(text(file)?);
    }
    Ok(sorted(names, || {
        format!("folder `{path}` holds no file to read")
    }))
}

/// Whether `path` stands for the file `name`, should it be there.
pub(super) fn covers(path: &str, name: &str) -> bool {
    let is_in_folder = Path::new(name).parent() == Some(Path::new(path));
    let matches = |pattern: glob::Pattern| pattern.matches_with(name, MATCHING);
    path == name || is_in_folder || glob::Pattern::new(path).is_ok_and(matches)
}

const MATCHING: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

fn matches(pattern: &str) -> Result<Found> {
    let paths = glob::glob_with(pattern, MATCHING).map_err(|cause| {
        Error::usage(format!("`{pattern}` is not a valid glob"))
            .caused_by(cause)
            .next("use `*`, `?` and `[…]`; write `[[]` for a bracket that means itself")
    })?;
    // Who asks for `*.part` by name gets it.
    let wants_unfinished = is_unfinished(Path::new(pattern));
    let mut names = Vec::new();
    for path in paths {
        let path = path.map_err(|cause| {
            let place = cause.path().display().to_string();
            unreadable(&place, cause.into())
        })?;
        if path.is_file() && (wants_unfinished || !is_unfinished(&path)) {
            names.push(text(path)?);
        }
    }
    Ok(sorted(names, || format!("no file matches `{pattern}`")))
}

fn sorted(mut names: Vec<String>, remark: impl Fn() -> String) -> Found {
    names.sort_unstable();
    Found {
        remark: names.is_empty().then(remark),
        names,
    }
}

/// Names are kept in Postgres as text, so they must be text.
fn text(path: PathBuf) -> Result<String> {
    path.into_os_string().into_string().map_err(|name| {
        Error::failed(format!(
            "the name of file `{}` is not valid UTF-8",
            name.to_string_lossy()
        ))
        .next("rename the file")
    })
}
