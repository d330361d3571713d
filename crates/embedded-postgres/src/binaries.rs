//! Finds PostgreSQL's programs on this machine.

use crate::EmbeddedPostgres;
use crate::error::{Error, Result};
use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The versions this was tried with.
const SUPPORTED: RangeInclusive<u32> = 15..=18;

/// Where distributions put the programs.
const USUAL: [&str; 6] = [
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/usr/local/pgsql/bin",
    "/usr/bin",
];

/// A folder with `initdb`, `pg_ctl` and `postgres` of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binaries {
    folder: PathBuf,
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
        let pg_bin = std::env::var_os("PG_BIN").filter(|folder| !folder.is_empty());
        let found = match pg_bin {
            Some(folder) => vec![Self::named(&folder)?],
            None => candidates()
                .iter()
                .filter_map(|folder| Self::at(folder))
                .collect(),
        };
        choose(found, existing, clusters, postgres)
    }

    fn named(pg_bin: &OsStr) -> Result<Binaries> {
        Self::at(Path::new(pg_bin)).ok_or_else(|| {
            Error::usage(format!(
                "PG_BIN is \"{}\", but initdb, pg_ctl and postgres are not there",
                pg_bin.display()
            ))
            .next("set PG_BIN to the folder that has them, or unset it")
        })
    }

    fn at(folder: &Path) -> Option<Binaries> {
        let complete = ["initdb", "pg_ctl", "postgres"]
            .iter()
            .all(|program| folder.join(program).is_file());
        if !complete {
            return None;
        }
        let output = Command::new(folder.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        Some(Binaries {
            folder: folder.to_owned(),
            major: parse_major(&String::from_utf8_lossy(&output.stdout))?,
        })
    }

    /// The path of one program.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The folders to look into, best first: what the user's environment prefers, then the
/// usual ones, newest version first.
fn candidates() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        folders.push(PathBuf::from(
            String::from_utf8_lossy(&output.stdout).trim(),
        ));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    let mut usual: Vec<PathBuf> = USUAL
        .iter()
        .flat_map(|pattern| glob::glob(pattern).into_iter().flatten().flatten())
        .collect();
    usual.sort_by_key(|folder| std::cmp::Reverse(version_in_path(folder)));
    folders.extend(usual);
    folders
}

/// The number in `/usr/lib/postgresql/17/bin`.
fn version_in_path(folder: &Path) -> u32 {
    folder
        .to_string_lossy()
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .next_back()
        .unwrap_or(0)
}

/// `postgres (PostgreSQL) 17.2 (Debian 17.2-1)`, `postgres (PostgreSQL) 18beta1`
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split_once("(PostgreSQL)")?.1.trim_start();
    let end = number
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(number.len());
    number[..end].parse().ok()
}

fn choose(
    found: Vec<Binaries>,
    existing: &[u32],
    clusters: &Path,
    postgres: &EmbeddedPostgres,
) -> Result<Binaries> {
    let versions: Vec<String> = found
        .iter()
        .map(|binaries| format!("{} in {}", binaries.major, binaries.folder.display()))
        .collect();
    let usable: Vec<Binaries> = found
        .into_iter()
        .filter(|binaries| SUPPORTED.contains(&binaries.major))
        .collect();
    if usable.is_empty() {
        return Err(none_usable(&versions, postgres));
    }
    if existing.is_empty() {
        // `usable` is not empty.
        return usable
            .into_iter()
            .next()
            .ok_or_else(|| none_usable(&versions, postgres));
    }
    usable
        .into_iter()
        .find(|binaries| existing.contains(&binaries.major))
        .ok_or_else(|| {
            let made_by = existing.iter().map(u32::to_string).collect::<Vec<_>>().join(" and ");
            Error::usage(format!(
                "the embedded cluster in \"{}\" was made by PostgreSQL {made_by}, which is not installed",
                clusters.display()
            ))
            .detail(format!("installed: {}", versions.join(", ")))
            .next(format!(
                "install PostgreSQL {made_by} or set PG_BIN to its programs; to start anew and lose the data, \
                 delete that folder; to keep both, {} another folder",
                postgres.choose_home
            ))
        })
}

fn none_usable(versions: &[String], postgres: &EmbeddedPostgres) -> Error {
    let (first, last) = (SUPPORTED.start(), SUPPORTED.end());
    let error = if versions.is_empty() {
        Error::usage("PostgreSQL is not installed here")
    } else {
        Error::usage(format!(
            "the embedded server needs PostgreSQL {first} to {last}"
        ))
        .detail(format!("installed: {}", versions.join(", ")))
    };
    let instead: String = postgres
        .instead
        .iter()
        .map(|way| format!("\n         {way}"))
        .collect();
    error.next(format!(
        "do one of these:\n\
         \x20        install it: apt-get install postgresql (Debian, Ubuntu), dnf install postgresql-server (Fedora), \
         brew install postgresql@{last}\n\
         \x20        have it elsewhere: set PG_BIN to the folder with initdb, pg_ctl and postgres{instead}"
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn version(major: u32) -> Binaries {
        Binaries {
            folder: format!("/pg/{major}").into(),
            major,
        }
    }

    fn chosen(found: &[u32], existing: &[u32]) -> Result<u32> {
        let found = found.iter().map(|major| version(*major)).collect();
        let postgres = EmbeddedPostgres::new("/home/.postgres", "shop")
            .home_is_chosen_by("set SHOP_HOME to")
            .or_instead("use a server: set SHOP_URL");
        choose(found, existing, &postgres.home, &postgres).map(|binaries| binaries.major)
    }

    #[test]
    fn versions_are_read_from_what_postgres_prints() {
        assert_eq!(
            parse_major("postgres (PostgreSQL) 15.18 (Debian 15.18-1)\n"),
            Some(15)
        );
        assert_eq!(parse_major("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_major("postgres (PostgreSQL) 19devel"), Some(19));
        assert_eq!(parse_major("EnterpriseDB"), None);
        assert_eq!(version_in_path(Path::new("/usr/lib/postgresql/17/bin")), 17);
        assert_eq!(version_in_path(Path::new("/usr/local/pgsql/bin")), 0);
    }

    #[test]
    fn an_existing_cluster_decides_the_version() {
        assert_eq!(chosen(&[17, 15], &[]).unwrap(), 17);
        assert_eq!(chosen(&[17, 15], &[15]).unwrap(), 15);
        assert_eq!(chosen(&[14, 19, 16], &[]).unwrap(), 16);
    }

    #[test]
    fn a_cluster_of_a_version_not_installed_is_refused() {
        let message = chosen(&[17], &[15]).unwrap_err().to_string();
        assert!(message.contains("was made by PostgreSQL 15"), "{message}");
        assert!(
            message.contains("17 in /pg/17") && message.contains("set SHOP_HOME to another folder"),
            "{message}"
        );
    }

    #[test]
    fn nothing_usable_names_every_way_out() {
        let nothing = chosen(&[], &[]).unwrap_err().to_string();
        for way in [
            "apt-get install postgresql",
            "dnf",
            "brew",
            "PG_BIN",
            "use a server: set SHOP_URL",
        ] {
            assert!(nothing.contains(way), "{nothing}");
        }
        let old = chosen(&[14], &[]).unwrap_err().to_string();
        assert!(
            old.contains("15 to 18") && old.contains("14 in /pg/14"),
            "{old}"
        );
    }

    #[test]
    fn pg_bin_must_hold_the_programs() {
        let message = Binaries::named(OsStr::new("/nonexistent"))
            .unwrap_err()
            .to_string();
        assert!(message.contains("PG_BIN is \"/nonexistent\""), "{message}");
    }
}
