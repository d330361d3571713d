//! Which parcel a table took last, and who may send it the next.

use super::layout::Layout;
use crate::batch::Delivering;
use crate::error::{Error, Kind, Result};
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// A sender that was cut off keeps this lock until its server notices: the wait has an end.
const BEGIN: &str = "begin; set local lock_timeout = '5s';
  set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'";
const LOCK: &str = "select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended($1, 0))";
/// Rows that others have locked are waited for as long.
const LOCKED: &str = "set local lock_timeout = '30s'";
const EVICT: &str = "
select pg_catalog.count(*) filter (where pg_catalog.pg_terminate_backend(a.pid))
from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 1
  and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
  and ((l.classid::pg_catalog.int8 << 32) | l.objid::pg_catalog.int8) = pg_catalog.hashtextextended($1, 0)
  and a.pid <> pg_catalog.pg_backend_pid() and a.usename = session_user and a.application_name like 'sluice delivery%'";

pub(super) struct Marks {
    pipeline: String,
    stream: String,
    sender: String,
}

impl Marks {
    pub(super) fn new(delivering: &Delivering) -> Self {
        Marks {
            pipeline: delivering.route.pipeline.clone(),
            stream: delivering.stream.clone(),
            sender: format!("{:032x}", fastrand::u128(..)),
        }
    }

    /// Makes this the sender, and deposes any other. Once for a sender: one that was deposed stays so.
    pub(super) async fn take(&self, client: &Client, layout: &Layout) -> Result<()> {
        self.lock(client).await?;
        self.make(client, layout).await?;
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
            .map_err(|error| needs(error.into(), layout))?;
        client.batch_execute("commit").await?;
        Ok(())
    }

    /// Begins the transaction of a parcel; which one was taken last.
    pub(super) async fn begin(&self, client: &Client, layout: &Layout) -> Result<Option<String>> {
        self.lock(client).await?;
        let sql = format!(
            "select sender, parcel::pg_catalog.text from {} where stream = $1::pg_catalog.text::pg_catalog.uuid",
            layout.parcels
        );
        let found = client
            .query_typed(&sql, &[(&self.stream, Type::TEXT)])
            .await?;
        match found.first() {
            Some(row) if row.get::<_, &str>(0) == self.sender => Ok(row.get(1)),
            Some(_) => Err(
                Error::new(Kind::Locked, "deposed: another one sends there now")
                    .next("what this sender had in flight is sent by the other one"),
            ),
            None => Err(
                Error::failed(format!("{} was emptied meanwhile", layout.parcels))
                    .next("send again: what was in flight is written once more"),
            ),
        }
    }

    /// Notes a parcel in the transaction of its rows.
    pub(super) async fn note(&self, client: &Client, layout: &Layout, parcel: &str) -> Result<()> {
        let sql = format!(
            "update {} set parcel = $2::pg_catalog.text::pg_catalog.uuid, taken_at = pg_catalog.now()
             where stream = $1::pg_catalog.text::pg_catalog.uuid",
            layout.parcels
        );
        client
            .query_typed(&sql, &[(&self.stream, Type::TEXT), (&parcel, Type::TEXT)])
            .await?;
        Ok(())
    }

    /// Ends the session that keeps the lock, if it is one of a sender.
    pub(super) async fn evict(&self, client: &Client) -> Result<()> {
        client
            .query_typed(EVICT, &[(&self.stream, Type::TEXT)])
            .await?;
        Ok(())
    }

    async fn lock(&self, client: &Client) -> Result<()> {
        client.batch_execute(BEGIN).await?;
        client
            .query_typed(LOCK, &[(&self.stream, Type::TEXT)])
            .await?;
        client.batch_execute(LOCKED).await?;
        Ok(())
    }

    /// Makes the table of parcels, unless it is there.
    async fn make(&self, client: &Client, layout: &Layout) -> Result<()> {
        if layout.has_parcels {
            return Ok(());
        }
        // Two that find it missing make it one after the other.
        client
            .query_typed(LOCK, &[(&layout.parcels, Type::TEXT)])
            .await?;
        client
            .batch_execute(&definition(layout))
            .await
            .map_err(|error| needs(error.into(), layout))?;
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

/// Where the role may not make it, or write to it.
fn needs(error: Error, layout: &Layout) -> Error {
    match error.sqlstate() {
        Some("42501") => error.next(format!(
            "let its owner run there: {}; grant select, insert, update on {} to the role of the connection",
            definition(layout),
            layout.parcels
        )),
        _ => error,
    }
}
