//! Which delivery goes when, and what is noted of it.

use super::endpoint::{Attempted, Endpoint, Verdict};
use super::insist;
use crate::batch::{self, Claimed, Delivering};
use crate::error::{Error, Kind, Result};
use crate::report::DeliveryReport;
use crate::run::job::Job;
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Claimed at a time for each request that may be on its way.
const AHEAD: usize = 4;
/// So many rows in a row that may be to blame, or not: it is not the rows.
const SUSPECTS_IN_A_ROW: usize = 10;
/// So many rows in a row that were refused, and none taken: something is wrong with all of them.
const REFUSED_IN_A_ROW: usize = 100;

pub(super) struct Sender<'a> {
    job: &'a Job<'a>,
    endpoint: Arc<Endpoint>,
    epoch: i64,
    workers: usize,
    queue: VecDeque<Claimed>,
    sending: JoinSet<Attempted>,
    /// What the database must not hand out again: claimed, and not decided as far as it knows.
    held: BTreeSet<i64>,
    /// Not recorded yet.
    outcomes: Vec<Value>,
    /// Refused, each perhaps for a reason that is every row's.
    suspects: Vec<(Attempted, Error)>,
    refused_in_a_row: usize,
    has_sent: bool,
    error: Option<Error>,
}

impl<'a> Sender<'a> {
    pub(super) fn new(
        job: &'a Job<'a>,
        endpoint: Arc<Endpoint>,
        delivering: &Delivering,
        workers: usize,
    ) -> Self {
        Sender {
            job,
            endpoint,
            epoch: delivering.epoch,
            workers,
            queue: VecDeque::new(),
            sending: JoinSet::new(),
            held: BTreeSet::new(),
            outcomes: Vec::new(),
            suspects: Vec::new(),
            refused_in_a_row: 0,
            has_sent: delivering.has_accepted,
            error: None,
        }
    }

    /// Sends until nothing is left that can be.
    pub(super) async fn send_all(mut self, report: &mut DeliveryReport) -> Result<()> {
        let done = self.send_while_possible(report).await;
        // Also after the database was lost: what is on its way comes to its end.
        while let Some(attempted) = self.next_attempted().await {
            self.judge(attempted, report);
        }
        let is_deposed = matches!(&done, Err(error) if error.kind() == Kind::Locked);
        if !is_deposed {
            self.settle_suspects(report);
            for left in std::mem::take(&mut self.queue) {
                self.outcomes
                    .push(json!({"id": left.id, "outcome": "released"}));
            }
            self.record().await?;
        }
        done?;
        match self.error {
            Some(error) => Err(error),
            None if self.job.stop.is_requested() => Err(self.job.stop.error()),
            None => Ok(()),
        }
    }

    async fn send_while_possible(&mut self, report: &mut DeliveryReport) -> Result<()> {
        let mut is_drained = false;
        while self.error.is_none() && !self.job.stop.is_requested() {
            while self.sending.len() < self.workers
                && let Some(delivery) = self.queue.pop_front()
            {
                self.sending
                    .spawn(Arc::clone(&self.endpoint).deliver(delivery));
            }
            if self.queue.is_empty() && !is_drained && self.sending.len() < self.workers {
                self.record().await?;
                is_drained = !self.claim(report).await?;
                continue;
            }
            match self.next_attempted().await {
                Some(attempted) => {
                    self.judge(attempted, report);
                    // Its key may have another change to send.
                    is_drained = false;
                }
                None => break,
            }
        }
        Ok(())
    }

    async fn next_attempted(&mut self) -> Option<Attempted> {
        match self.sending.join_next().await? {
            Ok(attempted) => Some(attempted),
            // Nothing cancels them: a bug. What it had in hand stays in flight.
            Err(cause) => std::panic::resume_unwind(cause.into_panic()),
        }
    }

    /// Takes the next deliveries; whether there were any.
    async fn claim(&mut self, report: &mut DeliveryReport) -> Result<bool> {
        let held: Vec<i64> = self.held.iter().copied().collect();
        let most = i32::try_from(self.workers * AHEAD).unwrap_or(i32::MAX);
        let claimed = insist(self.job, "looking for deliveries", async |client| {
            let (pipeline, epoch) = (self.job.pipeline, self.epoch);
            batch::claim_deliveries(client, pipeline, epoch, &held, most).await
        })
        .await?;
        let has_found = !claimed.is_empty();
        for delivery in claimed {
            match delivery.state.as_str() {
                "in_flight" => {
                    self.held.insert(delivery.id);
                    self.queue.push_back(delivery);
                }
                "dead" => {
                    let why = delivery.error.as_deref().unwrap_or_default();
                    tracing::info!("{} cannot be sent: {why}", delivery.key);
                    report.dead += 1;
                }
                "filtered" => report.filtered += 1,
                _ => {}
            }
        }
        Ok(has_found)
    }

    /// Notes what came of deliveries. Whether a lost answer was given need not be known.
    async fn record(&mut self) -> Result<()> {
        if self.outcomes.is_empty() {
            return Ok(());
        }
        let outcomes = Value::Array(std::mem::take(&mut self.outcomes));
        insist(self.job, "recording deliveries", async |client| {
            let (pipeline, epoch) = (self.job.pipeline, self.epoch);
            batch::record_deliveries(client, pipeline, epoch, &outcomes).await
        })
        .await?;
        for outcome in outcomes.as_array().into_iter().flatten() {
            // One that nobody has decided about is not taken again by this sender.
            if outcome["outcome"] != "waiting"
                && let Some(id) = outcome["id"].as_i64()
            {
                self.held.remove(&id);
            }
        }
        Ok(())
    }

    fn judge(&mut self, mut attempted: Attempted, report: &mut DeliveryReport) {
        match std::mem::replace(&mut attempted.verdict, Verdict::Sent) {
            Verdict::Sent => {
                self.has_sent = true;
                self.refused_in_a_row = 0;
                report.sent += 1;
                self.note(&attempted, "sent", None);
                self.settle_suspects(report);
            }
            Verdict::Refused(error) => {
                self.refuse(&attempted, &error, report);
                self.refused_in_a_row += 1;
                if self.refused_in_a_row >= REFUSED_IN_A_ROW && self.error.is_none() {
                    let what = format!(
                        "the last {} deliveries were refused, and none was taken; the latest: {}",
                        self.refused_in_a_row,
                        error.message()
                    );
                    self.error = Some(
                        Error::new(Kind::Threshold, what)
                            .next("see sluice deliveries PIPELINE; correct the body function, then sluice redeliver PIPELINE"),
                    );
                }
            }
            Verdict::Suspect(error) => {
                self.suspects.push((attempted, error));
                if self.suspects.len() >= SUSPECTS_IN_A_ROW {
                    self.has_sent = false;
                    self.settle_suspects(report);
                }
            }
            Verdict::Undecided(error) => {
                tracing::warn!("left for the next time: {}", error.message());
                self.note(&attempted, "waiting", Some(error.message()));
            }
            Verdict::Stopped(error) => {
                self.note(&attempted, "released", Some(error.message()));
                self.error.get_or_insert(error);
            }
            Verdict::BrokenOff(error) => {
                self.note(&attempted, "waiting", Some(error.message()));
                self.error.get_or_insert(error);
            }
        }
    }

    /// Whether it was the rows shows in whether any other got through.
    fn settle_suspects(&mut self, report: &mut DeliveryReport) {
        let suspects = std::mem::take(&mut self.suspects);
        for (attempted, error) in suspects {
            if self.has_sent {
                let is_gone = matches!(attempted.answer.status, Some(404 | 410));
                if is_gone && self.endpoint.only_deletes(&attempted.delivery) {
                    report.sent += 1;
                    self.note(&attempted, "sent", None);
                } else {
                    self.refuse(&attempted, &error, report);
                }
            } else {
                self.note(&attempted, "released", Some(error.message()));
                self.error.get_or_insert(error.next(
                    "no row gets through: check url, method and credential of deliver; nothing was given up",
                ));
            }
        }
    }

    fn refuse(&mut self, attempted: &Attempted, error: &Error, report: &mut DeliveryReport) {
        tracing::info!("refused: {}", error.message());
        report.dead += 1;
        self.note(attempted, "dead", Some(error.message()));
    }

    fn note(&mut self, attempted: &Attempted, outcome: &str, error: Option<&str>) {
        self.outcomes.push(json!({
            "id": attempted.delivery.id, "outcome": outcome, "error": error, "retries": attempted.retries,
            "status": attempted.answer.status, "answer": attempted.answer.text,
        }));
    }
}
