//! `sluice verify`

use super::args;
use super::context::Context;
use super::table;
use crate::error::Result;
use serde_json::Value;
use tokio_postgres::types::Type;

pub(super) async fn verify(context: &Context, args: &args::Reporting) -> Result<u8> {
    let session = context.session().await?;
    let rows = table::query(
        &session,
        "select pipeline_name as pipeline, check_name as \"check\", is_ok as ok, detail from sluice.verify(pipeline => $1)",
        &[(&args.pipeline, Type::TEXT)],
    )
    .await?;
    table::print(&rows, args.json, "no pipeline is defined");
    Ok(u8::from(
        rows.iter().any(|row| row["ok"] != Value::Bool(true)),
    ))
}
