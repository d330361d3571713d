//! Finding, starting and talking to a server. Every server is started by the test that
//! uses it, in a folder of its own, and stopped when the test ends, however it ends.

mod session;
mod tls;

use embedded_postgres::Server;
use pgsluice::db::{Session, connect};
use pgsluice::embedded;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A folder for one embedded server.
pub(crate) struct Sandbox {
    folder: tempfile::TempDir,
    home: PathBuf,
}

impl Sandbox {
    /// A folder every user can enter.
    pub(crate) fn new() -> Self {
        let sandbox = Self::private();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(sandbox.folder.path(), open).unwrap();
        sandbox
    }

    /// A folder only this process's user can enter.
    pub(crate) fn private() -> Self {
        Self::at(".sluice")
    }

    /// As [`Sandbox::private`], with the server's home at `path` in it.
    pub(crate) fn at(path: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join(path);
        Sandbox { folder, home }
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    pub(crate) fn start(&self) -> Server {
        embedded::at(&self.home).start().unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Err(error) = embedded::at(&self.home).stop() {
            eprintln!("{error}");
        }
        if let Ok(elsewhere) = std::fs::read_to_string(self.home.join("elsewhere")) {
            let folder = PathBuf::from(elsewhere.trim_end());
            assert!(folder.starts_with("/var/tmp"), "{}", folder.display());
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// A session on an embedded server.
pub(crate) async fn session(server: &Server) -> Session {
    match connect(&embedded::settings(server), "sluice test").await {
        Ok(session) => session,
        Err(error) => panic!("{error}"),
    }
}

/// The first column of the first row, as text.
pub(crate) async fn value(session: &Session, sql: &str) -> String {
    let row = session.query_one(sql, &[]).await.unwrap();
    row.get(0)
}
