//! The engine's functions about sources: known files and objects, rows of `for_each`.

use super::Run;
use crate::error::{Error, Result};
use crate::source::{ChangedUnits, ListedUnit, ObjectState};
use tokio_postgres::types::{Json, Type};
use tokio_postgres::{Client, Row};

/// The rows of `for_each`, for each of which a source is read, as JSON; none without it.
pub async fn source_rows(client: &Client, run: &Run, pipeline: &str) -> Result<Vec<String>> {
    if run.source["for_each"].is_null() {
        return Ok(Vec::new());
    }
    let rows = client
        .query_typed(
            "select row from sluice.source_rows(pipeline => $1) row",
            &[(&pipeline, Type::TEXT)],
        )
        .await
        .map_err(|error| Error::from(error).context("for_each"))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The files and objects that a pipeline has begun to read.
pub async fn begun_objects(client: &Client, pipeline: &str) -> Result<Vec<ObjectState>> {
    let rows = client
        .query_typed(
            "select object, identity, position, is_done
             from sluice.source_state(pipeline => $1, only_begun => true)",
            &[(&pipeline, Type::TEXT)],
        )
        .await?;
    let state = |row: &Row| object_state(row, row.get("object"));
    Ok(rows.iter().map(state).collect())
}

/// Those of `listed` in which there may be something new, by their places. See `sluice.source_news`.
pub async fn source_news(
    client: &Client,
    pipeline: &str,
    listed: &[ListedUnit],
) -> Result<ChangedUnits> {
    let names: Vec<&str> = listed.iter().map(|unit| unit.name.as_str()).collect();
    let facts: Vec<_> = listed.iter().map(|unit| Json(&unit.facts)).collect();
    let rows = client
        .query_typed(
            "select place, identity, position, is_done
             from sluice.source_news(pipeline => $1, objects => $2, facts => $3)",
            &[(&pipeline, Type::TEXT), (&names, Type::TEXT_ARRAY), (&facts, Type::JSONB_ARRAY)],
        )
        .await?;
    let news = |row: &Row| {
        let place = row.get::<_, i64>("place") as usize - 1;
        let is_known = row.get::<_, Option<bool>>("is_done").is_some();
        (place, is_known.then(|| object_state(row, names[place].to_owned())))
    };
    Ok(rows.iter().map(news).collect())
}

fn object_state(row: &Row, object: String) -> ObjectState {
    ObjectState {
        object,
        identity: row.get("identity"),
        position: row.get("position"),
        is_done: row.get("is_done"),
    }
}
