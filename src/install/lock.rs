//! The install lock, and which sessions hold it.

use crate::error::Result;
use tokio_postgres::Client;

/// `sluice._lock_class('install')`; needed before that function exists.
const CLASS: i32 = 1_936_487_680;

/// Takes the lock for the transaction.
pub(super) fn take() -> String {
    format!("select pg_advisory_xact_lock({CLASS}, 0)")
}

/// Waits for batches in flight and for other installers; says so when it takes long.
pub(super) async fn hold(client: &Client) -> Result<()> {
    for attempt in 0.. {
        let wait = format!("savepoint attempt; set local lock_timeout = '5s'; {}", take());
        match client.batch_execute(&wait).await {
            Ok(()) => break,
            Err(error) if error.code().is_some_and(|code| code.code() == "55P03") => {
                client.batch_execute("rollback to attempt").await?;
                if attempt == 0 {
                    tracing::warn!("{}", holders(client).await?);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
    // Tables may be waited for longer.
    client.batch_execute("set local lock_timeout to default").await?;
    Ok(())
}

/// Who holds the lock, in words.
async fn holders(client: &Client) -> Result<String> {
    let rows = client
        .query_typed(
            &format!(
                "select string_agg(format('%s (%s)', a.pid, a.application_name), ', ')
                 from pg_locks l join pg_stat_activity a using (pid)
                 where l.locktype = 'advisory' and l.granted and l.classid = {CLASS} and l.objid = 0"
            ),
            &[],
        )
        .await?;
    let who: Option<String> = rows.first().and_then(|row| row.get(0));
    Ok(match who {
        Some(who) => format!(
            "waiting for sessions that use the engine: {who}; a frozen one can be ended with pg_terminate_backend"
        ),
        None => "waiting for the install lock".to_owned(),
    })
}
