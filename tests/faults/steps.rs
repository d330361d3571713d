//! A loader held at a chosen step of its second batch.

use crate::support::workload::outcome;
use crate::support::{Fault, Loader, Proxy, TestDb, Workload, loader};
use pgsluice::db::Session;

/// The steps of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The transaction is open, `begin_batch` on its way.
    Begin,
    /// Payloads have been sent, the end of COPY has not.
    Copy,
    /// `transform_batch` waits in the transform of one record.
    Transform,
    /// `load_batch` waits in MERGE for a row of the target.
    Load,
    /// `load_batch` has answered, COMMIT is on its way.
    Commit,
}

pub(super) const STEPS: [Step; 5] =
    [Step::Begin, Step::Copy, Step::Transform, Step::Load, Step::Commit];

/// A loader that cannot go on, one committed batch behind it.
pub(super) struct Held {
    pub(super) proxy: Proxy,
    pub(super) loader: Loader,
    /// What there is before the step's batch is committed.
    pub(super) before: Vec<String>,
    lock: Option<Session>,
}

impl Held {
    /// Loads one batch and holds the next at `step`.
    pub(super) async fn at(step: Step, load: &Workload, db: &TestDb, args: &str) -> Self {
        load_first_batch(db).await;
        let before = outcome(db).await;
        let lock = match step {
            Step::Transform => Some(gate(db, 1).await),
            Step::Load => Some(row_lock(db, 1).await),
            _ => None,
        };
        assert!(load.batches() > 2);
        let proxy = Proxy::once(db, Fault::Hold, move |message| match step {
            Step::Begin => message.runs("sluice.begin_batch"),
            Step::Copy => message.ends_copy(),
            Step::Commit => message.commits(),
            Step::Transform | Step::Load => false,
        });
        let loader = Loader::start_through(&proxy, db, args);
        match step {
            Step::Transform => waiting_in(db, "transform_batch").await,
            Step::Load => waiting_in(db, "load_batch").await,
            _ => proxy.wait_until_fired(1),
        }
        assert_eq!(outcome(db).await, before, "{step:?}");
        Held { proxy, loader, before, lock }
    }

    /// Ends the locks that hold the loader's statement, not its messages.
    pub(super) async fn unlock(&mut self) {
        if let Some(lock) = self.lock.take() {
            lock.close().await;
        }
    }

    /// Lets everything go on.
    pub(super) async fn release(&mut self) {
        self.unlock().await;
        self.proxy.release();
    }
}

pub(super) async fn load_first_batch(db: &TestDb) {
    let done = loader::run(db, "orders --batch-rows 50 --max-batches 1").exits(0);
    assert_eq!(done.summary().count("batches"), 1);
}

/// Holds up the transform of the record that every batch has for it.
pub(super) async fn gate(db: &TestDb, batch: usize) -> Session {
    let session = db.connect().await;
    session.batch_execute(&format!("select pg_advisory_lock(77, {batch})")).await.unwrap();
    session
}

/// Holds up whoever writes a row of the target.
pub(super) async fn row_lock(db: &TestDb, key: i64) -> Session {
    let session = db.connect().await;
    let lock = format!("begin; select from shop.orders where order_id = {key} for update");
    session.batch_execute(&lock).await.unwrap();
    session
}

/// Waits until a loader's call of `function` waits for a lock.
pub(super) async fn waiting_in(db: &TestDb, function: &str) {
    db.wait_until(&format!(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
           and query like '%sluice.{function}(%' and application_name like 'sluice orders%')"
    ))
    .await;
}
