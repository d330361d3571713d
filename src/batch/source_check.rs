//! The engine's functions for comparing a source with its target (`sql/engine/verify/begin_source_check.sql` explains
//! them).

use super::stage::READ_ONLY;
use crate::error::Result;
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

/// A comparison that has begun, in the session that asks.
#[derive(Debug, Clone)]
pub struct SourceCheck {
    pub(super) id: String,
    /// The pipeline's source settings.
    pub source: Value,
    /// Up to where the source has been committed.
    pub cursor: Option<Value>,
    /// Records in a batch, if the pipeline says.
    pub batch_rows: Option<i32>,
    /// Bytes in a batch, if the pipeline says.
    pub batch_bytes: Option<i32>,
    /// The columns of the row that the transform takes, if it takes one.
    pub input_columns: Option<Arc<[String]>>,
}

/// Where the records stand that differ, in the batch and in the source, and the digests of their payloads
/// in hex.
#[derive(Debug, Default)]
pub struct DifferingRecords {
    /// Their ordinals.
    pub ordinals: Vec<i32>,
    /// Their places.
    pub places: Vec<String>,
    /// Their digests.
    pub digests: Vec<String>,
}

/// A line of the verdict.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// What was looked at.
    pub check: String,
    /// None where nothing can be concluded.
    pub ok: Option<bool>,
    /// What was found.
    pub detail: String,
}

/// A difference.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// Of which kind.
    pub what: String,
    /// The key in the target, where the record has any.
    pub key: Option<Value>,
    /// The same, as the server writes it.
    #[serde(skip)]
    pub key_text: Option<String>,
    /// The key in the source, where it has the row.
    pub place: Option<String>,
    /// The target, unless it is the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl SourceCheck {
    /// Begins.
    pub async fn begin(client: &Client, pipeline: &str) -> Result<Self> {
        let row = client
            .query_typed_one(
                "select check_id::text as id, * from sluice.begin_source_check(pipeline => $1)",
                &[(&pipeline, Type::TEXT)],
            )
            .await?;
        Ok(SourceCheck {
            id: row.get("id"),
            source: row.get("source"),
            cursor: row.get("cursor"),
            batch_rows: row.get("batch_rows"),
            batch_bytes: row.get("batch_bytes"),
            input_columns: row.get::<_, Option<Vec<String>>>("input_columns").map(Arc::from),
        })
    }

    /// The ordinals of the records of the transformed batch that differ.
    pub async fn find(&self, client: &Client, is_second_look: bool) -> Result<Vec<i32>> {
        let rows = client
            .query_typed(
                "select * from sluice.find_differences(check_id => $1::uuid, is_second_look => $2) ordinal",
                &[(&self.id, Type::TEXT), (&is_second_look, Type::BOOL)],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Keeps what was found in the batch; for a second look, also what was looked at.
    pub async fn note(
        &self,
        client: &Client,
        found: &DifferingRecords,
        looked_at: Option<&[String]>,
    ) -> Result<()> {
        client
            .query_typed(
                "select from sluice.note_differences(check_id => $1::uuid, ordinals => $2, places => $3, digests => $4::text[]::uuid[], looked_at => $5)",
                &[
                    (&self.id, Type::TEXT),
                    (&found.ordinals, Type::INT4_ARRAY),
                    (&found.places, Type::TEXT_ARRAY),
                    (&found.digests, Type::TEXT_ARRAY),
                    (&looked_at, Type::TEXT_ARRAY),
                ],
            )
            .await?;
        Ok(())
    }

    /// Notes which records the next run reads.
    pub async fn note_due(&self, client: &Client, places: &[String]) -> Result<()> {
        client
            .query_typed(
                "select from sluice.note_due(check_id => $1::uuid, places => $2)",
                &[(&self.id, Type::TEXT), (&places, Type::TEXT_ARRAY)],
            )
            .await?;
        Ok(())
    }

    /// The places that are due for a second look, or for repair.
    pub async fn places(&self, client: &Client, is_repair: bool, most: i32) -> Result<Vec<String>> {
        let rows = client
            .query_typed(
                "select * from sluice.differing_places(check_id => $1::uuid, is_repair => $2, most => $3) place",
                &[
                    (&self.id, Type::TEXT),
                    (&is_repair, Type::BOOL),
                    (&most, Type::INT4),
                ],
            )
            .await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// The verdict, and so many differences.
    pub async fn finish(
        &self,
        client: &Client,
        most: i32,
    ) -> Result<(Vec<Verdict>, Vec<Difference>)> {
        super::begin(client).await?;
        client.batch_execute(READ_ONLY).await?;
        let verdicts = client
            .query_typed(
                "select * from sluice.finish_source_check(check_id => $1::uuid)",
                &[(&self.id, Type::TEXT)],
            )
            .await?;
        let differences = client
            .query_typed(
                "select *, key::text as key_text from sluice.source_differences(check_id => $1::uuid, most => $2)",
                &[(&self.id, Type::TEXT), (&most, Type::INT4)],
            )
            .await?;
        client.batch_execute("commit").await?;
        let verdicts = verdicts.iter().map(|row| Verdict {
            check: row.get("check_name"),
            ok: row.get("is_ok"),
            detail: row.get("detail"),
        });
        let differences = differences.iter().map(|row| Difference {
            what: row.get("what"),
            key: row.get("key"),
            key_text: row.get("key_text"),
            place: row.get("place"),
            target: row.get("target"),
        });
        Ok((verdicts.collect(), differences.collect()))
    }
}
