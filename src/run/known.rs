//! Asks the database, for the source, what is known about files and objects.

use crate::batch;
use crate::db::{Connector, Session};
use crate::error::Result;
use crate::retry::Budget;
use crate::source::{ChangedUnits, KnownObjects, ListedUnit, ObjectState};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Asks on a connection of its own: those of the workers are busy.
#[derive(Debug)]
pub(super) struct KnownInDatabase {
    connector: Connector,
    pipeline: String,
    budget: Arc<Budget>,
    /// The connection of the last question.
    idle: Mutex<Option<Arc<Session>>>,
}

impl KnownInDatabase {
    pub(super) fn new(connector: &Connector, pipeline: &str, budget: &Arc<Budget>) -> Self {
        KnownInDatabase {
            connector: connector.clone(),
            pipeline: pipeline.to_owned(),
            budget: Arc::clone(budget),
            idle: Mutex::default(),
        }
    }

    async fn ask<T, F>(&self, question: impl Fn(Arc<Session>) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let ask = async || -> Result<T> {
            let idle = self.idle.lock().await.take();
            let session = match idle.filter(|session| !session.is_closed()) {
                Some(session) => session,
                None => Arc::new(self.connector.connect().await?),
            };
            let answer = question(Arc::clone(&session));
            let answer = self.connector.while_alive(answer).await??;
            *self.idle.lock().await = Some(session);
            Ok(answer)
        };
        self.budget.retrying("asking what is known of the source", ask).await
    }
}

#[async_trait]
impl KnownObjects for KnownInDatabase {
    async fn news(&self, listed: &[ListedUnit]) -> Result<ChangedUnits> {
        let ask = async |session: Arc<Session>| {
            batch::source_news(&session, &self.pipeline, listed).await
        };
        self.ask(ask).await
    }

    async fn begun(&self) -> Result<Vec<ObjectState>> {
        let ask =
            async |session: Arc<Session>| batch::begun_objects(&session, &self.pipeline).await;
        self.ask(ask).await
    }
}
