//! `sluice compare`

use super::args;
use super::call;
use super::context::Context;
use super::table;
use crate::error::Result;
use serde_json::Value;

pub(super) async fn compare(context: &Context, args: &args::Compare) -> Result<u8> {
    let session = context.session().await?;
    let mut rows = call::look(
        &session,
        "select * from sluice.compare(pipeline => $1, version_a => $2, version_b => $3, last_batches => $4, samples => $5)",
        &[
            &args.pipeline,
            &args.version_a,
            &args.version_b,
            &args.last,
            &args.samples,
        ],
    )
    .await?;
    if context.json {
        table::print(&rows, true, "");
        return Ok(0);
    }
    let samples: Vec<String> = rows
        .iter_mut()
        .filter_map(|row| match row.shift_remove("sample") {
            Some(Value::String(sample)) => Some(format!(
                "\n{} → {}\n  {}",
                word(&row["outcome_a"]),
                word(&row["outcome_b"]),
                sample.replace('\n', "\n  ")
            )),
            _ => None,
        })
        .collect();
    table::print(&rows, false, "there are no records to compare over");
    for sample in samples {
        println!("{sample}");
    }
    Ok(0)
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
