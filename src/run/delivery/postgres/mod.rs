//! Deliveries into a table of another PostgreSQL database. A parcel is one transaction there.
//!
//! The transaction also records the parcel in the table `sluice_parcels`, in the same schema, so that the successor
//! of a sender that died sees whether it was taken, and repeats nothing. And it checks there who may send: a sender
//! that was suspended and replaced can no longer write, so older content never overwrites newer.

mod layout;
mod parcel_log;
mod rows;
mod settings;

use self::layout::Layout;
use self::parcel_log::ParcelLog;
use self::rows::{Rows, TIMED_OUT};
pub(super) use self::settings::Settings;
use super::outcome::{Answer, Attempt, DeliveryOutcome, Outcome};
use crate::batch::{Claimed, DeliveryRun};
use crate::db::{Connector, Session};
use crate::error::{Error, Kind, Result};
use crate::host::HostRules;
use crate::retry::{Budget, RetryError};
use crate::secret::Redactor;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Mutex;
use tokio_postgres::Client;

pub(super) struct Table {
    settings: Settings,
    key: Vec<String>,
    connector: Connector,
    parcel_log: ParcelLog,
    budget: Arc<Budget>,
    open: Mutex<Option<(Session, Layout)>>,
}

/// To the server of the table.
fn connector(settings: &Settings, host: &HostRules, application_name: &str) -> Result<Connector> {
    let location = settings.secret_location()?;
    Connector::to_named(&location, "delivery", host, &Redactor::default(), application_name)
}

/// Connects, and looks for the table.
pub(super) async fn look(settings: Settings, host: &HostRules) -> Result<String> {
    let session = connector(&settings, host, "sluice doctor")?.connect().await?;
    let key = settings.key.unwrap_or_default();
    let layout = Layout::find(&session, &settings.table, &key).await?;
    Ok(format!("{} is there", layout.name))
}

/// What became of a parcel.
enum Taken {
    All,
    /// Nothing: these would have been refused, by their number.
    But(HashMap<i64, Error>),
}

impl Table {
    pub(super) fn new(
        settings: Settings,
        delivering: &DeliveryRun,
        host: &HostRules,
        budget: Arc<Budget>,
    ) -> Result<Self> {
        let connector = connector(&settings, host, "sluice delivery")?;
        Ok(Table {
            key: settings.key.clone().unwrap_or_else(|| delivering.key.clone()),
            settings,
            connector,
            parcel_log: ParcelLog::new(delivering),
            budget,
            open: Mutex::default(),
        })
    }

    pub(super) fn parcel_rows(&self) -> usize {
        self.settings.parcel_rows
    }

    /// Looks at the table, and makes this the only sender that may write to it.
    pub(super) async fn open(&self) -> Result<()> {
        let what = format!("the delivery into {}", self.settings.table);
        let step = || async {
            let done = self
                .within(async |client, layout| self.parcel_log.depose_others(client, layout).await);
            done.await.map_err(RetryError::from)
        };
        self.budget.retrying(what, step).await
    }

    /// Writes a parcel, and asks again for as long as it is not known whether it was taken.
    pub(super) async fn deliver(&self, deliveries: Vec<Claimed>) -> Attempt {
        let tries = AtomicU32::new(0);
        let what = format!("the delivery into {}", self.settings.table);
        let step = || async {
            tries.fetch_add(1, Ordering::Relaxed);
            let done = self
                .within(async |client, layout| self.transact(client, layout, &deliveries).await);
            done.await.map_err(trouble)
        };
        let taken = self.budget.retrying(what, step).await;
        let retries = tries.into_inner().saturating_sub(1);
        let outcome = match taken {
            Ok(Taken::All) => {
                self.budget.progressed();
                Outcome::Sent
            }
            Ok(Taken::But(refused)) => return without(deliveries, refused, retries),
            Err(error) if matches!(error.kind(), Kind::Exhausted | Kind::Interrupted(_)) => {
                Outcome::BrokenOff(error)
            }
            Err(error) => Outcome::Stopped(error),
        };
        Attempt::of_all(deliveries, outcome, &Answer::default(), retries)
    }

    /// Does something in the session there is, or a new one; one in which something failed is closed.
    async fn within<T>(&self, work: impl AsyncFnOnce(&Client, &Layout) -> Result<T>) -> Result<T> {
        let mut open = self.open.lock().await;
        let done = async {
            let (session, layout) = match open.take() {
                Some(found) => found,
                None => {
                    let session = self.connector.connect().await?;
                    let find = Layout::find(&session, &self.settings.table, &self.key);
                    let layout = self.connector.while_alive(find).await??;
                    (session, layout)
                }
            };
            let done = self.connector.while_alive(work(&session, &layout)).await??;
            *open = Some((session, layout));
            Ok::<T, Error>(done)
        };
        match done.await {
            Err(error) if error.sqlstate() == Some("55P03") => {
                // A session of ours that was cut off without the server's knowledge, or of a sender that died.
                let session = self.connector.connect().await?;
                self.connector.while_alive(self.parcel_log.evict(&session)).await??;
                Err(error)
            }
            done => done
                .map_err(|error| error.context(&format!("delivery into {}", self.settings.table))),
        }
    }

    async fn transact(
        &self,
        client: &Client,
        layout: &Layout,
        deliveries: &[Claimed],
    ) -> Result<Taken> {
        let parcel =
            deliveries.first().and_then(|delivery| delivery.parcel.as_deref()).unwrap_or_default();
        if self.parcel_log.begin(client, layout).await?.as_deref() == Some(parcel) {
            client.batch_execute("rollback").await?;
            return Ok(Taken::All);
        }
        let refused = Rows::of(deliveries, layout, &self.key)?.write(client).await?;
        if !refused.is_empty() {
            client.batch_execute("rollback").await?;
            return Ok(Taken::But(refused));
        }
        self.parcel_log.record(client, layout, parcel).await?;
        client.batch_execute("commit").await?;
        Ok(Taken::All)
    }
}

/// What keeps a statement waiting there may pass, other than where a pipeline loads: nobody watches that server.
fn trouble(error: Error) -> RetryError {
    match error.sqlstate() {
        Some(TIMED_OUT) => RetryError::Transient {
            error: Box::new(error.detail(
                "if nothing holds the table there, its statement_timeout is too short for one row",
            )),
            retry_after: None,
        },
        _ => RetryError::from(error),
    }
}

/// Those that are refused, and the others, of which nothing is written yet: what is refused is noted first, so that
/// a parcel that was taken was taken whole.
fn without(deliveries: Vec<Claimed>, mut refused: HashMap<i64, Error>, retries: u32) -> Attempt {
    let attempted = |delivery: Claimed| {
        let (outcome, text) = match refused.remove(&delivery.id) {
            Some(error) => {
                let text = error.to_string();
                (Outcome::Refused(error), Some(text))
            }
            None => (Outcome::WithoutOthers, None),
        };
        DeliveryOutcome { delivery, outcome, answer: Answer { status: None, text } }
    };
    Attempt { items: deliveries.into_iter().map(attempted).collect(), retries }
}
