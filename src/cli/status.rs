//! `sluice status`

use super::args;
use super::call::rows;
use super::context::Context;
use super::table::{self, Row};
use crate::error::Result;
use serde_json::Value;

pub(super) async fn status(context: &Context, args: &args::Reporting) -> Result<u8> {
    let session = context.session().await?;
    let mut rows = rows(
        &session,
        "select * from sluice.status_details where $1::text is null or pipeline = sluice.pipeline_name($1)",
        &[&args.pipeline],
    )
    .await?;
    let remarks: Vec<String> = rows.iter().flat_map(remarks).collect();
    if !context.json {
        // A screen is narrow; the rest is in the view and in --json. The numbers of a line are
        // those of its run.
        for row in &mut rows {
            let batches = row.get("run_batches").cloned().unwrap_or_default();
            row.insert("batches".to_owned(), batches);
            row.retain(|name, _| !HIDDEN.contains(&name.as_str()));
        }
    }
    table::print(
        &rows,
        context.json,
        "no pipeline is defined; \"sluice apply FILE\" defines one",
    );
    if !context.json {
        for remark in remarks {
            println!("{remark}");
        }
    }
    Ok(0)
}

const HIDDEN: [&str; 13] = [
    "cursor",
    "started_at",
    "target",
    "targets",
    "waiting_for",
    "error",
    "undelivered",
    "dead_deliveries",
    "run_batches",
    "failing_since",
    "failed_runs",
    "unfinished",
    "last_delivery_error",
];

/// What there is to say of a pipeline beside its numbers, a line each.
fn remarks(row: &Row) -> Vec<String> {
    let pipeline = text(&row["pipeline"]);
    let error = text(&row["error"]);
    let error = error.lines().next().filter(|line| !line.is_empty());
    let mut remarks = Vec::new();
    match (text(&row["failing_since"]), error) {
        (since, error) if !since.is_empty() => remarks.push(format!(
            "{pipeline} has been failing since {}, {} in a row; the last one: {}",
            moment(since),
            match &row["failed_runs"] {
                Value::Number(one) if one.as_i64() == Some(1) => "1 run".to_owned(),
                count => format!("{count} runs"),
            },
            error.unwrap_or("no reason was noted")
        )),
        (_, Some(error)) => remarks.push(format!("{pipeline} run {}: {error}", row["run"])),
        _ => {}
    }
    for item in items(&row["waiting_for"]) {
        let (name, since, reason) = (&item["name"], &item["since"], &item["reason"]);
        remarks.push(format!(
            "{pipeline} waits: {} since {}: {}",
            text(name),
            text(since),
            text(reason)
        ));
    }
    let count = |name: &str| row[name].as_i64().unwrap_or_default();
    let (waiting, dead) = (count("undelivered"), count("dead_deliveries"));
    if waiting + dead > 0 {
        remarks.push(format!(
            "{pipeline} delivers: waiting={waiting} dead={dead} (sluice deliveries {pipeline})"
        ));
    }
    if let Some(error) = text(&row["last_delivery_error"]).lines().next() {
        remarks.push(format!("{pipeline} delivery ended early: {error}"));
    }
    // What a run has in hand is no remark.
    if row["state"] != "running" {
        for item in items(&row["unfinished"]) {
            remarks.push(format!(
                "{pipeline} has read {} to record {}, and not to its end",
                text(&item["name"]),
                item["position"]["records"]
            ));
        }
    }
    remarks
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A time without its fraction and zone.
fn moment(text: &str) -> String {
    text.chars().take(19).collect::<String>().replace('T', " ")
}
