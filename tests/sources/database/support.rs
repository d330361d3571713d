//! A database to read from, and a pipeline's memory between runs.

use std::future::Future;
use std::sync::LazyLock;

use pgsluice::db::Session;
use pgsluice::source::{BatchLimits, Driver, Start};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::sources::file::support::Folder;
pub(crate) use crate::sources::support::*;
use crate::support::TestDb;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// Waits for what is asynchronous, in a test that is not, as sources are not, or in one that is.
pub(crate) fn wait<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| scope.spawn(|| RUNTIME.block_on(work)).join().unwrap())
}

/// A database of its own, and a file with its connection string.
pub(crate) struct Shop {
    pub(crate) db: TestDb,
    folder: Folder,
}

impl Shop {
    pub(crate) fn new(sql: &str) -> Self {
        Self::of(wait(TestDb::empty()), sql)
    }

    pub(crate) fn of(db: TestDb, sql: &str) -> Self {
        let folder = Folder::new();
        folder.write("url", &db.url);
        let shop = Shop { db, folder };
        shop.execute(sql);
        shop
    }

    pub(crate) fn execute(&self, sql: &str) {
        wait(self.db.execute(sql));
    }

    pub(crate) fn session(&self) -> Client {
        Client(wait(self.db.connect()))
    }

    /// From here on it is to be reached at another address.
    pub(crate) fn move_to(&self, url: &str) {
        self.folder.write("url", url);
    }

    /// The settings of a source, with `more` on top.
    pub(crate) fn settings(&self, more: Value) -> Value {
        let mut settings =
            json!({"kind": "postgres", "connection": {"file": self.folder.name("url")}});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        settings
    }

    /// The same for table `orders` by `at`.
    pub(crate) fn orders(&self) -> Value {
        self.settings(json!({"table": "orders", "cursor": "at"}))
    }
}

/// A session that goes on while others do something.
pub(crate) struct Client(Session);

impl Client {
    pub(crate) fn execute(&self, sql: &str) {
        wait(self.0.batch_execute(sql)).unwrap();
    }
}

/// A pipeline from run to run: what it commits is what the next one starts with.
#[derive(Default)]
pub(crate) struct Runs {
    pub(crate) cursor: Option<Value>,
}

impl Runs {
    pub(crate) fn open(&self, settings: &Value, limits: BatchLimits) -> Driver {
        let start = Start { cursor: self.cursor.clone(), ..Start::default() };
        Driver::open(settings, start, limits, &source_context(3)).unwrap()
    }

    /// A whole run.
    pub(crate) fn run(&mut self, settings: &Value) -> Outcome {
        let outcome = drain(Ok(self.open(settings, WIDE)), Vec::new());
        self.cursor =
            outcome.batches.last().map(|batch| batch.cursor.clone()).or(self.cursor.take());
        outcome
    }

    /// A whole run; the ids of its records.
    #[track_caller]
    pub(crate) fn ids(&mut self, settings: &Value) -> Vec<i64> {
        ids(&self.run(settings).ok().payloads())
    }

    /// A run that is killed when it has committed one batch of `size`; the ids in it.
    pub(crate) fn killed(&mut self, settings: &Value, size: usize) -> Vec<i64> {
        let batch = self.open(settings, rows(size)).next_batch().unwrap().unwrap();
        assert!(!batch.cursor.to_string().contains("\\u0000"), "Postgres does not keep it");
        self.cursor = Some(batch.cursor.clone());
        let texts =
            records(&batch).into_iter().map(|record| String::from_utf8(record.payload).unwrap());
        ids(&texts.collect::<Vec<_>>())
    }
}

fn ids(payloads: &[String]) -> Vec<i64> {
    let id =
        |payload: &String| serde_json::from_str::<Value>(payload).unwrap()["id"].as_i64().unwrap();
    payloads.iter().map(id).collect()
}

/// What a run refuses, and says.
#[track_caller]
pub(crate) fn refusal(settings: &Value) -> String {
    let start = Start::default();
    drain(Driver::open(settings, start, WIDE, &source_context(0)), Vec::new()).error_text()
}
