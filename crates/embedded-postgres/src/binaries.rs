//! Finds PostgreSQL's programs on this machine.

use crate::account::Account;
use crate::error::{Error, Result};
use crate::{EmbeddedPostgres, folder, links, places};
use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// The versions this was tried with.
const SUPPORTED: RangeInclusive<u32> = 15..=18;

/// The version that `install` fetches.
const FETCHED: u32 = 18;

/// The value of `PG_BIN` that means: what `install` has installed, and nothing else.
const INSTALLED: &str = "installed";

/// A folder with `initdb`, `pg_ctl` and `postgres` of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binaries {
    pub(crate) folder: PathBuf,
    pub(crate) major: u32,
}

impl Binaries {
    /// The programs to use for the clusters of `existing` versions under `clusters`; any
    /// supported version if there is none yet. `PG_BIN` has the last word.
    pub(crate) fn find(
        postgres: &EmbeddedPostgres,
        existing: &[u32],
        clusters: &Path,
    ) -> Result<Binaries> {
        let major = existing.first().copied().unwrap_or(*SUPPORTED.end());
        let account = Account::of(&folder::of_major(clusters, major), postgres)?;
        let mut search = Search::new(existing);
        let programs = postgres.programs();
        let found = match std::env::var_os("PG_BIN").filter(|folder| !folder.is_empty()) {
            None => search.through(places::all(&programs), &account),
            Some(word) if word == INSTALLED => {
                search.through(places::installed(&programs), &account)
            }
            Some(folder) => search.through([named(&folder)?], &account),
        };
        found.ok_or_else(|| search.in_vain(clusters, postgres))
    }

    /// The programs in `folder`; `None`: there are none. They must run for `account`.
    pub(crate) fn at(folder: &Path, account: &Account) -> Result<Option<Binaries>> {
        if !is_complete(folder) {
            return Ok(None);
        }
        links::restore(folder)?;
        // From /, where everybody may be.
        let said = account.output(&folder.join("postgres"), &["--version"])?;
        account.output(&folder.join("initdb"), &["--version"])?;
        let major = parse_major(&said).ok_or_else(|| {
            Error::failed(format!("\"{}\" is no version of PostgreSQL", said.trim()))
        })?;
        Ok(Some(Binaries { folder: folder.to_owned(), major }))
    }

    /// The path of one program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn is_complete(folder: &Path) -> bool {
    ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file())
}

fn named(pg_bin: &OsStr) -> Result<PathBuf> {
    let folder = PathBuf::from(pg_bin);
    if is_complete(&folder) {
        return Ok(folder);
    }
    Err(Error::usage(format!(
        "PG_BIN is \"{}\", but initdb, pg_ctl and postgres are not there",
        pg_bin.display()
    ))
    .next("set PG_BIN to the folder that has them, or unset it"))
}

/// A search for programs that suit, and what it passed over.
struct Search<'a> {
    existing: &'a [u32],
    passed_over: Vec<String>,
}

impl<'a> Search<'a> {
    fn new(existing: &'a [u32]) -> Self {
        Search { existing, passed_over: Vec::new() }
    }

    fn through(
        &mut self,
        folders: impl IntoIterator<Item = PathBuf>,
        account: &Account,
    ) -> Option<Binaries> {
        for folder in folders {
            match Binaries::at(&folder, account) {
                Ok(None) => {}
                Ok(Some(binaries)) if self.suits(binaries.major) => return Some(binaries),
                Ok(Some(binaries)) => self.pass_over(&folder, &binaries.major.to_string()),
                Err(error) => self.pass_over(&folder, &error.to_string()),
            }
        }
        None
    }

    fn suits(&self, major: u32) -> bool {
        SUPPORTED.contains(&major) && (self.existing.is_empty() || self.existing.contains(&major))
    }

    fn pass_over(&mut self, folder: &Path, what: &str) {
        let line = format!("installed in {}: {what}", folder.display());
        // The same folder may be in the path as well.
        if !self.passed_over.contains(&line) {
            self.passed_over.push(line);
        }
    }

    fn in_vain(self, clusters: &Path, postgres: &EmbeddedPostgres) -> Error {
        let error = match (self.existing, self.passed_over.is_empty()) {
            ([], true) => not_installed("PostgreSQL is not installed here", postgres),
            ([], false) => not_installed(
                format!(
                    "the embedded server needs PostgreSQL {} to {}",
                    SUPPORTED.start(),
                    SUPPORTED.end()
                ),
                postgres,
            ),
            _ => cluster_of_another(self.existing, clusters, postgres),
        };
        self.passed_over.into_iter().fold(error, Error::detail)
    }
}

fn not_installed(message: impl Into<String>, postgres: &EmbeddedPostgres) -> Error {
    let fetch = (postgres.installed_by.as_ref()).map(|it| format!("fetch it, as any user: {it}"));
    let instead: String =
        (fetch.iter()).chain(&postgres.instead).map(|way| format!("\n         {way}")).collect();
    let mut error = Error::usage(message).next(format!(
        "do one of these:{instead}\n\
         \x20        install it: apt-get install postgresql (Debian, Ubuntu), dnf install postgresql-server (Fedora), \
         brew install postgresql@{}\n\
         \x20        have it elsewhere: set PG_BIN to the folder with initdb, pg_ctl and postgres",
        SUPPORTED.end()
    ));
    error.is_not_installed = true;
    error
}

fn cluster_of_another(existing: &[u32], clusters: &Path, postgres: &EmbeddedPostgres) -> Error {
    let made_by = existing.iter().map(u32::to_string).collect::<Vec<_>>().join(" and ");
    let fetch = (postgres.installed_by.as_ref())
        .filter(|_| existing.contains(&FETCHED))
        .map_or(String::new(), |it| format!(" (`{it}` fetches {FETCHED})"));
    Error::usage(format!(
        "the embedded cluster in \"{}\" was made by PostgreSQL {made_by}, which is not installed",
        clusters.display()
    ))
    .next(format!(
        "install PostgreSQL {made_by}{fetch} or set PG_BIN to its programs; to start anew and lose the data, \
         delete that folder; to keep both, {} another folder",
        postgres.choose_home
    ))
}

/// `postgres (PostgreSQL) 17.2 (Debian 17.2-1)`, `postgres (PostgreSQL) 18beta1`
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL)")?.1.trim_start();
    let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..end].parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
