//! `sluice verify`: a report that can be filed.

use super::args;
use super::call;
use super::context::Context;
use crate::error::Result;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

type Row = Map<String, Value>;

const PIPELINES: &str =
    "select pipeline from sluice.versions where state = 'active' order by pipeline";

const CHECKS: &str =
    "select pipeline_name as pipeline, check_name as \"check\", is_ok as ok, detail
  from sluice.verify(pipeline => $1, deep => $2)";

pub(super) async fn verify(context: &Context, args: &args::Verify) -> Result<u8> {
    let session = context.session().await?;
    call::begin_looking(&session).await?;
    let header = call::rows_within(&session, "select * from sluice.verify_header", &[]).await?;
    let header = header.into_iter().next().unwrap_or_default();
    let pipelines = match &args.pipeline {
        Some(pipeline) => vec![pipeline.clone()],
        None => call::rows_within(&session, PIPELINES, &[])
            .await?
            .iter()
            .map(|row| text(row, "pipeline"))
            .collect(),
    };
    // One after the other, so that there is something to tell in between.
    let mut checks = Vec::new();
    context.progress.count("pipelines", pipelines.len());
    for pipeline in &pipelines {
        context.progress.name(pipeline);
        checks.extend(call::rows_within(&session, CHECKS, &[pipeline, &args.deep]).await?);
        context.progress.counted();
    }
    context.progress.finish();
    let count = |verdict: Value| checks.iter().filter(|check| check["ok"] == verdict).count();
    let (failed, not_made) = (count(json!(false)), count(Value::Null));
    match context.json {
        true => println!("{}", as_json(header, &checks, args.deep, failed, not_made)),
        false => print!("{}", as_text(&header, &checks, args.deep, failed, not_made)),
    }
    Ok(match (failed, not_made) {
        (0, 0) => 0,
        (0, _) => NOT_MADE,
        _ => 1,
    })
}

fn text(row: &Row, name: &str) -> String {
    match &row[name] {
        Value::String(text) => text.clone(),
        _ => "unknown".to_owned(),
    }
}

/// The exit code when no check failed, and some could not be made.
const NOT_MADE: u8 = 6;

fn as_json(mut report: Row, checks: &[Row], deep: bool, failed: usize, not_made: usize) -> Value {
    report.insert("deep".to_owned(), json!(deep));
    report.insert("ok".to_owned(), json!(failed == 0));
    report.insert("not_made".to_owned(), json!(not_made));
    report.insert("checks".to_owned(), json!(checks));
    Value::Object(report)
}

fn as_text(header: &Row, checks: &[Row], deep: bool, failed: usize, not_made: usize) -> String {
    let mut report = format!(
        "verified {} by {}{}\nPostgreSQL {}, system {}, database {}, engine {}\n",
        text(header, "verified_at"),
        text(header, "verified_by"),
        if deep { ", every row" } else { "" },
        text(header, "server_version"),
        text(header, "system_identifier"),
        text(header, "database"),
        text(header, "engine_version"),
    );
    let width = |name: &str| {
        let widths = checks.iter().map(|check| text(check, name).chars().count());
        widths.max().unwrap_or(0)
    };
    let (pipeline, name) = (width("pipeline"), width("check"));
    let verdict = if not_made > 0 { 8 } else { 6 };
    for check in checks {
        let _ = writeln!(
            report,
            "{:<verdict$}  {:<pipeline$}  {:<name$}  {}",
            match check["ok"] {
                Value::Bool(true) => "ok",
                Value::Bool(false) => "NOT OK",
                _ => "not made",
            },
            text(check, "pipeline"),
            text(check, "check"),
            text(check, "detail"),
        );
    }
    let _ = match (checks.len(), failed, not_made) {
        (0, _, _) => writeln!(report, "nothing to verify: no pipeline is defined"),
        (count, 0, 0) => writeln!(report, "ok: {count} checks"),
        (count, 0, not_made) => {
            writeln!(
                report,
                "ok: {} checks; not made, or not for every row: {not_made}",
                count - not_made
            )
        }
        (count, failed, _) => writeln!(report, "NOT OK: {failed} of {count} checks failed"),
    };
    report
}
