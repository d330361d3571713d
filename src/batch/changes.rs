//! The changes that a dry run would have made, column by column.

use crate::error::{Error, Result};
use futures_util::TryStreamExt;
use serde::Serialize;
use serde_json::value::RawValue;
use std::pin::pin;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

/// A row that would be written, or that was left alone. Values are the server's own JSON, as
/// numbers must not pass through floating point.
#[derive(Debug, Serialize)]
pub struct Change {
    /// `insert`, `update`, `delete`, `stale` (the target's row is newer) or `unsure`
    /// (it may be).
    pub action: String,
    /// The key of the row, by column.
    pub key: Box<RawValue>,
    /// Old and new value of each column that changes.
    pub changes: Option<Box<RawValue>>,
    /// The target, where it is not the pipeline's first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The same in words: `update order_id=42: amount 10.00 → 12.50`.
    #[serde(skip)]
    pub line: String,
}

/// From here to the end of the transaction, batches note what they change: all of it, or the
/// first `most` rows.
pub async fn capture_changes(client: &Client, most: Option<i64>) -> Result<()> {
    client
        .query_typed("select from sluice.capture_changes(max_rows => $1)", &[(&most, Type::INT8)])
        .await?;
    Ok(())
}

/// Hands what was noted in this transaction to `show`, row by row.
pub async fn captured_changes(client: &Client, mut show: impl FnMut(&Change)) -> Result<()> {
    let none: [(&(dyn ToSql + Sync), Type); 0] = [];
    let rows = client
        .query_typed_raw(
            "select action, key::text, changes::text, line, target from sluice.captured_changes()",
            none,
        )
        .await?;
    let mut rows = pin!(rows);
    while let Some(row) = rows.try_next().await? {
        show(&Change {
            action: row.get("action"),
            key: raw(row.get("key"))?,
            changes: row.get::<_, Option<String>>("changes").map(raw).transpose()?,
            line: row.get("line"),
            target: row.get("target"),
        });
    }
    Ok(())
}

fn raw(json: String) -> Result<Box<RawValue>> {
    RawValue::from_string(json)
        .map_err(|error| Error::failed("the server sent invalid JSON").caused_by(error))
}
