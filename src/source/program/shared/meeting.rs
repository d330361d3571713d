//! Who takes part: whom the program waits for, who has come, who listens to it.

use std::collections::BTreeSet;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::Guest;
use crate::source::Remarks;
use crate::source::children::Children;

/// When nobody came for so long, those who have come wait for nobody any more: who is late is held up by a
/// lock, a connection, a server.
const PATIENCE: Duration = Duration::from_secs(3);

pub(super) struct Meeting {
    attendance: Mutex<Attendance>,
    change: Condvar,
    /// The program that runs.
    pub(super) children: Children,
    /// What it has to say, whoever listens.
    pub(super) remarks: Remarks,
}

struct Attendance {
    /// How many there were.
    members: usize,
    /// The program that runs now, and for whom.
    program: String,
    listeners: BTreeSet<usize>,
    /// Those who have not left.
    present: BTreeSet<usize>,
    /// Of those, who have not come so far.
    awaited: BTreeSet<usize>,
    guests: Vec<Guest>,
    is_over: bool,
}

impl Meeting {
    pub(super) fn of(members: usize, children: Children, remarks: Remarks) -> Self {
        let all: BTreeSet<usize> = (0..members).collect();
        let attendance = Attendance {
            members,
            program: String::new(),
            listeners: BTreeSet::new(),
            present: all.clone(),
            awaited: all,
            guests: Vec::new(),
            is_over: false,
        };
        Meeting {
            attendance: Mutex::new(attendance),
            change: Condvar::new(),
            children,
            remarks,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Attendance> {
        let attendance = self.attendance.lock();
        attendance.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn come(&self, guest: Guest) {
        let mut now = self.lock();
        // Else it is dropped, and told so by that.
        if !now.is_over {
            now.awaited.remove(&guest.index);
            now.guests.push(guest);
            self.change.notify_all();
        }
    }

    /// A pipeline reads no longer, if it ever did. The program ends with the last of those for whom it runs.
    pub(super) fn leave(&self, index: usize) {
        let mut now = self.lock();
        now.present.remove(&index);
        now.awaited.remove(&index);
        now.guests.retain(|guest| guest.index != index);
        let is_last = now.listeners.remove(&index) && now.listeners.is_empty();
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

    /// Waits for the next who are to share runs; none come any more.
    pub(super) fn gather(&self) -> Option<Vec<Guest>> {
        let mut now = self.lock();
        while !now.awaited.is_empty() {
            if now.guests.is_empty() {
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
        let mut guests = mem::take(&mut now.guests);
        guests.sort_by_key(|guest| guest.index);
        (!guests.is_empty()).then_some(guests)
    }

    /// Whether somebody may come who is late.
    pub(super) fn awaits_somebody(&self) -> bool {
        !self.lock().awaited.is_empty()
    }

    /// The program is to run for these: those who have not left.
    pub(super) fn open(
        &self,
        program: &str,
        members: impl Iterator<Item = usize>,
    ) -> BTreeSet<usize> {
        let mut now = self.lock();
        program.clone_into(&mut now.program);
        let present = members.filter(|index| now.present.contains(index));
        now.listeners = present.collect();
        now.listeners.clone()
    }

    pub(super) fn has_listeners(&self) -> bool {
        !self.lock().listeners.is_empty()
    }

    /// The program has ended.
    pub(super) fn close(&self) {
        self.lock().listeners.clear();
    }

    /// Nobody is served any more.
    pub(super) fn end(&self) {
        let mut now = self.lock();
        now.is_over = true;
        now.guests.clear();
    }
}
