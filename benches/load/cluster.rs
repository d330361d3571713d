//! A private server in a temporary folder, gone afterwards however the benchmark ends.

use crate::{Failure, process};
use embedded_postgres::Server;
use pgsluice::embedded;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Ends the server and removes the folder once its standard input closes, which happens
/// even if the benchmark is killed. Ctrl-C reaches it too, and is ignored.
const WATCHDOG: &str = r#"trap '' INT TERM HUP
read _
for clusters in "$0/server" "$(cat "$0/server/elsewhere" 2>/dev/null)"; do
  for lock in "$clusters"/pg*/data/postmaster.pid; do
    pid=$(head -1 "$lock" 2>/dev/null) && kill -QUIT "$pid" && while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
  done
  case $clusters in /var/tmp/sluice-*) rm -rf "$clusters";; esac
done
rm -rf "$0""#;

/// What is set on top of the embedded server's own settings.
pub(crate) const SETTINGS: [(&str, &str); 2] = [("shared_buffers", "1GB"), ("max_wal_size", "4GB")];

pub(crate) struct Cluster {
    pub(crate) folder: PathBuf,
    server: Server,
    psql: PathBuf,
    watchdog: Child,
}

impl Cluster {
    pub(crate) fn start() -> Result<Self, Failure> {
        let folder = tempfile::Builder::new().prefix("sluice-bench-").tempdir()?.keep();
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let home = folder.join("server");
        let postgres = embedded::at(&home);
        let server = postgres.start()?;
        let mut cluster = Cluster { psql: psql_of(server.major), folder, server, watchdog };
        for (name, value) in SETTINGS {
            cluster.query("sluice", &format!("alter system set {name} = '{value}'"))?;
        }
        postgres.stop()?;
        cluster.server = postgres.start()?;
        Ok(cluster)
    }

    /// The URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        self.server.url().replacen("///sluice", &format!("///{database}"), 1)
    }

    /// `psql` on a database, ready for its `-c` or `-f`.
    pub(crate) fn psql(&self, database: &str) -> Command {
        let mut command = Command::new(&self.psql);
        process::without_postgres_variables(&mut command);
        command
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"])
            .arg(self.url(database))
            .stdin(Stdio::null());
        command
    }

    /// What a query prints.
    pub(crate) fn query(&self, database: &str, sql: &str) -> Result<String, Failure> {
        let output = self.psql(database).args(["-c", sql]).output()?;
        if !output.status.success() {
            return Err(format!("{sql}\n{}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// Processor seconds of all sessions and of autovacuum, when all of them have ended: the kernel adds what a process
    /// took when the postmaster takes note of its end, a moment after its client is gone.
    pub(crate) fn cpu_of_ended_sessions(&self) -> Option<f64> {
        let postmaster = u32::try_from(self.server.pid).ok()?;
        while (process::titles_of_children(postmaster)?.iter()).any(|title| is_session(title)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        process::cpu_seconds_of_ended_children(postmaster)
    }

    /// Bytes of WAL since the cluster was made.
    pub(crate) fn wal(&self) -> Result<u64, Failure> {
        Ok(self.query("postgres", "select pg_current_wal_lsn() - '0/0'")?.parse()?)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// By its title: one that has ended and is not noted yet has none.
fn is_session(title: &str) -> bool {
    let names = ["[local]", "parallel worker", "autovacuum worker"];
    title.is_empty() || names.iter().any(|name| title.contains(name))
}

/// The `psql` beside the server's programs, so that client and server are of one version.
fn psql_of(major: u32) -> PathBuf {
    std::env::var_os("PG_BIN")
        .map(PathBuf::from)
        .into_iter()
        .chain([PathBuf::from(format!("/usr/lib/postgresql/{major}/bin"))])
        .map(|folder| folder.join("psql"))
        .find(|psql| Path::exists(psql))
        .unwrap_or_else(|| "psql".into())
}
