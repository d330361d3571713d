//! Takes a pipeline, says who holds it, and ends the sessions of a stale loader.

use crate::error::Result;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// The number by which the server knows this session.
pub async fn backend_pid(client: &Client) -> Result<i32> {
    let row = client.query_typed_one("select pg_backend_pid()", &[]).await?;
    Ok(row.get(0))
}

/// Holds the pipeline to the end of the open transaction; false when another run does.
pub async fn hold_pipeline(client: &Client, pipeline: &str) -> Result<bool> {
    let row = client
        .query_typed_one("select sluice.hold_pipeline(pipeline => $1)", &[(&pipeline, Type::TEXT)])
        .await?;
    Ok(row.get(0))
}

/// A session that holds a pipeline.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Its backend.
    pub pid: i32,
    /// What it calls itself.
    pub application_name: String,
    /// Its role.
    pub username: String,
    /// Since when it has said nothing.
    pub silent_seconds: f64,
}

/// Who holds the pipeline, if anybody does.
pub async fn holder(client: &Client, pipeline: &str) -> Result<Option<Holder>> {
    let rows = client
        .query_typed(
            "select pid, coalesce(application_name, '') as application_name, coalesce(username, '') as username,
               coalesce(silent_seconds, 0) as silent_seconds
             from sluice.pipeline_holder(pipeline => $1)",
            &[(&pipeline, Type::TEXT)],
        )
        .await?;
    Ok(rows.first().map(|row| Holder {
        pid: row.get("pid"),
        application_name: row.get("application_name"),
        username: row.get("username"),
        silent_seconds: row.get("silent_seconds"),
    }))
}

/// Ends the sessions of a stale loader; says how many.
pub async fn evict_loader(client: &Client, pipeline: &str, guard_too: bool) -> Result<i32> {
    let row = client
        .query_typed_one(
            "select sluice.evict_loader(pipeline => $1, guard_too => $2)",
            &[(&pipeline, Type::TEXT), (&guard_too, Type::BOOL)],
        )
        .await?;
    Ok(row.get(0))
}
