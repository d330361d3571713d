//! Several pipelines that read one program: it is run once for all of them.

use super::{Options, Stop, run_pipeline};
use crate::db::Connector;
use crate::error::{Error, Result};
use crate::report::{Progress, Report};
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
    progress: &Progress,
) -> Result<Vec<Report>> {
    let names: Vec<&str> = pipelines.iter().map(|(name, _)| *name).collect();
    let (members, program) = source::share(&names)?;
    let workers = (options.workers / pipelines.len()).max(1);
    let seats = Seats::of(pipelines.len(), workers + 1);
    let part = progress.part();
    let runs = pipelines
        .iter()
        .zip(members)
        .map(|((name, connector), member)| {
            let (member, seats, part) = (Arc::new(member), &seats, &part);
            let opening = Arc::clone(&member);
            let options = Options {
                // All that is held up by a worker is its own pipeline, and it is the program that is slow.
                workers,
                open_source: Arc::new(move |settings, start, means| {
                    opening.open(settings, &start, means)
                }),
                ..options.clone()
            };
            async move {
                let connector = seats.take(connector, stop).await;
                let report = run_pipeline(&connector, name, &options, stop, part).await;
                member.leave();
                drop(connector);
                seats.leave();
                report
            }
        });
    progress.start(None);
    let mut reports = join_all(runs).await;
    progress.finish();
    // Whichever pipeline came or left: it is said of all of them.
    if let Some(report) = reports.first_mut() {
        report.remarks.extend(program.remarks());
    }
    Ok(reports)
}

/// Connections for pipelines that run side by side. One pipeline after another takes all that it needs, so that
/// none holds a part and waits for what others hold that wait as well.
struct Seats {
    pipelines: usize,
    connections: usize,
    /// Held by the one whose turn it is.
    queue: Mutex<Queue>,
    running: watch::Sender<usize>,
}

struct Queue {
    /// How many have not begun so far.
    waiting: usize,
    /// It was said that they wait.
    is_told: bool,
}

impl Seats {
    /// How long it takes to look again whether others, whoever they are, have gone.
    const AGAIN: Duration = Duration::from_secs(5);

    fn of(pipelines: usize, connections: usize) -> Self {
        Seats {
            pipelines,
            connections,
            queue: Mutex::new(Queue {
                waiting: pipelines,
                is_told: false,
            }),
            running: watch::Sender::new(0),
        }
    }

    /// Waits until there are enough of them, or none of the others runs.
    async fn take(&self, connector: &Connector, stop: &Stop) -> Connector {
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
                () = tokio::time::sleep(Self::AGAIN) => {}
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

    fn tell(&self, queue: &mut Queue, error: &Error) {
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
