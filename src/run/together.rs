//! Runs several pipelines side by side that share one run of a program.

use super::{Options, Stop, run_pipeline};
use crate::db::Connector;
use crate::error::{Error, Result};
use crate::report::{ProgressDisplay, Report};
use crate::source;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};

/// Runs them side by side, each as [`run_pipeline`] does; what they have in common is their source.
pub async fn run_together(
    pipelines: &[(&str, Connector)],
    options: &Options,
    stop: &Stop,
    progress: &ProgressDisplay,
) -> Result<Vec<Report>> {
    let names: Vec<&str> = pipelines.iter().map(|(name, _)| *name).collect();
    let (members, program) = source::share(&names)?;
    let workers = (options.workers / pipelines.len()).max(1);
    let admission = Admission::new(pipelines.len(), workers + 1);
    let part = progress.part();
    let runs = pipelines.iter().zip(members).map(|((name, connector), member)| {
        let (member, admission, part) = (Arc::new(member), &admission, &part);
        let opening = Arc::clone(&member);
        let options = Options {
            // All that is held up by a worker is its own pipeline, and it is the program that is slow.
            workers,
            open_source: Arc::new(move |settings, start, context| {
                opening.open(settings, &start, context)
            }),
            ..options.clone()
        };
        async move {
            let connector = admission.admit(connector, stop).await;
            let report = run_pipeline(&connector, name, &options, stop, part).await;
            member.leave();
            drop(connector);
            admission.leave();
            report
        }
    });
    progress.start(None);
    let mut reports = join_all(runs).await;
    progress.finish();
    // They concern all pipelines, whichever came or left.
    if let Some(report) = reports.first_mut() {
        report.remarks.extend(program.remarks());
    }
    Ok(reports)
}

/// Admits pipelines that run side by side as the server has connections for them. They connect one after another,
/// each to all that it needs, so that no two hold a part and wait for each other.
struct Admission {
    pipelines: usize,
    connections: usize,
    /// Held by the pipeline that connects.
    queue: Mutex<AdmissionQueue>,
    running: watch::Sender<usize>,
}

struct AdmissionQueue {
    /// How many have not begun yet.
    waiting: usize,
    /// The log says that they wait.
    is_told: bool,
}

impl Admission {
    /// How often to try again: connections of other programs may have gone, too.
    const RETRY: Duration = Duration::from_secs(5);

    fn new(pipelines: usize, connections: usize) -> Self {
        Admission {
            pipelines,
            connections,
            queue: Mutex::new(AdmissionQueue { waiting: pipelines, is_told: false }),
            running: watch::Sender::new(0),
        }
    }

    /// Waits until there are enough connections, or no other pipeline runs.
    async fn admit(&self, connector: &Connector, stop: &Stop) -> Connector {
        let mut queue = self.queue.lock().await;
        let mut running = self.running.subscribe();
        let connector = loop {
            let is_alone = *running.borrow_and_update() == 0;
            let ahead = connector.with_connections(self.connections);
            match stop.unless_requested(ahead).await {
                Ok(connector) => break connector,
                Err(error) if error.sqlstate() == Some(TOO_MANY) && !is_alone => {
                    self.tell(&mut queue, &error);
                }
                // Its run says what it is, and tries again.
                Err(_) => break connector.clone(),
            }
            tokio::select! {
                _ = running.changed() => {}
                () = tokio::time::sleep(Self::RETRY) => {}
                () = stop.requested() => {}
            }
        };
        queue.waiting -= 1;
        self.running.send_modify(|running| *running += 1);
        connector
    }

    fn leave(&self) {
        self.running.send_modify(|running| *running -= 1);
    }

    fn tell(&self, queue: &mut AdmissionQueue, error: &Error) {
        if !std::mem::replace(&mut queue.is_told, true) {
            tracing::warn!(
                "{} of {} pipelines wait until others have ended, as each takes {} connections: {}; {}",
                queue.waiting,
                self.pipelines,
                self.connections,
                error.message(),
                error.next_step().unwrap_or_default()
            );
        }
    }
}

const TOO_MANY: &str = "53300";
