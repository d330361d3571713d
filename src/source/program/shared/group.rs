//! The pipelines that share a program: which it waits for, which have arrived, and which read it now.

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::OpenRequest;
use crate::source::Remarks;
use crate::source::children::Children;

/// When no pipeline has arrived for so long, the program waits for no more of them: whichever is late is held up by
/// a lock, a connection, a server.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) struct PipelineGroup {
    attendance: Mutex<GroupState>,
    change: Condvar,
    /// The program, while it runs.
    pub(super) children: Children,
    /// What it has to say, whichever pipelines read it.
    pub(super) remarks: Remarks,
}

struct GroupState {
    /// How many there were.
    members: usize,
    /// The program that runs now, and those that read it.
    program: String,
    readers: BTreeSet<usize>,
    /// Those that have not left.
    present: BTreeSet<usize>,
    /// Of those, the ones that have not arrived yet.
    awaited: BTreeSet<usize>,
    arrivals: Vec<OpenRequest>,
    is_over: bool,
}

impl PipelineGroup {
    pub(super) fn of(members: usize, children: Children, remarks: Remarks) -> Self {
        let all: BTreeSet<usize> = (0..members).collect();
        let attendance = GroupState {
            members,
            program: String::new(),
            readers: BTreeSet::new(),
            present: all.clone(),
            awaited: all,
            arrivals: Vec::new(),
            is_over: false,
        };
        PipelineGroup {
            attendance: Mutex::new(attendance),
            change: Condvar::new(),
            children,
            remarks,
        }
    }

    fn lock(&self) -> MutexGuard<'_, GroupState> {
        let attendance = self.attendance.lock();
        attendance.unwrap_or_else(PoisonError::into_inner)
    }

    /// How many share the program, whether they have arrived or not.
    pub(super) fn members(&self) -> usize {
        self.lock().members
    }

    pub(super) fn arrive(&self, arrival: OpenRequest) {
        let mut now = self.lock();
        // Otherwise it is dropped, which its pipeline notices.
        if !now.is_over {
            now.awaited.remove(&arrival.index);
            now.arrivals.push(arrival);
            self.change.notify_all();
        }
    }

    /// A pipeline reads no longer, if it ever did. The program ends with the last of its readers.
    pub(super) fn leave(&self, index: usize) {
        let mut now = self.lock();
        now.present.remove(&index);
        now.awaited.remove(&index);
        now.arrivals.retain(|arrival| arrival.index != index);
        let is_last = now.readers.remove(&index) && now.readers.is_empty();
        let programs = match is_last {
            true => self.children.running(),
            false => Vec::new(),
        };
        if now.members > 1 && !programs.is_empty() {
            self.remarks.add(format!(
                "`{}` was ended: none of the pipelines that share it reads on",
                now.program
            ));
        }
        self.change.notify_all();
        drop(now);
        self.children.end(&programs);
    }

    /// Waits for the pipelines that share the next run; none if no more will arrive.
    pub(super) fn next_arrivals(&self) -> Option<Vec<OpenRequest>> {
        let mut now = self.lock();
        while !now.awaited.is_empty() {
            if now.arrivals.is_empty() {
                let woken = self.change.wait(now);
                now = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let woken = self.change.wait_timeout(now, PATIENCE);
            let (woken, waited) = woken.unwrap_or_else(PoisonError::into_inner);
            now = woken;
            if waited.timed_out() {
                break;
            }
        }
        let mut arrivals = mem::take(&mut now.arrivals);
        arrivals.sort_by_key(|arrival| arrival.index);
        (!arrivals.is_empty()).then_some(arrivals)
    }

    /// Whether a pipeline is late, and may arrive yet.
    pub(super) fn awaits_more(&self) -> bool {
        !self.lock().awaited.is_empty()
    }

    /// The program is to run for these; returns those of them that have not left.
    pub(super) fn begin(
        &self,
        program: &str,
        members: impl Iterator<Item = usize>,
    ) -> BTreeSet<usize> {
        let mut now = self.lock();
        program.clone_into(&mut now.program);
        let present = members.filter(|index| now.present.contains(index));
        now.readers = present.collect();
        now.readers.clone()
    }

    pub(super) fn has_readers(&self) -> bool {
        !self.lock().readers.is_empty()
    }

    /// The program has ended, or ends by itself.
    pub(super) fn finish(&self) {
        self.lock().readers.clear();
    }

    /// The program is not run again: nobody is to wait for it.
    pub(super) fn end(&self) {
        let mut now = self.lock();
        now.is_over = true;
        now.arrivals.clear();
    }
}
