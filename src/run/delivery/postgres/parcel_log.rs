//! The table `sluice_parcels` at the destination: which parcel it took last, and which sender may send the next.

use super::layout::Layout;
use crate::batch::DeliveryRun;
use crate::error::{Error, Kind, Result};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// A sender that was cut off holds the lock until its server notices, so the wait for it is limited.
const BEGIN: &str = "begin; set local lock_timeout = '5s';
  set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'";
const LOCK: &str = "select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 0))";
/// How long rows are waited for that others have locked.
const LOCKED: &str = "set local lock_timeout = '30s'";
const EVICT: &str = "
select pg_catalog.count(*) filter (where pg_catalog.pg_terminate_backend(a.pid))
from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 1
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
  and ((l.classid::pg_catalog.int8 << 32) | l.objid::pg_catalog.int8) = pg_catalog.hashtextextended($1, 0)
  and a.pid <> pg_catalog.pg_backend_pid() and a.usename = session_user and a.application_name like 'sluice delivery%'";

pub(super) struct ParcelLog {
    pipeline: String,
    stream: String,
    sender: String,
}

impl ParcelLog {
    pub(super) fn new(delivering: &DeliveryRun) -> Self {
        ParcelLog {
            pipeline: delivering.route.pipeline.clone(),
            stream: delivering.stream.clone(),
            sender: format!("{:032x}", fastrand::u128(..)),
        }
    }

    /// Makes this the only sender. To be called once for a sender, as one that was deposed must stay so.
    pub(super) async fn depose_others(&self, client: &Client, layout: &Layout) -> Result<()> {
        self.lock(client).await?;
        self.create_table(client, layout).await?;
        let sql = format!(
            "insert into {} as p (stream, pipeline, sender) values ($1::pg_catalog.text::pg_catalog.uuid, $2, $3)
             on conflict (stream) do update set pipeline = excluded.pipeline, sender = excluded.sender",
            layout.parcels
        );
        client
            .query_typed(
                &sql,
                &[
                    (&self.stream, Type::TEXT),
                    (&self.pipeline, Type::TEXT),
                    (&self.sender, Type::TEXT),
                ],
            )
            .await
            .map_err(|error| grants_needed(error.into(), layout))?;
        client.batch_execute("commit").await?;
        Ok(())
    }

    /// Begins the transaction of a parcel, and returns the parcel that was taken last.
    pub(super) async fn begin(&self, client: &Client, layout: &Layout) -> Result<Option<String>> {
        self.lock(client).await?;
        let sql = format!(
            "select sender, parcel::pg_catalog.text from {} where stream = $1::pg_catalog.text::pg_catalog.uuid",
            layout.parcels
        );
        let found = client.query_typed(&sql, &[(&self.stream, Type::TEXT)]).await?;
        match found.first() {
            Some(row) if row.get::<_, &str>(0) == self.sender => Ok(row.get(1)),
            Some(_) => Err(Error::new(Kind::Locked, "deposed: another sender writes there now")
                .next("what this sender had in flight is sent by the other")),
            None => {
                Err(Error::failed(format!("{} was emptied while this sender ran", layout.parcels))
                    .next("send again: what was in flight is written once more"))
            }
        }
    }

    /// Records a parcel as taken, in the transaction of its rows.
    pub(super) async fn record(
        &self,
        client: &Client,
        layout: &Layout,
        parcel: &str,
    ) -> Result<()> {
        let sql = format!(
            "update {} set parcel = $2::pg_catalog.text::pg_catalog.uuid, taken_at = pg_catalog.now()
             where stream = $1::pg_catalog.text::pg_catalog.uuid",
            layout.parcels
        );
        client.query_typed(&sql, &[(&self.stream, Type::TEXT), (&parcel, Type::TEXT)]).await?;
        Ok(())
    }

    /// Ends the session that holds the lock, if it is a sender's.
    pub(super) async fn evict(&self, client: &Client) -> Result<()> {
        client.query_typed(EVICT, &[(&self.stream, Type::TEXT)]).await?;
        Ok(())
    }

    async fn lock(&self, client: &Client) -> Result<()> {
        client.batch_execute(BEGIN).await?;
        client.query_typed(LOCK, &[(&self.stream, Type::TEXT)]).await?;
        client.batch_execute(LOCKED).await?;
        Ok(())
    }

    /// Creates the table, unless it exists.
    async fn create_table(&self, client: &Client, layout: &Layout) -> Result<()> {
        if layout.has_parcels {
            return Ok(());
        }
        // Two senders that find it missing create it one after the other.
        client.query_typed(LOCK, &[(&layout.parcels, Type::TEXT)]).await?;
        client
            .batch_execute(&definition(layout))
            .await
            .map_err(|error| grants_needed(error.into(), layout))?;
        tracing::warn!(
            "made the table {}, in which the last parcel taken is noted",
            layout.parcels
        );
        Ok(())
    }
}

fn definition(layout: &Layout) -> String {
    format!(
        "create table if not exists {} (stream uuid primary key, pipeline text not null, sender text not null, \
         parcel uuid, taken_at timestamptz)",
        layout.parcels
    )
}

/// The role may not create it, or write to it.
fn grants_needed(error: Error, layout: &Layout) -> Error {
    match error.sqlstate() {
        Some("42501") => error.next(format!(
            "let its owner run there: {}; grant select, insert, update on {} to the role of the connection",
            definition(layout),
            layout.parcels
        )),
        _ => error,
    }
}
