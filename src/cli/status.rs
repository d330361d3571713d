//! `sluice status`

use super::args;
use super::call::rows;
use super::context::Context;
use super::table;
use crate::error::Result;

pub(super) async fn status(context: &Context, args: &args::Reporting) -> Result<u8> {
    let session = context.session().await?;
    let mut rows = rows(
        &session,
        "select * from sluice.status_details where $1::text is null or pipeline = sluice.pipeline_name($1)",
        &[&args.pipeline],
    )
    .await?;
    let mut waiting: Vec<String> = rows.iter().flat_map(waiting).collect();
    waiting.extend(rows.iter().filter_map(delivers));
    if !context.json {
        // A screen is narrow; the rest is in the view and in --json.
        for row in &mut rows {
            row.retain(|name, _| !HIDDEN.contains(&name.as_str()));
        }
    }
    table::print(
        &rows,
        context.json,
        "no pipeline is defined; \"sluice apply FILE\" defines one",
    );
    if !context.json {
        for waiting in waiting {
            println!("{waiting}");
        }
    }
    Ok(0)
}

const HIDDEN: [&str; 7] = [
    "cursor",
    "started_at",
    "target",
    "waiting_for",
    "error",
    "undelivered",
    "dead_deliveries",
];

/// What a pipeline has not delivered, if there is anything.
fn delivers(row: &serde_json::Map<String, serde_json::Value>) -> Option<String> {
    let count = |name: &str| row[name].as_i64().unwrap_or_default();
    let (waiting, dead) = (count("undelivered"), count("dead_deliveries"));
    let pipeline = row["pipeline"].as_str().unwrap_or_default();
    (waiting + dead > 0).then(|| {
        format!("{pipeline} delivers: waiting={waiting} dead={dead} (sluice deliveries {pipeline})")
    })
}

/// What a pipeline's source offers and could not be read, a line each.
fn waiting(row: &serde_json::Map<String, serde_json::Value>) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let items = row["waiting_for"].as_array();
    items
        .into_iter()
        .flatten()
        .map(|item| {
            let (name, since, reason) = (&item["name"], &item["since"], &item["reason"]);
            format!(
                "{} waits: {} since {}: {}",
                text(&row["pipeline"]),
                text(name),
                text(since),
                text(reason)
            )
        })
        .collect()
}
