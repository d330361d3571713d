//! A server in a folder of its own, and what it is asked.

use embedded_postgres::{EmbeddedPostgres, Offer, Server};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// A folder for one server.
pub(super) struct Sandbox {
    pub(super) folder: tempfile::TempDir,
    home: PathBuf,
    pub(super) postgres: EmbeddedPostgres,
}

impl Sandbox {
    /// A folder every user can enter.
    pub(super) fn new() -> Self {
        let sandbox = Self::private();
        let open = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(sandbox.folder.path(), open).unwrap();
        sandbox
    }

    /// A folder only this process's user can enter.
    pub(super) fn private() -> Self {
        Self::at(".postgres")
    }

    /// As [`Sandbox::private`], with the server's home at `path` in it.
    pub(super) fn at(path: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().join(path);
        Sandbox { postgres: EmbeddedPostgres::new(&home, "shop"), folder, home }
    }

    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    pub(super) fn start(&self) -> Server {
        start(&self.postgres)
    }

    pub(super) fn stop(&self) -> bool {
        self.postgres.stop().unwrap()
    }

    pub(super) fn refusal(&self) -> String {
        self.postgres.start().unwrap_err().to_string()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        if let Err(error) = self.postgres.stop() {
            eprintln!("{error}");
        }
        if let Ok(elsewhere) = std::fs::read_to_string(self.home.join("elsewhere")) {
            let folder = PathBuf::from(elsewhere.trim_end());
            assert!(folder.starts_with("/var/tmp"), "{}", folder.display());
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

pub(super) fn start(postgres: &EmbeddedPostgres) -> Server {
    let fetch = |offer: &Offer<'_>| {
        eprintln!("fetching {offer}");
        true
    };
    (postgres.start_or_install(fetch)).unwrap_or_else(|error| panic!("{error}"))
}

/// A connection, and what drives it.
pub(super) struct Session(Client, Runtime);

impl Session {
    pub(super) fn open(server: &Server) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&server.url(), NoTls).await.unwrap();
            tokio::spawn(connection);
            client
        });
        Session(client, runtime)
    }

    pub(super) fn query(&self, sql: &str) -> Result<String, tokio_postgres::Error> {
        let messages = self.1.block_on(self.0.simple_query(sql))?;
        let value = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        Ok(value.unwrap_or_default().to_owned())
    }
}

/// What `sql` answers, as text.
pub(super) fn query(server: &Server, sql: &str) -> String {
    Session::open(server).query(sql).unwrap()
}

pub(super) fn leave_a_row(server: &Server) {
    query(server, "create table kept as select 'here' as what");
}

pub(super) fn find_the_row(server: &Server) {
    assert_eq!(query(server, "select what from kept"), "here");
}
