//! Deliveries into a table of another PostgreSQL database: a parcel is one transaction there.
//!
//! That transaction also notes the parcel, so that whoever comes after a sender that died sees whether it was
//! taken: nothing is done twice, not even what would do no harm. And it looks at who sends: a sender that was
//! replaced while it was asleep can write nothing any more, older content least of all. Both are in the table
//! `sluice_parcels`, beside the one that is written to.

mod layout;
mod marks;
mod rows;
mod settings;

use self::layout::Layout;
use self::marks::Marks;
use self::rows::{Rows, TIMED_OUT};
pub(super) use self::settings::Settings;
use super::verdict::{Answer, Attempted, Tried, Verdict};
use crate::batch::{Claimed, Delivering};
use crate::db::{Connector, Session, named};
use crate::error::{Error, Kind, Result};
use crate::host::HostRules;
use crate::retry::{Budget, Trouble};
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
    marks: Marks,
    budget: Arc<Budget>,
    open: Mutex<Option<(Session, Layout)>>,
}

/// Connects, and looks for the table.
pub(super) async fn look(settings: Settings, host: &HostRules) -> Result<String> {
    let server = named(&settings.keeper()?, "delivery", host, &Redactor::default())?;
    let session = Connector::new(&server, "sluice doctor")?.connect().await?;
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
        delivering: &Delivering,
        host: &HostRules,
        budget: Arc<Budget>,
    ) -> Result<Self> {
        let server = named(&settings.keeper()?, "delivery", host, &Redactor::default())?;
        Ok(Table {
            key: settings
                .key
                .clone()
                .unwrap_or_else(|| delivering.key.clone()),
            settings,
            connector: Connector::new(&server, "sluice delivery")?,
            marks: Marks::new(delivering),
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
            let done = self.within(async |client, layout| self.marks.take(client, layout).await);
            done.await.map_err(Trouble::from)
        };
        self.budget.retrying(what, step).await
    }

    /// Writes a parcel, and asks again for as long as it is not known whether it was taken.
    pub(super) async fn deliver(&self, deliveries: Vec<Claimed>) -> Attempted {
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
        let verdict = match taken {
            Ok(Taken::All) => {
                self.budget.progressed();
                Verdict::Sent
            }
            Ok(Taken::But(refused)) => return without(deliveries, refused, retries),
            Err(error) if matches!(error.kind(), Kind::Exhausted | Kind::Interrupted(_)) => {
                Verdict::BrokenOff(error)
            }
            Err(error) => Verdict::Stopped(error),
        };
        Attempted::of_all(deliveries, verdict, &Answer::default(), retries)
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
                    let layout = self.connector.attend(find).await??;
                    (session, layout)
                }
            };
            let done = self.connector.attend(work(&session, &layout)).await??;
            *open = Some((session, layout));
            Ok::<T, Error>(done)
        };
        match done.await {
            Err(error) if error.sqlstate() == Some("55P03") => {
                // A session of ours that was cut off without the server's knowledge, or of a sender that died.
                let session = self.connector.connect().await?;
                self.connector.attend(self.marks.evict(&session)).await??;
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
        let parcel = deliveries
            .first()
            .and_then(|delivery| delivery.parcel.as_deref())
            .unwrap_or_default();
        if self.marks.begin(client, layout).await?.as_deref() == Some(parcel) {
            client.batch_execute("rollback").await?;
            return Ok(Taken::All);
        }
        let refused = Rows::of(deliveries, layout, &self.key)?
            .write(client)
            .await?;
        if !refused.is_empty() {
            client.batch_execute("rollback").await?;
            return Ok(Taken::But(refused));
        }
        self.marks.note(client, layout, parcel).await?;
        client.batch_execute("commit").await?;
        Ok(Taken::All)
    }
}

/// What keeps a statement waiting there may pass, other than where a pipeline loads: nobody watches that server.
fn trouble(error: Error) -> Trouble {
    match error.sqlstate() {
        Some(TIMED_OUT) => Trouble::Passing {
            error: Box::new(error.detail(
                "if nothing holds the table there, its statement_timeout is too short for one row",
            )),
            asked: None,
        },
        _ => Trouble::from(error),
    }
}

/// Those that are refused, and the others, of which nothing is written yet: what is refused is noted first, so that
/// a parcel that was taken was taken whole.
fn without(deliveries: Vec<Claimed>, mut refused: HashMap<i64, Error>, retries: u32) -> Attempted {
    let tried = |delivery: Claimed| {
        let (verdict, text) = match refused.remove(&delivery.id) {
            Some(error) => {
                let text = error.to_string();
                (Verdict::Refused(error), Some(text))
            }
            None => (Verdict::WithoutOthers, None),
        };
        Tried {
            delivery,
            verdict,
            answer: Answer { status: None, text },
        }
    };
    Attempted {
        items: deliveries.into_iter().map(tried).collect(),
        retries,
    }
}
