//! One transaction of a run, with a commit whose answer may get lost.

use super::job::{CLEAN_UP_TIMEOUT, Job};
use crate::batch::{self, Books, Run};
use crate::error::Result;
use deadpool_postgres::Object;
use scopeguard::ScopeGuard;
use tokio_postgres::Client;

/// Does `work`, which begins the transaction, and commits; gives the connection back. If it is dropped
/// midway, by an error or because the run ends, the connection is cut rather than handed to the next user
/// in an unknown state.
pub(super) async fn commit_after<T>(
    job: &Job<'_>,
    client: Object,
    work: impl AsyncFnOnce(&Client) -> Result<T>,
) -> Result<(T, Object)> {
    let client = scopeguard::guard(client, |client| drop(Object::take(client)));
    let transaction = async {
        let done = work(&client).await;
        match &done {
            // A message of its own, sent only after the answer was read: a loader that dies before this
            // line has committed nothing.
            Ok(_) => client.batch_execute("commit").await?,
            // So that nobody meets this session once we are gone. It may be gone itself.
            Err(_) => {
                let rollback = client.batch_execute("rollback");
                drop(tokio::time::timeout(CLEAN_UP_TIMEOUT, rollback).await);
            }
        }
        done
    };
    let done = job.connector.while_alive(transaction).await??;
    Ok((done, ScopeGuard::into_inner(client)))
}

/// What became of a ledger entry whose commit may have arrived.
pub(super) async fn outcome(job: &Job<'_>, run: &Run, seq: i64) -> Result<Option<Books>> {
    let found = job
        .ask_until_answered("asking for the outcome of a batch", async |client| {
            batch::outcome(client, run, seq).await
        })
        .await?;
    if found.is_some() {
        tracing::warn!("the answer to a commit was lost, but the commit had arrived");
    }
    Ok(found)
}
