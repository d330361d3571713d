//! Whom the server runs as. PostgreSQL refuses root.

use crate::EmbeddedPostgres;
use crate::error::{Error, Result};
use nix::errno::Errno;
use nix::unistd::{Uid, User, geteuid};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Users fit to run a server for root, best first.
const UNPRIVILEGED: [&str; 2] = ["postgres", "nobody"];

/// The operating system's user behind the server.
#[derive(Debug, Clone)]
pub(crate) enum Account {
    /// This process's own.
    Own,
    /// Another one; this process is root.
    Other(User),
}

impl Account {
    /// The user for the cluster in `folder`: its owner, if it is there.
    pub(crate) fn of(folder: &Path, postgres: &EmbeddedPostgres) -> Result<Account> {
        let owner = std::fs::symlink_metadata(folder).ok().map(|it| Uid::from_raw(it.uid()));
        if geteuid().is_root() {
            return Self::for_root(owner.filter(|owner| !owner.is_root()));
        }
        match owner {
            Some(owner) if owner != geteuid() => Err(Error::usage(format!(
                "the embedded cluster in \"{}\" belongs to {}",
                folder.display(),
                name_of(owner)
            ))
            .next(format!(
                "run as that user or as root, or {} a folder of your own",
                postgres.choose_home
            ))),
            _ => Ok(Account::Own),
        }
    }

    fn for_root(owner: Option<Uid>) -> Result<Account> {
        let user = match owner {
            Some(owner) => User::from_uid(owner).ok().flatten(),
            None => UNPRIVILEGED.iter().find_map(|name| User::from_name(name).ok().flatten()),
        };
        user.map(Account::Other).ok_or_else(|| {
            Error::usage("PostgreSQL does not run as root, and there is no other user to run it")
                .next("run as another user, or create one named \"postgres\" (useradd --system postgres)")
        })
    }

    /// The user's number.
    pub(crate) fn uid(&self) -> u32 {
        match self {
            Account::Own => geteuid().as_raw(),
            Account::Other(user) => user.uid.as_raw(),
        }
    }

    /// A command that runs as this user in `folder`, free of our `PG*` variables and in
    /// plain English. As root, the standard library also drops the supplementary groups.
    pub(crate) fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C");
        if let Account::Other(user) = self {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// What a program prints for this user.
    pub(crate) fn output(&self, program: &Path, args: &[&str]) -> Result<String> {
        if matches!(self, Account::Other(_)) {
            // What fails for everybody is better explained without a change of user.
            Account::Own.output(program, args)?;
        }
        let failed = |why| Error::failed(format!("{} does not run: {why}", program.display()));
        // In /, where everybody may be.
        let output =
            self.command(program, Path::new("/")).args(args).output().map_err(|error| {
                failed(match (error.kind(), self) {
                    // The kernel speaks of the program's loader.
                    (ErrorKind::NotFound, _) => "it was made for another C library".to_owned(),
                    (ErrorKind::PermissionDenied, Account::Other(user)) => {
                        format!("user \"{}\" may not", user.name)
                    }
                    _ if error.raw_os_error() == Some(Errno::ENOEXEC as i32) => {
                        "it was made for another machine".to_owned()
                    }
                    _ => error.to_string(),
                })
            })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(failed(match said.lines().last() {
            Some(last) => last.to_owned(),
            None => output.status.to_string(),
        }))
    }

    /// Whether this user can reach `folder`: tried, because access lists and mount options
    /// have a say too.
    pub(crate) fn can_enter(&self, folder: &Path) -> bool {
        match self {
            Account::Own => true,
            Account::Other(_) => self
                .command(Path::new("/bin/sh"), folder)
                .args(["-c", ":"])
                .status()
                .is_ok_and(|status| status.success()),
        }
    }

    /// Makes a folder that only this user (and root) can enter, or checks that it is one. In a folder that
    /// others can write to, somebody may have put something else there before us.
    pub(crate) fn private_folder(&self, folder: &Path, postgres: &EmbeddedPostgres) -> Result<()> {
        let failed = |cause| {
            Error::failed(format!("the folder \"{}\" cannot be made", folder.display()))
                .caused_by(cause)
        };
        match std::fs::DirBuilder::new().mode(0o700).create(folder) {
            Ok(()) => {
                if let Account::Other(user) = self {
                    let (uid, gid) = (user.uid.as_raw(), user.gid.as_raw());
                    lchown(folder, Some(uid), Some(gid)).map_err(failed)?;
                }
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let found = std::fs::symlink_metadata(folder).map_err(failed)?;
                if found.is_dir() && found.uid() == self.uid() && found.mode() & 0o077 == 0 {
                    return Ok(());
                }
                Err(Error::failed(format!(
                    "\"{}\" is in the way: it should be a folder only {} can enter",
                    folder.display(),
                    name_of(Uid::from_raw(self.uid()))
                ))
                .next(format!(
                    "look at it and remove it, or {} another folder",
                    postgres.choose_home
                )))
            }
            Err(error) => Err(failed(error)),
        }
    }
}

/// A user's name for messages.
pub(crate) fn name_of(uid: Uid) -> String {
    match User::from_uid(uid) {
        Ok(Some(user)) => format!("user \"{}\"", user.name),
        _ => format!("user number {uid}"),
    }
}
