//! What the database knows about files and objects, for the source to ask.

use crate::batch;
use crate::db::{Connector, Session};
use crate::error::Result;
use crate::retry::Budget;
use crate::source::{KnownObjects, Listed, ObjectState};
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

    /// The connection of the question before, or a new one.
    async fn session(&self) -> Result<Session> {
        let kept = self.kept.lock().await.take();
        match kept {
            Some(session) if !session.is_closed() => Ok(session),
            _ => self.connector.connect().await,
        }
    }

    async fn keep(&self, session: Session) {
        *self.kept.lock().await = Some(session);
    }
}

const ASKING: &str = "asking what is known of the source";

#[async_trait]
impl KnownObjects for KnownInDatabase {
    async fn news(&self, listed: &[Listed]) -> Result<Vec<(usize, Option<ObjectState>)>> {
        let ask = async || -> Result<_> {
            let session = self.session().await?;
            let question = batch::source_news(&session, &self.pipeline, listed);
            let news = self.connector.attend(question).await??;
            self.keep(session).await;
            Ok(news)
        };
        self.budget.retrying(ASKING, ask).await
    }

    async fn begun(&self) -> Result<Vec<ObjectState>> {
        let ask = async || -> Result<_> {
            let session = self.session().await?;
            let question = batch::begun_objects(&session, &self.pipeline);
            let begun = self.connector.attend(question).await??;
            self.keep(session).await;
            Ok(begun)
        };
        self.budget.retrying(ASKING, ask).await
    }
}
