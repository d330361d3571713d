//! The embedded server: a private cluster made with the PostgreSQL binaries of this machine.
//!
//! It lives in a folder (`.sluice/` unless `SLUICE_HOME` says otherwise), listens on a Unix
//! socket only its owner can reach, and survives between commands until it is stopped.
//! PostgreSQL refuses to run as root, so root's cluster belongs to an unprivileged user.
//!
//! ```text
//! .sluice/lock            serialises start and stop
//! .sluice/elsewhere       names the folder of the clusters if the server's user cannot enter here
//! .sluice/pg17/data       the cluster, one for each major version
//! .sluice/pg17/socket     the socket (under /tmp if this path is too long for one)
//! .sluice/pg17/server.log
//! ```

mod account;
mod binaries;
mod cluster;
mod folder;
mod process;

use crate::config::{Environment, Settings, Target};
use crate::error::{Error, Result};
use binaries::Binaries;
use cluster::Cluster;
use folder::Home;
use std::convert::Infallible;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The superuser of the cluster, and its database.
const NAME: &str = "sluice";

/// The cluster's superuser. Not "sluice": a role of that name would make its tables in the
/// engine's schema, which comes first in its search_path.
const ROLE: &str = "postgres";
/// The number in the socket's name; nothing listens on a port.
const PORT: u16 = 5432;

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
}

impl Server {
    /// How to connect.
    pub fn settings(&self) -> Settings {
        Settings::of_socket(&self.socket, PORT, ROLE, NAME)
    }

    /// How others connect: a URL for psql and everything else made with libpq.
    pub fn url(&self) -> String {
        // The folder has only characters that need no encoding, see `folder::socket`.
        format!(
            "postgresql:///{NAME}?host={}&port={PORT}&user={ROLE}",
            self.socket.display()
        )
    }
}

/// What there is in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// No cluster yet.
    Absent,
    /// A cluster whose server does not run.
    Stopped {
        /// The folder of the cluster.
        data: PathBuf,
    },
    /// A server that accepts connections or is about to.
    Running(Server),
}

/// The folder to use: `SLUICE_HOME`, else `.sluice` in the current folder.
pub fn home() -> PathBuf {
    match std::env::var_os("SLUICE_HOME").filter(|home| !home.is_empty()) {
        Some(home) => home.into(),
        None => ".sluice".into(),
    }
}

/// The settings of a target, after starting the embedded server if that is the target.
pub fn settings_of(target: Target) -> Result<Settings> {
    match target {
        Target::Server(settings) => Ok(settings),
        Target::Embedded => Ok(ensure_started(&home())?.settings()),
    }
}

/// Makes the cluster if there is none and starts its server if it does not run. Returns
/// when the server accepts connections. Any number of processes may do this at once.
/// Blocks for some seconds at the first start, so call it before the async work begins.
pub fn ensure_started(home: &Path) -> Result<Server> {
    let home = Home::create(home)?;
    let _lock = home.lock()?;
    let clusters = home.clusters()?;
    let existing = folder::majors(&clusters);
    // A running server needs no binaries: it must be found even if they have moved.
    if let Some(server) = running(&home, &clusters, &existing)
        && let Some(server) = cluster::wait_until_ready(server)?
    {
        return Ok(server);
    }
    let binaries = Binaries::find(&Environment::of_process(), &existing, &clusters)?;
    Cluster::new(&home, &clusters, &binaries)?.start()
}

/// Stops the server; connections are ended, transactions rolled back. `false`: none ran.
pub fn stop(home: &Path) -> Result<bool> {
    let Some(home) = Home::existing(home)? else {
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

/// What there is in `home`. Changes nothing.
pub fn status(home: &Path) -> Result<Status> {
    let Some(home) = Home::existing(home)? else {
        return Ok(Status::Absent);
    };
    let clusters = home.clusters()?;
    let existing = folder::majors(&clusters);
    Ok(
        match (running(&home, &clusters, &existing), existing.first()) {
            (Some(server), _) => Status::Running(server),
            (None, Some(major)) => Status::Stopped {
                data: folder::data(&clusters, *major),
            },
            (None, None) => Status::Absent,
        },
    )
}

/// Starts the server if need be and becomes `psql`, connected to it. Returns only on error.
pub fn psql<A: AsRef<OsStr>>(home: &Path, args: impl IntoIterator<Item = A>) -> Result<Infallible> {
    let server = ensure_started(home)?;
    let beside = Binaries::find(&Environment::of_process(), &[server.major], &server.data)
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

/// The server that runs in one of the clusters.
fn running(home: &Home, clusters: &Path, majors: &[u32]) -> Option<Server> {
    majors.iter().find_map(|major| {
        let data = folder::data(clusters, *major);
        process::alive(&data).map(|pid| Server {
            major: *major,
            pid,
            log: folder::of_major(clusters, *major).join(cluster::LOG),
            socket: folder::socket(home, clusters, *major, &data),
            data,
        })
    })
}
