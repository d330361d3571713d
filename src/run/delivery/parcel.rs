//! What is sent at once, and what came of it.

use super::http::Endpoint;
use super::postgres::Table;
use crate::batch::{Claimed, Delivering};
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::retry::Budget;
use serde_json::Value;
use std::sync::Arc;

/// So often is one delivery tried while others get through; then it waits for the next sender.
pub(super) const TRIES_WHILE_OTHERS_PASS: u32 = 6;

/// Where deliveries go.
pub(super) enum Destination {
    Http(Box<Endpoint>),
    Postgres(Box<Table>),
}

/// What came of deliveries that were sent at once.
#[derive(Default)]
pub(super) struct Attempted {
    pub(super) items: Vec<Tried>,
    /// Requests beyond the first.
    pub(super) retries: u32,
}

/// What came of one of them.
pub(super) struct Tried {
    pub(super) delivery: Claimed,
    pub(super) verdict: Verdict,
    pub(super) answer: Answer,
}

/// What the other side said last, as far as it is kept.
#[derive(Default, Clone)]
pub(super) struct Answer {
    pub(super) status: Option<u16>,
    pub(super) text: Option<String>,
}

pub(super) enum Verdict {
    Sent,
    /// This row is refused.
    Refused(Error),
    /// The row is refused, or all of them are: that shows in what becomes of others.
    Suspect(Error),
    /// It may have arrived, or not; others get through.
    Undecided(Error),
    /// The same, and it is to be tried again without those that it was sent with.
    Later(Error),
    /// No row would get through; this one did certainly not.
    Stopped(Error),
    /// No row gets through; whether this one did is not known.
    BrokenOff(Error),
    /// Nothing was done, as others are refused: once more without them.
    WithoutOthers,
    /// All were refused together: in halves, to find the one that is to blame.
    InHalves,
}

impl Verdict {
    /// The same of another delivery.
    fn of_another(&self) -> Self {
        let again = |error: &Error| Error::new(error.kind(), error.message());
        match self {
            Verdict::Sent => Verdict::Sent,
            Verdict::Refused(error) => Verdict::Refused(again(error)),
            Verdict::Suspect(error) => Verdict::Suspect(again(error)),
            Verdict::Undecided(error) => Verdict::Undecided(again(error)),
            Verdict::Later(error) => Verdict::Later(again(error)),
            Verdict::Stopped(error) => Verdict::Stopped(again(error)),
            Verdict::BrokenOff(error) => Verdict::BrokenOff(again(error)),
            Verdict::WithoutOthers => Verdict::WithoutOthers,
            Verdict::InHalves => Verdict::InHalves,
        }
    }
}

impl Destination {
    pub(super) async fn open(
        delivering: &Delivering,
        host: &HostRules,
        budget: &Arc<Budget>,
    ) -> Result<Self> {
        let settings = &delivering.settings;
        Ok(match settings["kind"].as_str() {
            Some("postgres") => {
                let table = Table::new(delivering, host, Arc::clone(budget))?;
                table.open().await?;
                Destination::Postgres(Box::new(table))
            }
            _ => Destination::Http(Box::new(Endpoint::new(
                understood(settings)?,
                host,
                Arc::clone(budget),
            )?)),
        })
    }

    pub(super) async fn deliver(self: Arc<Self>, deliveries: Vec<Claimed>) -> Attempted {
        match &*self {
            Destination::Http(endpoint) => endpoint.deliver(deliveries).await,
            Destination::Postgres(table) => table.deliver(deliveries).await,
        }
    }

    /// How many go together; `None`: each goes by itself.
    pub(super) fn parcel_rows(&self) -> Option<usize> {
        match self {
            Destination::Http(endpoint) => endpoint.parcel_rows(),
            Destination::Postgres(table) => Some(table.parcel_rows()),
        }
    }

    /// So many parcels may be on their way.
    pub(super) fn most_at_a_time(&self) -> Option<usize> {
        match self {
            Destination::Http(_) => None,
            // It notes the last one that it took.
            Destination::Postgres(_) => Some(1),
        }
    }

    /// Whether all that a delivery wants is that there is nothing.
    pub(super) fn only_deletes(&self, delivery: &Claimed) -> bool {
        match self {
            Destination::Http(endpoint) => endpoint.only_deletes(delivery),
            Destination::Postgres(_) => false,
        }
    }
}

impl Attempted {
    pub(super) fn has_sent(&self) -> bool {
        let is_sent = |tried: &Tried| matches!(tried.verdict, Verdict::Sent);
        self.items.iter().any(is_sent)
    }

    /// The same came of all of them.
    pub(super) fn of_all(
        deliveries: Vec<Claimed>,
        verdict: Verdict,
        answer: &Answer,
        retries: u32,
    ) -> Self {
        let tried = |delivery| Tried {
            delivery,
            verdict: verdict.of_another(),
            answer: answer.clone(),
        };
        let mut items: Vec<Tried> = deliveries.into_iter().map(tried).collect();
        // Causes and next steps are said once.
        if let Some(first) = items.first_mut() {
            first.verdict = verdict;
        }
        Attempted { items, retries }
    }
}

/// Settings as the engine keeps them. What it checked is not checked again.
pub(super) fn understood<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T> {
    T::deserialize(value).map_err(|cause| {
        Error::usage("where the pipeline delivers cannot be understood")
            .caused_by(cause)
            .next("this database may have been written by a newer sluice; install that one")
    })
}
