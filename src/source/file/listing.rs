//! The files of a folder or a glob.
//!
//! Each folder is listed once, links to folders after the folders themselves: links in a circle
//! come to an end, and no file is read under two names. What is no file is never opened.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};
use walkdir::WalkDir;

use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::source::names::{is_aside, is_unfinished};
use crate::source::units::PassedOver;

pub(super) struct FileListing<'a> {
    /// The folder to begin with, as it appears in front of the names.
    base: String,
    wanted: NameFilter,
    host: &'a HostRules,
    names: Vec<String>,
    /// Folders that were listed, by device and inode.
    listed: HashSet<(u64, u64)>,
    passed_over: PassedOver,
}

/// Which of the files below the folder.
enum NameFilter {
    /// Those that stand in it.
    All,
    Matches {
        whole: Pattern,
        parts: Vec<Pattern>,
    },
}

impl NameFilter {
    fn by_glob(below: &str) -> Result<Self> {
        Ok(NameFilter::Matches {
            whole: pattern(below)?,
            parts: below.split('/').map(pattern).collect::<Result<_>>()?,
        })
    }
}

fn pattern(text: &str) -> Result<Pattern> {
    Pattern::new(text).map_err(|cause| {
        Error::usage(format!("`{text}` is not a valid glob"))
            .caused_by(cause)
            .next("use `*`, `?` and `[…]`; write `[[]` for a bracket that means itself")
    })
}

impl<'a> FileListing<'a> {
    pub(super) fn of_folder(path: &str, host: &'a HostRules) -> Self {
        Self::new(path.to_owned(), NameFilter::All, host)
    }

    pub(super) fn of_glob(path: &str, host: &'a HostRules) -> Result<Self> {
        pattern(path)?;
        // `./a*` and `a*` find the same names.
        let mut plain = path;
        while let Some(rest) = plain.strip_prefix("./") {
            plain = rest.trim_start_matches('/');
        }
        let wild = plain.find(['*', '?', '[']).unwrap_or(plain.len());
        let (base, below) = plain.split_at(plain[..wild].rfind('/').map_or(0, |at| at + 1));
        Ok(Self::new(base.to_owned(), NameFilter::by_glob(below)?, host))
    }

    /// The files of the folder `path` whose names below it match.
    pub(super) fn below_folder(path: &str, below: &str, host: &'a HostRules) -> Result<Self> {
        Ok(Self::new(path.to_owned(), NameFilter::by_glob(below)?, host))
    }

    fn new(base: String, wanted: NameFilter, host: &'a HostRules) -> Self {
        FileListing {
            base,
            wanted,
            host,
            names: Vec::new(),
            listed: HashSet::new(),
            passed_over: PassedOver::default(),
        }
    }

    /// The names, in no order, and what to say about those left out.
    pub(super) fn list(mut self) -> Result<(Vec<String>, Vec<String>)> {
        let mut links = VecDeque::new();
        self.walk(Path::new(""), &mut links)?;
        while let Some(link) = links.pop_front() {
            self.walk(&link, &mut links)?;
        }
        Ok((self.names, self.passed_over.remarks()))
    }

    /// Lists the folder `below` the first one; links to folders are left for later.
    fn walk(&mut self, below: &Path, links: &mut VecDeque<PathBuf>) -> Result<()> {
        let base = PathBuf::from(&self.base);
        let folder = base.join(below);
        let root = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => &folder,
        };
        if !root.is_dir() {
            return Ok(());
        }
        self.host.file(root)?;
        if !self.is_new(root)? {
            return Ok(());
        }
        let mut entries = WalkDir::new(root)
            .min_depth(1)
            .max_depth(match self.wanted {
                NameFilter::All => 1,
                NameFilter::Matches { .. } => usize::MAX,
            })
            // All of one folder: names differ where their paths do.
            .sort_by(|a, b| a.path().as_os_str().cmp(b.path().as_os_str()))
            .into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(cause) if is_gone(&cause) => continue,
                Err(cause) => {
                    let place = cause.path().unwrap_or(root).display().to_string();
                    return Err(unreadable(&place, cause.into()));
                }
            };
            let is_link = entry.path_is_symlink();
            // A link counts as what it leads to.
            let kind = match is_link {
                true => fs::metadata(entry.path()).ok().map(|found| found.file_type()),
                false => Some(entry.file_type()),
            };
            let path = match self.base.as_str() {
                // `*.csv` means the names as they stand in this folder.
                "" => strip(entry.path(), Path::new(".")).to_owned(),
                _ => entry.into_path(),
            };
            match kind {
                Some(kind) if kind.is_dir() => {
                    let leads_on = self.leads_on(&path);
                    if is_link && leads_on && self.leads_out(&path) {
                        self.passed_over.leading_out.add(&path.display().to_string());
                    } else if is_link && leads_on {
                        links.push_back(strip(&path, Path::new(&self.base)).to_owned());
                    } else if !(is_link || leads_on && self.is_new(&path)?) {
                        entries.skip_current_dir();
                    }
                }
                _ if !self.wants(&path) => {}
                None => self.passed_over.dangling.add(&path.display().to_string()),
                Some(_) if is_link && self.leads_out(&path) => {
                    self.passed_over.leading_out.add(&path.display().to_string());
                }
                Some(kind) if kind.is_file() => self.names.push(text(path)?),
                Some(_) => self.passed_over.special.add(&path.display().to_string()),
            }
        }
        Ok(())
    }

    /// Whether a link leads out of the folder: who may write to it is not to choose what else is read.
    fn leads_out(&self, link: &Path) -> bool {
        let folder = match self.base.as_str() {
            "" => ".",
            base => base,
        };
        self.host.leads_out(Path::new(folder), link)
    }

    /// Whether the folder was not listed before.
    fn is_new(&mut self, folder: &Path) -> Result<bool> {
        // The folder of `*.csv` is written as nothing.
        let place = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        let meta = match fs::metadata(place) {
            Ok(meta) => meta,
            Err(cause) if cause.kind() == ErrorKind::NotFound => return Ok(false),
            Err(cause) => return Err(unreadable(&place.display().to_string(), cause)),
        };
        let is_new = self.listed.insert((meta.dev(), meta.ino()));
        if !is_new {
            self.passed_over.listed_again.add(&folder.display().to_string());
        }
        Ok(is_new)
    }

    /// Whether files that match may be in the folder or deeper.
    fn leads_on(&mut self, path: &Path) -> bool {
        let NameFilter::Matches { parts, .. } = &self.wanted else {
            return false;
        };
        let below = strip(path, Path::new(&self.base));
        let plain = parts.iter().take_while(|part| part.as_str() != "**");
        let (known, depth) = (plain.clone().count(), below.components().count());
        let fits = (known < parts.len() || depth < parts.len())
            && plain.zip(below.components()).all(|(part, name)| {
                part.matches_with(&name.as_os_str().to_string_lossy(), ANY_DOT)
            });
        fits && !self.is_put_aside(path)
    }

    /// Whether the file is asked for.
    fn wants(&mut self, path: &Path) -> bool {
        let (fits, wants_unfinished) = match &self.wanted {
            NameFilter::All => (true, false),
            NameFilter::Matches { whole, .. } => (
                whole.matches_with(&strip(path, Path::new(&self.base)).to_string_lossy(), ANY_DOT),
                // Who asks for `*.part` by name gets it.
                is_unfinished(Path::new(whole.as_str())),
            ),
        };
        fits && (wants_unfinished || !is_unfinished(path)) && !self.is_put_aside(path)
    }

    /// Whether its name says that it is not data, and it was not asked for by that name.
    fn is_put_aside(&mut self, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_named = match &self.wanted {
            NameFilter::All => false,
            NameFilter::Matches { parts, .. } => parts
                .iter()
                .any(|part| is_aside(part.as_str()) && part.matches_with(&name, MATCHING)),
        };
        let is_put_aside = is_aside(&name) && !is_named;
        if is_put_aside {
            self.passed_over.aside.add(&path.display().to_string());
        }
        is_put_aside
    }
}

pub(super) const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

const ANY_DOT: MatchOptions = MatchOptions { require_literal_leading_dot: false, ..MATCHING };

/// The path below the folder.
fn strip<'a>(path: &'a Path, folder: &Path) -> &'a Path {
    path.strip_prefix(folder).unwrap_or(path)
}

/// Whether the folder went away while it was listed.
fn is_gone(cause: &walkdir::Error) -> bool {
    cause.io_error().is_some_and(|cause| cause.kind() == ErrorKind::NotFound)
}

/// Names are kept in Postgres as text, so they must be text.
fn text(path: PathBuf) -> Result<String> {
    path.into_os_string().into_string().map_err(|name| {
        Error::failed(format!("the name of file `{}` is not valid UTF-8", name.to_string_lossy()))
            .next("rename the file")
    })
}

/// An error about a path that the system will not let us read.
pub(super) fn unreadable(path: &str, cause: std::io::Error) -> Error {
    Error::failed(format!("cannot read `{path}`"))
        .caused_by(cause)
        .next("check that it exists and that this user may read it")
}
