//! The folders of the embedded server, and the lock on them.

use crate::error::{Error, Result};
use crate::{EmbeddedPostgres, PORT};
use sha2::{Digest, Sha256};
use std::fs::{File, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Names the folder of the clusters if it is not this one.
const POINTER: &str = "elsewhere";

/// The kernel's limit is 107 on Linux and 103 on macOS.
const LONGEST_SOCKET: usize = 100;

/// The folder the user sees, with its real path.
#[derive(Debug)]
pub(crate) struct Home<'a> {
    pub(crate) postgres: &'a EmbeddedPostgres,
    path: PathBuf,
}

impl<'a> Home<'a> {
    /// Makes the folder if need be. It keeps itself out of version control.
    pub(crate) fn create(postgres: &'a EmbeddedPostgres) -> Result<Self> {
        let path = postgres.home.as_path();
        let failed = |cause| {
            Error::failed(format!("the folder \"{}\" cannot be made", path.display()))
                .next(format!("{} a folder you can write to", postgres.choose_home))
                .caused_by(cause)
        };
        std::fs::create_dir_all(path).map_err(failed)?;
        let ignore = path.join(".gitignore");
        if !ignore.exists() {
            std::fs::write(ignore, "*\n").map_err(failed)?;
        }
        let path = path.canonicalize().map_err(failed)?;
        Ok(Home { postgres, path })
    }

    /// The folder, if it is there.
    pub(crate) fn existing(postgres: &'a EmbeddedPostgres) -> Result<Option<Self>> {
        let path = postgres.home.as_path();
        match path.canonicalize() {
            Ok(path) => Ok(Some(Home { postgres, path })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(Error::failed(format!("the folder \"{}\" cannot be read", path.display()))
                    .caused_by(error))
            }
        }
    }

    /// Waits for our turn to start or stop the server. Dropping the file ends it, and so
    /// does any death of the process.
    pub(crate) fn lock(&self) -> Result<File> {
        let path = self.path.join("lock");
        let failed = |cause| {
            Error::failed(format!("\"{}\" cannot be locked", path.display()))
                .next(format!(
                    "run as the owner of that folder, or {} a folder of your own",
                    self.postgres.choose_home
                ))
                .caused_by(cause)
        };
        let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }

    /// The folder of the clusters.
    pub(crate) fn clusters(&self) -> Result<PathBuf> {
        let pointer = self.path.join(POINTER);
        match std::fs::read_to_string(&pointer) {
            Ok(text) => {
                let folder = PathBuf::from(text.trim_end());
                // Whoever deleted it wanted to start anew.
                Ok(if folder.is_dir() { folder } else { self.path.clone() })
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(self.path.clone()),
            Err(error) => {
                Err(Error::failed(format!("\"{}\" cannot be read", pointer.display()))
                    .caused_by(error))
            }
        }
    }

    /// Moves the (still empty) folder of the clusters to where the server's user can go,
    /// and leaves a pointer to it.
    pub(crate) fn move_clusters(&self) -> Result<PathBuf> {
        let folder = PathBuf::from(format!("/var/tmp/{}-{}", self.postgres.name, self.hash()));
        let failed = |cause| {
            Error::failed(format!("the folder \"{}\" cannot be made", folder.display()))
                .next(format!("{} a folder that any user can enter", self.postgres.choose_home))
                .caused_by(cause)
        };
        match std::fs::DirBuilder::new().mode(0o755).create(&folder) {
            // The mode above went through our umask.
            Ok(()) => {
                std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).map_err(failed)?
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let found = std::fs::symlink_metadata(&folder).map_err(failed)?;
                if !found.is_dir() || found.uid() != 0 || found.mode() & 0o022 != 0 {
                    return Err(Error::failed(format!(
                        "\"{}\" is in the way: it should be a folder only root writes to",
                        folder.display()
                    ))
                    .next(format!(
                        "look at it and remove it, or {} a folder that any user can enter",
                        self.postgres.choose_home
                    )));
                }
            }
            Err(error) => return Err(failed(error)),
        }
        std::fs::write(self.path.join(POINTER), format!("{}\n", folder.display()))
            .map_err(failed)?;
        Ok(folder)
    }

    /// A short name for this folder among all.
    fn hash(&self) -> String {
        use std::os::unix::ffi::OsStrExt;
        let digest = Sha256::digest(self.path.as_os_str().as_bytes());
        digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The folder of one version.
pub(crate) fn of_major(clusters: &Path, major: u32) -> PathBuf {
    clusters.join(format!("pg{major}"))
}

/// The cluster of one version.
pub(crate) fn data(clusters: &Path, major: u32) -> PathBuf {
    of_major(clusters, major).join("data")
}

/// The versions there is a cluster of, newest first.
pub(crate) fn majors(clusters: &Path) -> Vec<u32> {
    let mut majors: Vec<u32> = std::fs::read_dir(clusters)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("pg")?.parse().ok())
        .filter(|major| data(clusters, *major).exists())
        .collect();
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors
}

/// Where the socket goes: beside the cluster, or in a private folder under `/tmp` if that
/// path is too long for a socket, or has characters that need quoting on its way through
/// a shell, the server's settings and a URL.
pub(crate) fn socket(home: &Home<'_>, clusters: &Path, major: u32, data: &Path) -> PathBuf {
    let beside = of_major(clusters, major).join("socket");
    let plain = beside.to_str().is_some_and(|path| {
        path.len() + format!("/.s.PGSQL.{PORT}").len() <= LONGEST_SOCKET
            && path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte))
    });
    if plain {
        return beside;
    }
    // The owner's number keeps users apart, and is there before and after the cluster is made.
    let owner = std::fs::symlink_metadata(data.parent().unwrap_or(data)).map_or(0, |it| it.uid());
    let name = &home.postgres.name;
    PathBuf::from(format!("/tmp/{name}-{}-{major}-{owner}", home.hash()))
}
