//! `sluice why`

use super::args;
use super::call;
use super::context::Context;
use crate::error::Result;
use serde_json::{Map, Value};

pub(super) async fn why(context: &Context, args: &args::Why) -> Result<u8> {
    let session = context.session().await?;
    let rows = call::rows(
        &session,
        "select * from sluice.why(pipeline => $1, key => $2)",
        &[&args.pipeline, &args.key],
    )
    .await?;
    let text = |row: &Map<String, Value>, name: &str| {
        row[name].as_str().map(str::to_owned).unwrap_or_default()
    };
    if context.json {
        let facts: Map<String, Value> = rows
            .iter()
            .map(|row| (text(row, "fact"), row["value"].clone()))
            .collect();
        println!("{}", Value::Object(facts));
        return Ok(0);
    }
    // Not as a table: a payload is shown whole.
    let width = rows.iter().map(|row| text(row, "fact").len()).max();
    for row in &rows {
        println!(
            "{:width$}  {}",
            text(row, "fact"),
            text(row, "value"),
            width = width.unwrap_or_default()
        );
    }
    Ok(0)
}
