//! Claims deliveries, keeps as many requests in flight as it may, and records the outcomes.

mod outcomes;

use super::ask_until_answered;
use super::destination::Destination;
use super::outcome::{Attempt, DeliveryOutcome};
use crate::batch::{self, Claimed, DeliveryRun, Route};
use crate::error::{Error, Kind, Result};
use crate::report::DeliveryReport;
use crate::run::job::Job;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use tokio::task::JoinSet;

/// How many deliveries are claimed at a time for each request that may be in flight.
const AHEAD: usize = 4;

/// Deliveries of an attempt that decided nothing about them.
#[derive(Default)]
struct Unsettled {
    without_others: Vec<Claimed>,
    in_halves: Vec<Claimed>,
}

pub(super) struct Sender<'a> {
    job: &'a Job<'a>,
    destination: Arc<Destination>,
    route: Route,
    epoch: i64,
    workers: usize,
    /// Each element is sent as one request.
    queue: VecDeque<Vec<Claimed>>,
    sending: JoinSet<Attempt>,
    /// Claimed, and without an outcome that the database knows: it must not hand them out again.
    held: BTreeSet<i64>,
    /// Outcomes that are not recorded yet.
    outcomes: Vec<Value>,
    /// Refused, perhaps for a reason that concerns every row.
    suspects: Vec<(DeliveryOutcome, u32, Error)>,
    /// How often a delivery was put off while others got through.
    put_off: HashMap<i64, u32>,
    refused_in_a_row: usize,
    has_sent: bool,
    /// Nothing gets through that other rows may not have to come before.
    is_early: bool,
    error: Option<Error>,
}

impl<'a> Sender<'a> {
    pub(super) fn new(
        job: &'a Job<'a>,
        destination: Arc<Destination>,
        delivering: &DeliveryRun,
        workers: usize,
    ) -> Self {
        Sender {
            job,
            route: delivering.route.clone(),
            epoch: delivering.epoch,
            workers: destination.most_at_a_time().unwrap_or(workers),
            destination,
            queue: VecDeque::new(),
            sending: JoinSet::new(),
            held: BTreeSet::new(),
            outcomes: Vec::new(),
            suspects: Vec::new(),
            put_off: HashMap::new(),
            refused_in_a_row: 0,
            has_sent: delivering.has_accepted,
            is_early: false,
            error: None,
        }
    }

    /// Sends until nothing is left that can be sent.
    pub(super) async fn send_all(mut self, report: &mut DeliveryReport) -> Result<()> {
        let done = self.send_while_possible(report).await;
        // Also when the database is lost: requests in flight are waited for.
        while let Some(attempt) = self.next_attempt().await {
            let unsettled = self.handle(attempt, report);
            self.queue.extend([unsettled.without_others, unsettled.in_halves]);
        }
        let is_deposed = matches!(&done, Err(error) if error.kind() == Kind::Locked);
        if !is_deposed {
            self.settle_suspects(report);
            for left in std::mem::take(&mut self.queue).into_iter().flatten() {
                self.outcomes.push(json!({"id": left.id, "outcome": "released"}));
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
        while self.error.is_none() && !self.is_early && !self.job.stop.is_requested() {
            while self.sending.len() < self.workers
                && let Some(deliveries) = self.queue.pop_front()
            {
                self.sending.spawn(Arc::clone(&self.destination).deliver(deliveries));
            }
            if self.queue.is_empty() && !is_drained && self.sending.len() < self.workers {
                self.record().await?;
                is_drained = !self.claim(report).await?;
                continue;
            }
            match self.next_attempt().await {
                Some(attempt) => {
                    let unsettled = self.handle(attempt, report);
                    self.go_on_with(unsettled).await?;
                    // Its key may have another change to send.
                    is_drained = false;
                }
                None if self.suspects.is_empty() => break,
                // Nothing else will tell about them, and their keys may have another change to send.
                None => {
                    self.settle_suspects(report);
                    is_drained = false;
                }
            }
        }
        Ok(())
    }

    async fn next_attempt(&mut self) -> Option<Attempt> {
        match self.sending.join_next().await? {
            Ok(attempt) => Some(attempt),
            // Nothing cancels them, so it panicked. Its deliveries stay in flight.
            Err(cause) => std::panic::resume_unwind(cause.into_panic()),
        }
    }

    /// Claims the next deliveries; says whether there were any.
    async fn claim(&mut self, report: &mut DeliveryReport) -> Result<bool> {
        let held: Vec<i64> = self.held.iter().copied().collect();
        let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let parcel_rows = self.destination.parcel_rows();
        let most = number(self.workers * parcel_rows.unwrap_or(AHEAD));
        let claimed = ask_until_answered(self.job, "looking for deliveries", async |client| {
            let (route, epoch) = (&self.route, self.epoch);
            batch::claim_deliveries(client, route, epoch, &held, most, parcel_rows.map(number))
                .await
        })
        .await?;
        let has_found = !claimed.is_empty();
        let mut parcel: Vec<Claimed> = Vec::new();
        for delivery in claimed {
            match delivery.state.as_str() {
                "in_flight" => {
                    self.held.insert(delivery.id);
                    let is_next = parcel_rows.is_none()
                        || parcel.first().is_some_and(|first| first.parcel != delivery.parcel);
                    if is_next && !parcel.is_empty() {
                        self.queue.push_back(std::mem::take(&mut parcel));
                    }
                    parcel.push(delivery);
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
        self.queue.extend((!parcel.is_empty()).then_some(parcel));
        Ok(has_found)
    }

    /// Sends the rest of a parcel without its refused rows, once those are recorded, and a refused request in halves.
    async fn go_on_with(&mut self, unsettled: Unsettled) -> Result<()> {
        if !unsettled.without_others.is_empty() {
            self.record().await?;
            self.queue.push_front(unsettled.without_others);
        }
        if unsettled.in_halves.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = unsettled.in_halves.iter().map(|delivery| delivery.id).collect();
        let parcels = ask_until_answered(self.job, "splitting a parcel", async |client| {
            let (route, epoch) = (&self.route, self.epoch);
            batch::split_parcel(client, route, epoch, &ids).await
        })
        .await?;
        let mut deliveries = unsettled.in_halves;
        for delivery in &mut deliveries {
            delivery.parcel = parcels.get(&delivery.id).cloned();
        }
        let is_of_first = |delivery: &Claimed| delivery.parcel == deliveries[0].parcel;
        let first = deliveries.iter().take_while(|delivery| is_of_first(delivery)).count();
        let other = deliveries.split_off(first);
        self.queue.push_front(other);
        self.queue.push_front(deliveries);
        Ok(())
    }

    /// Records the outcomes. Repeated after a lost answer, it changes nothing.
    async fn record(&mut self) -> Result<()> {
        if self.outcomes.is_empty() {
            return Ok(());
        }
        let outcomes = Value::Array(std::mem::take(&mut self.outcomes));
        ask_until_answered(self.job, "recording deliveries", async |client| {
            let (route, epoch) = (&self.route, self.epoch);
            batch::record_deliveries(client, route, epoch, &outcomes).await
        })
        .await?;
        for outcome in outcomes.as_array().into_iter().flatten() {
            // One without a decision is not claimed again by this sender.
            if outcome["outcome"] != "waiting"
                && outcome["outcome"] != "put_off"
                && let Some(id) = outcome["id"].as_i64()
            {
                self.held.remove(&id);
            }
        }
        Ok(())
    }
}
