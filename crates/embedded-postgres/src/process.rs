//! The postmaster as a process: is it there, is it ready, stop it.

use crate::error::{Error, Result};
use crate::{PORT, Server};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// PostgreSQL's lock file on a cluster.
const LOCK_FILE: &str = "postmaster.pid";
const STEP: Duration = Duration::from_millis(20);
/// A minute, in steps.
const STEPS: u32 = 3000;

/// The postmaster of the cluster in `data`, if it lives.
pub(crate) fn alive(data: &Path) -> Option<i32> {
    let pid = recorded(&data.join(LOCK_FILE))?;
    (is_used(pid) && is_postmaster(pid, data)).then_some(pid)
}

/// The lock files whose recorded number belongs to a process that is not the postmaster.
/// PostgreSQL would take it for one and refuse to start.
pub(crate) fn misleading_lock_files(data: &Path, socket: &Path) -> Vec<PathBuf> {
    let misleads = |file: &PathBuf| {
        recorded(file).is_some_and(|pid| is_used(pid) && !is_postmaster(pid, data))
    };
    [data.join(LOCK_FILE), socket.join(format!(".s.PGSQL.{PORT}.lock"))]
        .into_iter()
        .filter(misleads)
        .collect()
}

/// The process id in a lock file.
fn recorded(lock_file: &Path) -> Option<i32> {
    let text = std::fs::read_to_string(lock_file).ok()?;
    // Negative: a single-user backend.
    text.lines().next()?.trim().parse().ok().filter(|pid| *pid > 1)
}

fn is_used(pid: i32) -> bool {
    kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH)
}

/// Whether a process is the server of the cluster in `data`. After a crash the number may
/// have gone to another program, and in a container without an init the dead are not buried.
fn is_postmaster(pid: i32, data: &Path) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        // No /proc: not Linux.
        return !Path::new("/proc/self/stat").exists();
    };
    // pid (name) state …
    let is_live_server = stat
        .rsplit_once(") ")
        .is_some_and(|(name, rest)| name.contains("(postgres") && !rest.starts_with(['Z', 'X']));
    // A server works in the folder of its cluster. We may not ask about another user's process.
    is_live_server
        && std::fs::read_link(format!("/proc/{pid}/cwd"))
            .map_or(true, |folder| data.canonicalize().is_ok_and(|data| data == folder))
}

/// Whether the server accepts connections: it says so in its lock file, and it answers.
pub(crate) fn is_ready(server: &Server) -> bool {
    std::fs::read_to_string(server.data.join(LOCK_FILE))
        .is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
        && answers(&server.socket.join(format!(".s.PGSQL.{PORT}"))).is_ok()
}

/// Asks whether there is TLS and waits for the answer. That the connection opens proves
/// nothing: the children of a killed postmaster keep its socket open for a moment.
fn answers(socket: &Path) -> std::io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    // SSLRequest: its length and its code.
    stream.write_all(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])?;
    stream.read_exact(&mut [0])
}

/// Checks the condition again and again for a minute.
pub(crate) fn wait_for(mut condition: impl FnMut() -> bool) -> bool {
    for _ in 0..STEPS {
        if condition() {
            return true;
        }
        std::thread::sleep(STEP);
    }
    false
}

/// Fast shutdown: connections are ended, then a checkpoint. Needs none of the programs.
pub(crate) fn stop(server: &Server) -> Result<()> {
    match kill(Pid::from_raw(server.pid), Signal::SIGINT) {
        Ok(()) | Err(Errno::ESRCH) => {}
        Err(errno) => {
            return Err(Error::failed(format!(
                "the embedded server (process {}) cannot be stopped",
                server.pid
            ))
            .next("run as its owner or as root")
            .caused_by(errno));
        }
    }
    if wait_for(|| alive(&server.data) != Some(server.pid)) {
        return Ok(());
    }
    Err(Error::failed(format!("the embedded server (process {}) does not stop", server.pid))
        .next(format!("look at its log, \"{}\"", server.log.display())))
}
