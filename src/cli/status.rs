//! `sluice status`

use super::args;
use super::call::rows;
use super::context::Context;
use super::owners;
use super::table::Row;
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
        // A screen is narrow; the rest is in the view and in --json. The numbers on a line belong to its
        // run.
        for row in &mut rows {
            let batches = row.get("run_batches").cloned().unwrap_or_default();
            row.insert("batches".to_owned(), batches);
            row.retain(|name, _| !HIDDEN.contains(&name.as_str()));
        }
    }
    owners::print(context, &session, &rows).await?;
    if !context.json {
        for remark in remarks {
            println!("{remark}");
        }
    }
    Ok(0)
}

const HIDDEN: [&str; 15] = [
    "cursor",
    "quarantined",
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
    "deliveries",
];

/// What there is to say about a pipeline besides its numbers, one line each.
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
    let mut delivers = |what: String, waiting: &Value, dead: &Value| {
        if (waiting.as_i64(), dead.as_i64()) != (Some(0), Some(0)) {
            remarks.push(format!(
                "{pipeline} delivers{what}: waiting={waiting} dead={dead} (sluice deliveries {pipeline})"
            ));
        }
    };
    let targets = items(&row["deliveries"]);
    for of in targets {
        let what = format!(" {}", text(&of["target"]));
        delivers(what, &of["waiting"], &of["dead"]);
    }
    if targets.is_empty() {
        delivers(String::new(), &row["undelivered"], &row["dead_deliveries"]);
    }
    // Of several targets a line each.
    let errors = text(&row["last_delivery_error"]).lines();
    for error in errors.take(targets.len().max(1)) {
        remarks.push(format!("{pipeline} delivery ended early: {error}"));
    }
    // What a run has in hand deserves no remark.
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
