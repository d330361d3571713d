//! PostgreSQL servers that end with the test binary, however it ends.

use embedded_postgres::{Offer, Server};
use libpq_conninfo::Settings;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pgsluice::embedded;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

/// A running server in a temporary folder.
pub struct TestServer {
    pub server: Server,
    pub home: PathBuf,
    watchdog: Mutex<Child>,
}

impl TestServer {
    /// Starts one. `PG_BIN` chooses the binaries, as for the embedded server.
    pub fn start() -> Self {
        let home =
            tempfile::Builder::new().prefix("sluice-test-").tempdir_in("/tmp").unwrap().keep();
        Self::start_in(home)
    }

    /// Starts the one whose cluster is in a folder that will be removed with it.
    pub fn start_in(home: PathBuf) -> Self {
        let fetch = |offer: &Offer<'_>| {
            eprintln!("PostgreSQL is not installed here; fetching {offer}");
            true
        };
        let server =
            (embedded::at(&home).start_or_install(fetch)).unwrap_or_else(|error| panic!("{error}"));
        // A test binary that is killed cannot clean up. The watchdog sees its standard input
        // close, ends the server and removes the folder.
        let watchdog = Command::new("sh")
            .arg("-c")
            .arg("read _; for f in \"$0\"/*/data/postmaster.pid; do kill -QUIT $(head -1 \"$f\"); done; sleep 1; rm -rf \"$0\"")
            .arg(&home)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        TestServer { server, home, watchdog: Mutex::new(watchdog) }
    }

    /// Stops it and starts it, with the settings of then.
    pub fn restart(&mut self) {
        let postgres = embedded::at(&self.home);
        postgres.stop().unwrap();
        self.server = postgres.start().unwrap();
    }

    /// Immediate shutdown: nothing is said to anybody, nothing written any more.
    pub fn kill(&self) {
        kill(Pid::from_raw(self.pid()), Signal::SIGQUIT).unwrap();
    }

    pub fn settings(&self) -> Settings {
        embedded::settings(&self.server)
    }

    /// The folder with `postmaster.pid`.
    pub fn data(&self) -> PathBuf {
        std::fs::read_dir(&self.home)
            .unwrap()
            .map(|entry| entry.unwrap().path().join("data"))
            .find(|data| data.join("PG_VERSION").exists())
            .unwrap()
    }

    /// The postmaster's process id.
    pub fn pid(&self) -> i32 {
        let text = std::fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        text.lines().next().unwrap().parse().unwrap()
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        // For servers of a single test; the shared one is a static and left to the watchdog.
        let mut watchdog = self.watchdog.lock().unwrap();
        drop(watchdog.stdin.take());
        let _ = watchdog.wait();
    }
}

/// The server all tests share. It may lose data when the machine crashes, which no test does.
pub fn shared() -> &'static TestServer {
    static SHARED: OnceLock<TestServer> = OnceLock::new();
    SHARED.get_or_init(TestServer::start)
}

/// psql, the server's own if it has one. Says it where there is none: some packages bring the
/// server alone.
pub fn psql() -> Option<PathBuf> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let found = FOUND.get_or_init(|| embedded::at(&shared().home).client("psql"));
    if found.is_none() {
        eprintln!("SKIPPED, NOT TESTED: there is no psql on this machine");
    }
    found.clone()
}
