//! What the database knows about files and objects, for the source to ask.

use crate::batch;
use crate::db::{Connector, Session};
use crate::error::Result;
use crate::retry::Budget;
use crate::source::{KnownObjects, ObjectState};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::Mutex;

/// Asks on a connection of its own: those of the workers are busy.
#[derive(Debug)]
pub(super) struct KnownInDatabase {
    connector: Connector,
    pipeline: String,
    budget: Arc<Budget>,
    kept: Mutex<Option<Session>>,
}

impl KnownInDatabase {
    pub(super) fn new(connector: &Connector, pipeline: &str, budget: &Arc<Budget>) -> Self {
        KnownInDatabase {
            connector: connector.clone(),
            pipeline: pipeline.to_owned(),
            budget: Arc::clone(budget),
            kept: Mutex::default(),
        }
    }

    async fn ask(&self, objects: Option<&[String]>) -> Result<Vec<ObjectState>> {
        let ask = async || -> Result<Vec<ObjectState>> {
            let mut kept = self.kept.lock().await;
            let session = match kept.take() {
                Some(session) if !session.is_closed() => session,
                _ => self.connector.connect().await?,
            };
            let question = batch::source_state(&session, &self.pipeline, objects);
            let states = self.connector.attend(question).await??;
            *kept = Some(session);
            Ok(states)
        };
        self.budget
            .retrying("asking what is known of the source", ask)
            .await
    }
}

#[async_trait]
impl KnownObjects for KnownInDatabase {
    async fn states(&self, names: &[String]) -> Result<Vec<ObjectState>> {
        self.ask(Some(names)).await
    }

    async fn begun(&self) -> Result<Vec<ObjectState>> {
        self.ask(None).await
    }
}
