//! Refresh tokens that change with each use. Their file is locked until the next token is stored in it.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::secret::{Redactor, Secret, SecretLocation};

/// The token, locked until it is dropped.
pub(super) struct RefreshToken {
    path: PathBuf,
    secret: Secret,
    /// Created before the token is used, so that the next one can be stored.
    successor: File,
    /// Locked as long as it is open.
    _lock: File,
}

impl RefreshToken {
    /// Locks the token; waits for other processes.
    pub(super) async fn take(path: &Path, redactor: &Redactor) -> Result<Self> {
        let path = path.to_owned();
        let token = blocking(move || {
            let unusable = |cause: io::Error| {
                Error::usage(format!(
                    "the refresh token in file `{}` cannot be used",
                    path.display()
                ))
                .caused_by(cause)
                .next("it changes with each use: sluice has to be allowed to write in its folder")
            };
            let lock = private_file(&beside(&path, "lock"), false).map_err(unusable)?;
            lock.lock().map_err(unusable)?;
            let secret = SecretLocation::of(None, Some(&path))?.read(&HostRules::open())?;
            let successor = private_file(&beside(&path, "new"), true).map_err(unusable)?;
            Ok(RefreshToken { path, secret, successor, _lock: lock })
        });
        let token = token.await?;
        redactor.add(&token.secret);
        Ok(token)
    }

    pub(super) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Replaces the token atomically.
    pub(super) async fn replace(self, token: Secret, redactor: &Redactor) -> Result<()> {
        redactor.add(&token);
        if token == self.secret {
            return Ok(());
        }
        blocking(move || {
            let save = || -> io::Result<()> {
                let mode = std::fs::metadata(&self.path)?.permissions().mode();
                let mut file = &self.successor;
                file.write_all(token.expose().as_bytes())?;
                file.set_permissions(Permissions::from_mode(mode))?;
                file.sync_all()?;
                std::fs::rename(beside(&self.path, "new"), &self.path)?;
                let folder = self.path.parent().filter(|path| path != &Path::new(""));
                File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
            };
            save().map_err(|cause| {
                Error::failed(format!(
                    "the new refresh token cannot be saved in file `{}`",
                    self.path.display()
                ))
                .caused_by(cause)
                .next("the one in the file is used up: put a new one there")
            })
        })
        .await
    }
}

/// Its own name with a suffix.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

fn private_file(path: &Path, is_emptied: bool) -> io::Result<File> {
    OpenOptions::new().create(true).write(true).truncate(is_emptied).mode(0o600).open(path)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|cause| Error::failed("the refresh token was given up").caused_by(cause))?
}
