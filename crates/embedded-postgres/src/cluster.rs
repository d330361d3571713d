//! Makes a cluster and starts its server.

use crate::account::Account;
use crate::binaries::Binaries;
use crate::error::{Error, Result};
use crate::folder::{self, Home};
use crate::process::{self, is_ready, wait_for};
use crate::{EmbeddedPostgres, PORT, SUPERUSER, Server};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The server's log, beside the cluster.
pub(crate) const LOG: &str = "server.log";

/// Locales to try: the first sorts fast and the same everywhere, the second always exists.
const LOCALES: [&str; 2] = ["C.UTF-8", "C"];

/// How much of a program's or the server's last words an error shows.
const LAST_LINES: usize = 8;

/// A cluster of one version, present or to be made.
pub(crate) struct Cluster<'a> {
    postgres: &'a EmbeddedPostgres,
    binaries: &'a Binaries,
    account: Account,
    /// `pg<major>`. The programs run here with relative paths, because pg_ctl passes paths
    /// through a shell between double quotes.
    folder: PathBuf,
    data: PathBuf,
    socket: PathBuf,
}

impl<'a> Cluster<'a> {
    pub(crate) fn new(home: &Home<'a>, clusters: &Path, binaries: &'a Binaries) -> Result<Self> {
        let major = binaries.major;
        let mut clusters = clusters.to_owned();
        let account = Account::of(&folder::of_major(&clusters, major), home.postgres)?;
        let is_new = !folder::of_major(&clusters, major).exists();
        if is_new && !account.can_enter(&clusters) {
            clusters = home.move_clusters()?;
        }
        let folder = folder::of_major(&clusters, major);
        account.private_folder(&folder, home.postgres)?;
        let data = folder::data(&clusters, major);
        let socket = folder::socket(home, &clusters, major, &data);
        account.private_folder(&socket, home.postgres)?;
        Ok(Cluster { postgres: home.postgres, binaries, account, folder, data, socket })
    }

    /// Starts the server, in a new cluster if there is none.
    pub(crate) fn start(&self) -> Result<Server> {
        if self.data.exists() {
            self.check_version()?;
        } else {
            self.make()?;
        }
        self.remove_misleading_lock_files();
        let log = self.folder.join(LOG);
        let log_before = std::fs::metadata(&log).map_or(0, |it| it.len());
        let options = format!(
            "-c listen_addresses= -c port={PORT} -c unix_socket_directories={} -c unix_socket_permissions=0700",
            self.socket.display()
        );
        let mut output = None;
        let started = wait_for(|| {
            let mut command = self.program("pg_ctl");
            command.args(["start", "-D", "data", "-l", LOG, "-w", "-t", "60", "-o"]).arg(&options);
            let result = command.output();
            let ok = result.as_ref().is_ok_and(|output| output.status.success());
            // After a kill -9 of the postmaster its children take a moment to notice.
            let orphans =
                !ok && text_from(&log, log_before).contains("pre-existing shared memory block");
            output = Some(result);
            ok || !orphans
        });
        let failed = || {
            let mut error = Error::failed("the embedded PostgreSQL server does not start")
                .next(format!("its log is \"{}\"", log.display()));
            for line in last_lines(&text_from(&log, log_before)) {
                error = error.detail(format!("log: {line}"));
            }
            error
        };
        match output {
            Some(Ok(output)) if started && output.status.success() => {}
            Some(Err(cause)) => return Err(failed().caused_by(cause)),
            _ => return Err(failed()),
        }
        let pid = process::alive(&self.data).ok_or_else(failed)?;
        wait_until_ready(Server {
            major: self.binaries.major,
            pid,
            data: self.data.clone(),
            log: log.clone(),
            socket: self.socket.clone(),
            database: self.postgres.name.clone(),
        })?
        .ok_or_else(failed)
    }

    /// Makes the cluster under another name first: if this is cut short, the cluster does not exist.
    fn make(&self) -> Result<()> {
        tracing::info!("making an embedded PostgreSQL cluster in {}", self.data.display());
        let mut result = Err(Error::failed("no locale"));
        for locale in LOCALES {
            result = self.init(locale);
            if result.is_ok() {
                break;
            }
        }
        result?;
        let mut single = self.program("postgres");
        single
            .args(["--single", "-D", "data.new", "postgres"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A statement a line.
        let setup = format!(
            "alter system set max_wal_size = '2GB'\ncreate database \"{}\"\n",
            self.postgres.name
        );
        let output = feed(single, setup.as_bytes())
            .map_err(|error| Error::failed("postgres --single cannot be run").caused_by(error))?;
        // Single-user mode carries on after an error and still exits with success.
        if !output.status.success() || String::from_utf8_lossy(&output.stderr).contains("ERROR:") {
            return Err(self.failed_program("postgres --single", &output));
        }
        std::fs::rename(self.folder.join("data.new"), &self.data)
            .map_err(|error| Error::failed("the new cluster cannot be renamed").caused_by(error))
    }

    fn init(&self, locale: &str) -> Result<()> {
        let unfinished = self.folder.join("data.new");
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished).map_err(|error| {
                Error::failed(format!("\"{}\" cannot be removed", unfinished.display()))
                    .caused_by(error)
            })?;
        }
        // Whoever can enter the folder of the socket is trusted, nobody else can connect.
        // Only these empty files are not synced to disk; the server itself is as safe as any.
        let output = self
            .program("initdb")
            .args(["-D", "data.new", "-U", SUPERUSER, "-E", "UTF8", "-A", "trust", "--no-sync"])
            .arg(format!("--locale={locale}"))
            .output()
            .map_err(|error| Error::failed("initdb cannot be run").caused_by(error))?;
        if output.status.success() { Ok(()) } else { Err(self.failed_program("initdb", &output)) }
    }

    /// The folder says which version made the cluster; somebody may have moved folders.
    fn check_version(&self) -> Result<()> {
        let file = self.data.join("PG_VERSION");
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Error::failed(format!("\"{}\" is not a PostgreSQL cluster", self.data.display()))
                .next("move that folder away")
                .caused_by(error)
        })?;
        if text.trim() == self.binaries.major.to_string() {
            return Ok(());
        }
        Err(Error::usage(format!(
            "the cluster in \"{}\" was made by PostgreSQL {}, not {}",
            self.data.display(),
            text.trim(),
            self.binaries.major
        ))
        .next(format!("rename its folder to \"pg{}\", or move it away to start anew", text.trim())))
    }

    /// PostgreSQL deals with lock files left by a crash, unless the number in them is in use.
    fn remove_misleading_lock_files(&self) {
        for file in process::misleading_lock_files(&self.data, &self.socket) {
            // If it cannot be removed, the server reports that better.
            let _ = std::fs::remove_file(file);
        }
    }

    fn program(&self, name: &str) -> Command {
        self.account.command(&self.binaries.program(name), &self.folder)
    }

    fn failed_program(&self, name: &str, output: &Output) -> Error {
        let mut error = Error::failed(format!("{name} failed ({})", output.status))
            .next(format!("{} another folder", self.postgres.choose_home));
        for line in last_lines(&String::from_utf8_lossy(&output.stderr)) {
            error = error.detail(format!("{name}: {line}"));
        }
        error
    }
}

/// Waits for a living server to accept connections, e.g. after crash recovery. `None`: it died meanwhile.
pub(crate) fn wait_until_ready(server: Server) -> Result<Option<Server>> {
    let is_alive = || process::alive(&server.data) == Some(server.pid);
    let mut ready = false;
    wait_for(|| {
        ready = is_ready(&server);
        ready || !is_alive()
    });
    if ready {
        return Ok(Some(server));
    }
    if !is_alive() {
        return Ok(None);
    }
    let mut error = Error::failed(format!(
        "the embedded PostgreSQL server (process {}) does not accept connections on \"{}\"",
        server.pid,
        server.socket.display()
    ))
    .next(format!("its log is \"{}\"; stop it and start again", server.log.display()));
    for line in last_lines(&text_from(&server.log, 0)) {
        error = error.detail(format!("log: {line}"));
    }
    Err(error)
}

/// Runs a command with `input`.
fn feed(mut command: Command, input: &[u8]) -> std::io::Result<Output> {
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends early says why in its output.
        let _ = stdin.write_all(input);
    }
    child.wait_with_output()
}

/// A file from a position on.
fn text_from(file: &Path, start: u64) -> String {
    let bytes = std::fs::read(file).unwrap_or_default();
    let start = usize::try_from(start).unwrap_or(0).min(bytes.len());
    String::from_utf8_lossy(&bytes[start..]).into_owned()
}

fn last_lines(text: &str) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].to_vec()
}
