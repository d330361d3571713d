//! The first half of a batch: its records are copied and transformed.

use crate::error::Result;
use crate::source::{Batch, CopyRows, Unreadable};
use bytes::Bytes;
use futures_util::SinkExt;
use futures_util::future::{try_join, try_join3};
use std::future::ready;
use std::pin::pin;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Statement};

/// Copies a batch into a transaction and transforms it; `begin` opens the transaction, unless it
/// is open. Nothing permanent is touched and no lock is held for which another session could
/// wait.
///
/// What can do without the answer before it is sent without waiting for it: three round trips
/// in all. What was sent behind a failure fails of it, and the first error is returned.
pub async fn stage(
    client: &Client,
    begin: impl Future<Output = Result<(), tokio_postgres::Error>>,
    pipeline: &str,
    run_id: i64,
    batch: &Batch,
) -> Result<()> {
    let origins = serde_json::to_value(&batch.origins).unwrap_or_default();
    let (pipeline_and_run, origins) = (
        [
            (&pipeline as &(dyn ToSql + Sync), Type::TEXT),
            (&run_id, Type::INT8),
        ],
        [(&origins as &(dyn ToSql + Sync), Type::JSONB)],
    );
    let begin_batch = client.query_typed(
        "select from sluice.begin_batch(pipeline => $1, run_id => $2)",
        &pipeline_and_run,
    );
    let copy_staging = client.prepare(match batch.has_digests {
        true => "copy pg_temp.sluice_staging (ordinal, position, payload, digest) from stdin (format binary)",
        false => "copy pg_temp.sluice_staging (ordinal, position, payload) from stdin (format binary)",
    });
    let (_, _, copy_staging) = try_join3(begin, begin_batch, copy_staging).await?;
    if !batch.unreadable.is_empty() {
        let copy_unreadable = client
            .prepare("copy pg_temp.sluice_unreadable (ordinal, position, payload, sqlstate, message) from stdin (format binary)")
            .await?;
        let records = encode_unreadable(&batch.unreadable);
        copy(client, &copy_unreadable, records, ready(Ok(()))).await?;
    }
    let transform = client.query_typed(
        "select from sluice.transform_batch(origins => $1)",
        &origins,
    );
    match batch.rows > batch.unreadable.len() {
        true => copy(client, &copy_staging, batch.copy_data.clone(), transform).await?,
        false => transform.await?,
    };
    Ok(())
}

/// Sends in slices, so that a slow server holds up the slices and not one huge message.
const SLICE: usize = 256 * 1024;

/// Copies `data`, and sends what comes `next` right behind it.
async fn copy<T>(
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
