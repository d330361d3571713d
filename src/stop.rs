//! SIGINT and SIGTERM: the first finishes the batch in hand, the second aborts at once.

use crate::error::{Error, Kind, Result};
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Whether the run has been asked to stop, and how urgently.
#[derive(Debug, Clone)]
pub struct Stop {
    /// The signals that came, in order.
    signals: watch::Receiver<Vec<i32>>,
    _sender: Arc<watch::Sender<Vec<i32>>>,
}

impl Stop {
    /// Listens to the process's signals.
    pub fn on_signals() -> Result<Self> {
        let stop = Self::never();
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let mut stream = signal(kind)
                .map_err(|error| Error::failed("signals cannot be handled").caused_by(error))?;
            let sender = Arc::clone(&stop._sender);
            tokio::spawn(async move {
                while stream.recv().await.is_some() {
                    sender.send_modify(|signals| signals.push(kind.as_raw_value()));
                }
            });
        }
        Ok(stop)
    }

    /// Is never asked to stop.
    pub fn never() -> Self {
        let (sender, signals) = watch::channel(Vec::new());
        Stop {
            signals,
            _sender: Arc::new(sender),
        }
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
    pub async fn insisted(&self) {
        self.count(2).await;
    }

    async fn count(&self, count: usize) {
        let mut signals = self.signals.clone();
        if signals
            .wait_for(|signals| signals.len() >= count)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }

    /// Does what leaves nothing half done when a signal cuts it short.
    pub async fn unless_requested<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.requested() => Err(self.error()),
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
