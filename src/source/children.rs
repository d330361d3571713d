//! Process groups that a run has started: none outlives it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// How long a program may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(20);

/// The programs that a run has started, each the leader of a group of its own. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Children(Arc<Mutex<Vec<Pid>>>);

impl Children {
    pub(super) fn add(&self, leader: Pid) {
        self.groups().push(leader);
    }

    /// The leader has ended and was waited for, or has to end now; whatever it left behind goes with it.
    pub(super) fn remove(&self, leader: Pid) {
        let mut groups = self.groups();
        if let Some(at) = groups.iter().position(|group| *group == leader) {
            groups.swap_remove(at);
            let _ = killpg(leader, Signal::SIGKILL);
        }
    }

    /// Those that have not ended.
    pub(super) fn running(&self) -> Vec<Pid> {
        self.groups().clone()
    }

    /// Asks these of them to end, and makes them.
    pub(super) fn end(&self, leaders: &[Pid]) {
        let is_there = |leader: &Pid| {
            self.groups().contains(leader) && killpg(*leader, None) != Err(Errno::ESRCH)
        };
        for leader in leaders.iter().filter(|leader| is_there(leader)) {
            let _ = killpg(*leader, Signal::SIGTERM);
        }
        let asked = Instant::now();
        while asked.elapsed() < GRACE && leaders.iter().any(is_there) {
            thread::sleep(POLL);
        }
        for leader in leaders {
            self.remove(*leader);
        }
    }

    fn groups(&self) -> MutexGuard<'_, Vec<Pid>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends them when it is dropped, with the run that holds it.
pub(crate) struct EndWithRun(pub(crate) Children);

impl Drop for EndWithRun {
    fn drop(&mut self) {
        self.0.end(&self.0.running());
    }
}
