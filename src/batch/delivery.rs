//! The engine's functions for deliveries, as the sender calls them (`sql/engine/delivery/start_delivery.sql` is the
//! place to start reading).

mod route;

use crate::error::Result;
pub use route::{Delivering, Operation, Route, delivering_targets};
use serde_json::Value;
use std::collections::HashMap;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// A delivery that was claimed: to be sent, or decided without being sent.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// Its number.
    pub id: i64,
    /// `in_flight`: to be sent; `filtered`, `dead` or `superseded`: decided.
    pub state: String,
    /// The key of the row, as JSON.
    pub key: String,
    /// Whether the row was deleted.
    pub is_delete: bool,
    /// The same for every attempt.
    pub idempotency_key: String,
    /// The body.
    pub body: String,
    /// Why it is dead.
    pub error: Option<String>,
    /// Deliveries that are sent together have the same.
    pub parcel: Option<String>,
}

/// What remains when a sender has ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Remaining {
    /// Unsent, or in flight without an answer.
    pub waiting: i64,
    /// Superseded since the sender before this one ended.
    pub superseded: i64,
}

/// Locks the deliveries of a pipeline until the end of the open transaction, or says who holds them.
pub async fn hold_delivery(
    client: &Client,
    pipeline: &str,
    stale_after: f64,
    ours: &[i32],
) -> Result<Option<String>> {
    let row = client
        .query_typed_one(
            "select sluice.hold_delivery(pipeline => $1, stale_after => $2, ours => $3)",
            &[(&pipeline, Type::TEXT), (&stale_after, Type::FLOAT8), (&ours, Type::INT4_ARRAY)],
        )
        .await?;
    Ok(row.get(0))
}

/// Ends the sessions of a sender that was cut off; says how many.
pub async fn evict_sender(client: &Client, pipeline: &str) -> Result<i32> {
    let row = client
        .query_typed_one("select sluice.evict_sender(pipeline => $1)", &[(&pipeline, Type::TEXT)])
        .await?;
    Ok(row.get(0))
}

/// A delivery run that has started.
#[derive(Debug, Clone)]
pub struct DeliveryRun {
    /// What is sent.
    pub route: Route,
    /// A later delivery run has a greater one, and this one is refused from then on.
    pub epoch: i64,
    /// Where the deliveries go.
    pub settings: Value,
    /// Whether the destination has ever accepted a row.
    pub has_accepted: bool,
    /// The name of these deliveries in the other database.
    pub stream: String,
    /// The key columns of the target.
    pub key: Vec<String>,
}

/// Starts a delivery run.
pub async fn start_delivery(client: &Client, route: &Route, sender: &str) -> Result<DeliveryRun> {
    let row = client
        .query_typed_one(
            "select epoch, settings, has_accepted, stream::text as stream, key
             from sluice.start_delivery(pipeline => $1, sender => $2, target => $3)",
            &[(&route.pipeline, Type::TEXT), (&sender, Type::TEXT), (&route.target, Type::TEXT)],
        )
        .await?;
    Ok(DeliveryRun {
        route: route.clone(),
        epoch: row.get("epoch"),
        settings: row.get("settings"),
        has_accepted: row.get("has_accepted"),
        stream: row.get("stream"),
        key: row.get("key"),
    })
}

/// Puts every row into the outbox; says how many.
pub async fn enqueue_deliveries(client: &Client, route: &Route) -> Result<i64> {
    let row = client
        .query_typed_one(
            "select sluice.enqueue_deliveries(pipeline => $1, target => $2)",
            &[(&route.pipeline, Type::TEXT), (&route.target, Type::TEXT)],
        )
        .await?;
    Ok(row.get(0))
}

/// The next deliveries, committed as in flight, without those that are `held`. With `parcel_rows`, in parcels of up
/// to so many.
pub async fn claim_deliveries(
    client: &Client,
    route: &Route,
    epoch: i64,
    held: &[i64],
    max_rows: i32,
    parcel_rows: Option<i32>,
) -> Result<Vec<Claimed>> {
    let rows = client
        .query_typed(
            "select delivery_id, state, key::text as key, operation, idempotency_key, coalesce(body, '') as body, error,
               parcel::text as parcel
             from sluice.claim_deliveries(
               pipeline => $1, epoch => $2, held => $3, max_rows => $4, parcel_rows => $5, target => $6,
               only_deletes => $7, only_upserts => $8, up_to => $9)",
            &[
                (&route.pipeline, Type::TEXT),
                (&epoch, Type::INT8),
                (&held, Type::INT8_ARRAY),
                (&max_rows, Type::INT4),
                (&parcel_rows, Type::INT4),
                (&route.target, Type::TEXT),
                (&(route.only == Some(Operation::Delete)), Type::BOOL),
                (&(route.only == Some(Operation::Upsert)), Type::BOOL),
                (&route.up_to, Type::INT8),
            ],
        )
        .await?;
    let claimed = rows.iter().map(|row| Claimed {
        id: row.get("delivery_id"),
        state: row.get("state"),
        key: row.get("key"),
        is_delete: row.get::<_, &str>("operation") == "delete",
        idempotency_key: row.get("idempotency_key"),
        body: row.get("body"),
        error: row.get("error"),
        parcel: row.get("parcel"),
    });
    Ok(claimed.collect())
}

/// Splits a parcel in two; returns the new parcel of each delivery.
pub async fn split_parcel(
    client: &Client,
    route: &Route,
    epoch: i64,
    ids: &[i64],
) -> Result<HashMap<i64, String>> {
    let rows = client
        .query_typed(
            "select delivery_id, parcel::text as parcel
             from sluice.split_parcel(pipeline => $1, epoch => $2, delivery_ids => $3, target => $4)",
            &[
                (&route.pipeline, Type::TEXT),
                (&epoch, Type::INT8),
                (&ids, Type::INT8_ARRAY),
                (&route.target, Type::TEXT),
            ],
        )
        .await?;
    let parcels = rows.iter().map(|row| (row.get("delivery_id"), row.get("parcel")));
    Ok(parcels.collect())
}

/// Records outcomes. Repeated, it changes nothing.
pub async fn record_deliveries(
    client: &Client,
    route: &Route,
    epoch: i64,
    outcomes: &Value,
) -> Result<()> {
    client
        .query_typed(
            "select sluice.record_deliveries(pipeline => $1, epoch => $2, outcomes => $3, target => $4)",
            &[
                (&route.pipeline, Type::TEXT),
                (&epoch, Type::INT8),
                (outcomes, Type::JSONB),
                (&route.target, Type::TEXT),
            ],
        )
        .await?;
    Ok(())
}

/// Notes how a sender ended; what is left.
pub async fn finish_delivery(
    client: &Client,
    route: &Route,
    epoch: i64,
    outcome: &str,
    error: Option<&str>,
) -> Result<Remaining> {
    let row = client
        .query_typed_one(
            "select unsent + in_flight as waiting, superseded
             from sluice.finish_delivery(
               pipeline => $1, epoch => $2, outcome => $3, error => $4, target => $5)",
            &[
                (&route.pipeline, Type::TEXT),
                (&epoch, Type::INT8),
                (&outcome, Type::TEXT),
                (&error, Type::TEXT),
                (&route.target, Type::TEXT),
            ],
        )
        .await?;
    Ok(Remaining { waiting: row.get("waiting"), superseded: row.get("superseded") })
}
