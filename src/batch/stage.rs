//! The first half of a batch: copies the records and transforms them.

use super::SourceCheck;
use crate::error::Result;
use crate::source::{Batch, CopyRows, Fields, Unreadable};
use bytes::Bytes;
use futures_util::SinkExt;
use futures_util::future::{try_join, try_join3};
use std::future::ready;
use std::pin::pin;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Statement};

/// Which payloads are sent as well, of records that go to the server as fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payloads {
    /// Those the server asks for. By the time it wants all of them it may be too late: `SL009`.
    Wanted,
    /// All.
    All,
}

/// What a transaction begins with, and so what it is for.
#[derive(Debug, Clone, Copy)]
pub enum Opening<'a> {
    /// The records are loaded.
    Load {
        /// The pipeline.
        pipeline: &'a str,
        /// Its run.
        run_id: i64,
    },
    /// They are compared with the target.
    Check(&'a SourceCheck),
}

/// Copies a batch into a transaction and transforms it; `begin` opens the transaction, unless it is open.
/// Nothing permanent is touched, and no lock is held that another session could wait for.
///
/// What needs no answer first is sent without waiting for one: three round trips in all. Whatever was sent
/// after a failure fails because of it, and the first error is returned.
pub async fn stage(
    client: &Client,
    begin: impl Future<Output = Result<(), tokio_postgres::Error>>,
    opening: Opening<'_>,
    batch: &Batch,
    payloads: Payloads,
) -> Result<()> {
    let origins = serde_json::to_value(&batch.origins).unwrap_or_default();
    let origins = [(&origins as &(dyn ToSql + Sync), Type::JSONB)];
    let (begin_batch, about): (_, Vec<(&(dyn ToSql + Sync), Type)>) = match &opening {
        Opening::Load { pipeline, run_id } => (
            "select input_columns, wants_payloads from sluice.begin_batch(pipeline => $1, run_id => $2)",
            vec![(pipeline, Type::TEXT), (run_id, Type::INT8)],
        ),
        Opening::Check(check) => (
            "select input_columns, wants_payloads from sluice.begin_checked_batch(check_id => $1::uuid)",
            vec![(&check.id, Type::TEXT)],
        ),
    };
    let begin_batch = client.query_typed_one(begin_batch, &about);
    let fields = batch.fields.as_ref();
    let first_copy = client.prepare(match fields {
        Some(_) => COPY_FIELDS,
        None => copy_staging(batch.has_digests),
    });
    let (_, begun, first_copy) = try_join3(begin, begin_batch, first_copy).await?;
    if let Opening::Check(_) = opening {
        client.batch_execute(READ_ONLY).await?;
    }
    if !batch.unreadable.is_empty() {
        let records = encode_unreadable(&batch.unreadable);
        copy(client, &client.prepare(COPY_UNREADABLE).await?, records).await?;
    }
    let transform = client
        .query_typed_one("select quarantined from sluice.transform_batch(origins => $1)", &origins);
    let Some(fields) = fields else {
        match batch.copied > 0 {
            true => copy_and(client, &first_copy, batch.copy_data.clone(), transform).await?,
            false => transform.await?,
        };
        return Ok(());
    };

    if batch.copied > 0 {
        let staging = client.prepare(copy_staging(batch.has_digests)).await?;
        copy(client, &staging, batch.copy_data.clone()).await?;
    }
    // Another version may have been activated since the run began.
    if begun.get::<_, Option<Vec<String>>>("input_columns").as_deref() != Some(&*fields.columns) {
        let staging = client.prepare(copy_staging(false)).await?;
        copy_and(client, &staging, fields.payloads(None), transform).await?;
        return Ok(());
    }
    if payloads == Payloads::All || begun.get("wants_payloads") {
        copy(client, &client.prepare(COPY_PAYLOADS).await?, fields.payloads(None)).await?;
        copy_and(client, &first_copy, fields.copy_data.clone(), transform).await?;
        return Ok(());
    }
    let transformed = copy_and(client, &first_copy, fields.copy_data.clone(), transform).await?;
    match transformed.get::<_, i64>("quarantined") > 0 {
        true => send_wanted(client, fields).await,
        false => Ok(()),
    }
}

/// Sends the payloads of bad records.
async fn send_wanted(client: &Client, fields: &Fields) -> Result<()> {
    let wanted = client
        .query_typed("select ordinal from sluice.wanted_payloads() ordinal order by 1", &[])
        .await?;
    let wanted: Vec<i32> = wanted.iter().map(|row| row.get(0)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let statement = client.prepare(COPY_PAYLOADS).await?;
    copy(client, &statement, fields.payloads(Some(&wanted))).await
}

/// Temporary tables are filled as before, and nothing else can be written, whatever code a transform or a
/// cast runs.
pub(super) const READ_ONLY: &str = "set transaction read only";

/// All columns, whichever they are.
const COPY_FIELDS: &str = "copy pg_temp.sluice_fields from stdin (format binary)";
const COPY_PAYLOADS: &str =
    "copy pg_temp.sluice_payloads (ordinal, position, payload) from stdin (format binary)";
const COPY_UNREADABLE: &str = "copy pg_temp.sluice_unreadable (ordinal, position, payload, sqlstate, message) from stdin (format binary)";

fn copy_staging(has_digests: bool) -> &'static str {
    match has_digests {
        true => {
            "copy pg_temp.sluice_staging (ordinal, position, payload, digest) from stdin (format binary)"
        }
        false => {
            "copy pg_temp.sluice_staging (ordinal, position, payload) from stdin (format binary)"
        }
    }
}

/// Sends in slices, so that a slow server holds up the slices and not one huge message.
const SLICE: usize = 256 * 1024;

async fn copy(client: &Client, statement: &Statement, data: Bytes) -> Result<()> {
    copy_and(client, statement, data, ready(Ok(()))).await
}

/// Copies `data`, and sends what comes `next` right behind it.
async fn copy_and<T>(
    client: &Client,
    statement: &Statement,
    mut data: Bytes,
    next: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T> {
    let mut sink = pin!(client.copy_in::<_, Bytes>(statement).await?);
    while !data.is_empty() {
        let slice = data.split_to(data.len().min(SLICE));
        sink.feed(slice).await?;
    }
    let (_, next) = try_join(sink.finish(), next).await?;
    Ok(next)
}

fn encode_unreadable(records: &[Unreadable]) -> Bytes {
    let mut rows = CopyRows::new();
    for record in records {
        rows.row(5);
        rows.int4(record.ordinal);
        rows.int8(record.position);
        rows.bytes(&record.payload);
        rows.bytes(record.sqlstate.as_bytes());
        rows.bytes(record.message.as_bytes());
    }
    rows.finish()
}
