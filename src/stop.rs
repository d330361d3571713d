//! SIGINT and SIGTERM: the first finishes the batch in hand, the second aborts at once. A command
//! that has nothing in hand to finish is ended by the first.

use crate::error::{Error, Kind, Result};
use nix::sys::signal::{SigSet, Signal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Whether the run has been asked to stop, and how urgently.
#[derive(Debug, Clone)]
pub struct Stop {
    /// The signals that came, in order.
    signals: watch::Receiver<Vec<i32>>,
    _sender: Arc<watch::Sender<Vec<i32>>>,
}

/// How long signals take that were held back, at most.
const LET_THROUGH: Duration = Duration::from_millis(200);

static OF_PROCESS: OnceLock<Stop> = OnceLock::new();
static IS_ATTENDED: AtomicBool = AtomicBool::new(false);

/// What a signal met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrived {
    /// A command that it ends.
    Unattended,
    /// A command that finishes what it has in hand.
    First,
    /// One that was told already, and drops what it has in hand.
    Again,
}

impl Stop {
    /// Listens to the process's signals from here on; to be called first of all, in a runtime that lasts.
    /// Until somebody attends to them, the first one ends the process. `announce` tells the user what a
    /// signal does.
    pub fn listen(announce: fn(Arrived)) -> Result<()> {
        let stop = Self::never();
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let mut stream = signal(kind)
                .map_err(|error| Error::failed("signals cannot be handled").caused_by(error))?;
            let sender = Arc::clone(&stop._sender);
            tokio::spawn(async move {
                while stream.recv().await.is_some() {
                    sender.send_modify(|signals| signals.push(kind.as_raw_value()));
                    if !IS_ATTENDED.load(Ordering::SeqCst) {
                        announce(Arrived::Unattended);
                        let kind = Kind::Interrupted(kind.as_raw_value());
                        std::process::exit(i32::from(kind.exit_code()));
                    }
                    match sender.borrow().len() {
                        1 => announce(Arrived::First),
                        _ => announce(Arrived::Again),
                    }
                }
            });
        }
        // Twice is once.
        let _ = OF_PROCESS.set(stop);
        // Whoever started the process may have held them back until now.
        let signals = [Signal::SIGINT, Signal::SIGTERM];
        let are_held = SigSet::thread_get_mask()
            .is_ok_and(|mask| signals.iter().any(|signal| mask.contains(*signal)));
        SigSet::from_iter(signals)
            .thread_unblock()
            .map_err(|error| Error::failed("signals cannot be let through").caused_by(error))?;
        if are_held {
            // What has come meanwhile is attended to by another thread, before this one goes on.
            std::thread::sleep(LET_THROUGH);
        }
        Ok(())
    }

    /// The process's signals, which the caller attends to from now on.
    pub fn on_signals() -> Result<Self> {
        if OF_PROCESS.get().is_none() {
            Self::listen(|_| ())?;
        }
        IS_ATTENDED.store(true, Ordering::SeqCst);
        Ok(OF_PROCESS.get().cloned().unwrap_or_else(Self::never))
    }

    /// Is never asked to stop.
    pub fn never() -> Self {
        let (sender, signals) = watch::channel(Vec::new());
        Stop { signals, _sender: Arc::new(sender) }
    }

    /// Whether a first signal came.
    pub fn is_requested(&self) -> bool {
        !self.signals.borrow().is_empty()
    }

    /// Waits for the first signal.
    pub async fn requested(&self) {
        self.count(1).await;
    }

    /// Waits for the second signal.
    pub async fn forced(&self) {
        self.count(2).await;
    }

    async fn count(&self, count: usize) {
        let mut signals = self.signals.clone();
        if signals.wait_for(|signals| signals.len() >= count).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Does what leaves nothing half done if a signal cuts it short.
    pub async fn unless_requested<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.requested() => Err(self.error()),
            done = work => done,
        }
    }

    /// The same for what a second signal may leave half done.
    pub async fn unless_forced<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            () = self.forced() => Err(self.error()),
            done = work => done,
        }
    }

    /// The error of an interrupted run.
    pub fn error(&self) -> Error {
        let signal = self.signals.borrow().first().copied().unwrap_or(2);
        Error::new(Kind::Interrupted(signal), "interrupted")
            .next("what was committed stays; run again to go on from there")
    }
}
