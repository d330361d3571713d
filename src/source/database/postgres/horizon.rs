//! Which mark a sweep may leave behind, though transactions commit late.
//!
//! A transaction gives a row its cursor (`now()`, `nextval(...)`) and commits later; meanwhile
//! others commit greater ones. So a sweep first asks for the greatest cursor, then which
//! transactions run, waits a moment for short ones, and only then takes its snapshot. Whatever
//! had a cursor up to the greatest by then is in the snapshot, or belongs to one of those that
//! still ran, and until they have ended the next sweeps begin with an older mark.
//!
//! Transactions are told by their virtual ids. The `xmin` of a snapshot would not do: a
//! transaction has its `now()` from its begin on, and an xid only from its first write. And the
//! `xmin` of a row says nothing once it is frozen or the counter has gone round.

use std::time::Duration;

use tokio_postgres::Client;

use super::relation::PostgresRelation;
use crate::error::{Error, Result};
use crate::source::database::cursor::Marks;

/// How long, and how often, short transactions are waited for.
const PATIENCE: u32 = 25;
const PAUSE: Duration = Duration::from_millis(20);

/// Virtual ids of the transactions that run in this database. A prepared one keeps the id it ran under,
/// without a session, until the server is restarted; so it has its xid as well. Not ours, and not those
/// that hold a pipeline for a run, by the engine's advisory lock 1936487681: they write nothing.
const RUNNING: &str = "
    select distinct l.virtualtransaction from pg_locks l left join pg_stat_activity a using (pid)
    where l.pid is null and l.locktype = 'transactionid'
        and l.transactionid in (select p.transaction from pg_prepared_xacts p where p.database = current_database())
      or l.locktype = 'virtualxid' and l.mode = 'ExclusiveLock' and l.pid <> pg_backend_pid() and a.usesysid is not null
        and a.datid = (select d.oid from pg_database d where d.datname = current_database())
        and not exists (select from pg_locks g where g.pid = l.pid and g.locktype = 'advisory' and g.classid = 1936487681)
    union
    select 'prepared ' || p.transaction from pg_prepared_xacts p where p.database = current_database()
    order by 1";

/// The marks that a sweep leaves whose snapshot is taken afterwards.
pub(super) async fn marks(
    client: &Client,
    relation: &PostgresRelation,
    known: &Marks,
    has_lag: bool,
) -> Result<Marks> {
    let Some(newest) = relation.newest() else {
        return Ok(known.clone());
    };
    let is_standby: bool = client.query_typed("select pg_is_in_recovery()", &[]).await?[0].get(0);
    if is_standby && !has_lag {
        return Err(Error::usage(
            "the source is a standby: which transactions run, only its primary knows, and what they commit late would be missed",
        )
        .next("lag => '10 minutes', longer than any transaction takes, or connect to the primary"));
    }
    let newest = client.query_typed(&newest, &[]).await?;
    let newest: Option<String> = newest.first().map(|row| row.get(0));
    let mut running = match is_standby {
        true => Vec::new(),
        false => self::running(client).await?,
    };
    for _ in 0..PATIENCE {
        if running.is_empty() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        let still = self::running(client).await?;
        running.retain(|id| still.contains(id));
    }
    if !running.is_empty() {
        tracing::info!(
            transactions = running.len(),
            "transactions run on the source: what they may commit late is read again by the next run"
        );
    }
    Ok(known.clone().then(newest, running))
}

async fn running(client: &Client) -> Result<Vec<String>> {
    let rows = client.query_typed(RUNNING, &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
