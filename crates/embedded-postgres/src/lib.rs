#![doc = include_str!("../README.md")]

mod account;
mod binaries;
mod cluster;
mod error;
mod folder;
mod process;

pub use error::{Error, Result};

use binaries::Binaries;
use cluster::Cluster;
use folder::Home;
use std::convert::Infallible;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The cluster's superuser.
pub const SUPERUSER: &str = "postgres";

/// The number in the socket's name; nothing listens on a port.
pub const PORT: u16 = 5432;

/// A running embedded server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The major version.
    pub major: u32,
    /// The process id of the postmaster.
    pub pid: i32,
    /// The folder of the cluster.
    pub data: PathBuf,
    /// The log of the server.
    pub log: PathBuf,
    /// The folder of the Unix socket.
    pub socket: PathBuf,
    /// The database made for the application.
    pub database: String,
}

impl Server {
    /// How to connect: a URL for psql and everything else that follows libpq.
    pub fn url(&self) -> String {
        // The folder has only characters that need no encoding, see `folder::socket`.
        format!(
            "postgresql:///{}?host={}&port={PORT}&user={SUPERUSER}",
            self.database,
            self.socket.display()
        )
    }
}

/// The server of one application in one folder.
#[derive(Debug, Clone)]
pub struct EmbeddedPostgres {
    home: PathBuf,
    name: String,
    choose_home: String,
    instead: Vec<String>,
}

impl EmbeddedPostgres {
    /// The server whose clusters are in the folder `home`. `name` is that of its database
    /// (letters, digits, `_`), and begins the names of folders made under `/tmp`.
    pub fn new(home: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        EmbeddedPostgres {
            home: home.into(),
            name: name.into(),
            choose_home: "choose".to_owned(),
            instead: Vec::new(),
        }
    }

    /// How messages tell the user to choose another folder, e.g. "set SHOP_HOME to".
    #[must_use]
    pub fn home_is_chosen_by(mut self, words: impl Into<String>) -> Self {
        self.choose_home = words.into();
        self
    }

    /// Another way out when there is no PostgreSQL, e.g. "use a server: set SHOP_URL".
    #[must_use]
    pub fn or_instead(mut self, way: impl Into<String>) -> Self {
        self.instead.push(way.into());
        self
    }

    /// Makes the cluster if there is none and starts its server if it does not run. Returns
    /// when the server accepts connections. Any number of processes may do this at once.
    /// Blocks for some seconds at the first start, so call it before async work begins.
    pub fn start(&self) -> Result<Server> {
        let home = Home::create(self)?;
        let _lock = home.lock()?;
        let clusters = home.clusters()?;
        let existing = folder::majors(&clusters);
        // A running server needs no binaries: it must be found even if they have moved.
        if let Some(server) = running(&home, &clusters, &existing)
            && let Some(server) = cluster::wait_until_ready(server)?
        {
            return Ok(server);
        }
        let binaries = Binaries::find(self, &existing, &clusters)?;
        Cluster::new(&home, &clusters, &binaries)?.start()
    }

    /// Stops the server; connections are ended, transactions rolled back. `false`: none ran.
    pub fn stop(&self) -> Result<bool> {
        let Some(home) = Home::existing(self)? else {
            return Ok(false);
        };
        let _lock = home.lock()?;
        let clusters = home.clusters()?;
        let mut stopped = false;
        while let Some(server) = running(&home, &clusters, &folder::majors(&clusters)) {
            process::stop(&server)?;
            stopped = true;
        }
        Ok(stopped)
    }

    /// Starts the server if need be and becomes `psql`, connected to it. Returns only on error.
    pub fn psql<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<Infallible> {
        let server = self.start()?;
        let beside = Binaries::find(self, &[server.major], &server.data)
            .map(|binaries| binaries.program("psql"))
            .ok()
            .filter(|psql| psql.exists());
        let error = Command::new(beside.unwrap_or_else(|| "psql".into()))
            .arg(format!("--dbname={}", server.url()))
            .args(args)
            .exec();
        Err(Error::failed("psql cannot be run")
            .next("install the PostgreSQL client programs (Debian, Ubuntu: apt-get install postgresql-client)")
            .caused_by(error))
    }
}

/// The server that runs in one of the clusters.
fn running(home: &Home<'_>, clusters: &Path, majors: &[u32]) -> Option<Server> {
    majors.iter().find_map(|major| {
        let data = folder::data(clusters, *major);
        process::alive(&data).map(|pid| Server {
            major: *major,
            pid,
            log: folder::of_major(clusters, *major).join(cluster::LOG),
            socket: folder::socket(home, clusters, *major, &data),
            database: home.postgres.name.clone(),
            data,
        })
    })
}
