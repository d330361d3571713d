//! Records what a run could not read, for `sluice status`.

use crate::error::Result;
use crate::source::Waiting;
use serde::Serialize;
use tokio_postgres::Client;
use tokio_postgres::types::{Json, Type};

/// What waits, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Waited {
    /// The file, object or address.
    pub name: String,
    /// What stands in the way.
    pub reason: String,
    /// Since when; none if that is not kept (a dry run, another path).
    pub since: Option<String>,
    /// Longer than the pipeline allows.
    pub is_overdue: bool,
}

impl From<Waiting> for Waited {
    fn from(waiting: Waiting) -> Self {
        Waited { name: waiting.name, reason: waiting.reason, since: None, is_overdue: false }
    }
}

/// Notes what waits after this run. See `sluice.note_waiting`.
pub async fn note_waiting(
    client: &Client,
    run_id: i64,
    waiting: &[Waiting],
) -> Result<Vec<Waited>> {
    let rows = client
        .query_typed(
            "select name, reason, since::text, is_overdue from sluice.note_waiting(run_id => $1, waiting => $2)",
            &[(&run_id, Type::INT8), (&Json(waiting), Type::JSONB)],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Waited {
            name: row.get("name"),
            reason: row.get("reason"),
            since: row.get("since"),
            is_overdue: row.get("is_overdue"),
        })
        .collect())
}

/// Notes a run that could not begin. See `sluice.refuse_run`.
pub async fn refuse_run(client: &Client, pipeline: &str, loader: &str, error: &str) -> Result<()> {
    client
        .query_typed(
            "select sluice.refuse_run(pipeline => $1, loader => $2, error => $3)",
            &[(&pipeline, Type::TEXT), (&loader, Type::TEXT), (&error, Type::TEXT)],
        )
        .await?;
    Ok(())
}
