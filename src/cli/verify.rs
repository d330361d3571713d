//! `sluice verify`: prints a report that can be filed.

use super::args;
use super::call;
use super::context::Context;
use super::diagnostics;
use super::owners;
use crate::error::Result;
use crate::report::Report;
use crate::run::{Compared, Options, Stop, check_source};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

type Row = Map<String, Value>;

const PIPELINES: &str =
    "select pipeline from sluice.versions where state = 'active' order by pipeline";

const CHECKS: &str =
    "select pipeline_name as pipeline, check_name as \"check\", is_ok as ok, detail
  from sluice.verify(pipeline => $1, deep => $2)";

pub(super) async fn verify(context: &Context, args: &args::Verify) -> Result<u8> {
    let stop = args.source.then(Stop::on_signals).transpose()?;
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
    // One after the other, so that there is progress to report.
    let mut checks = Vec::new();
    context.progress.count("pipelines", pipelines.len());
    for pipeline in &pipelines {
        context.progress.name(pipeline);
        checks.extend(call::rows_within(&session, CHECKS, &[pipeline, &args.deep]).await?);
        context.progress.counted();
    }
    context.progress.finish();
    // Holding a snapshot keeps vacuum from its work.
    session.batch_execute("rollback").await?;
    if args.pipeline.is_none() {
        owners::note_left_out(&session, owners::HIDDEN, pipelines.len()).await?;
    }
    drop(session);
    let compared = match (&args.pipeline, &stop) {
        (Some(pipeline), Some(stop)) => Some(compare(context, args, pipeline, stop).await?),
        _ => None,
    };
    for verdict in compared.iter().flat_map(|compared| &compared.verdicts) {
        let mut check = Row::new();
        check.insert("pipeline".to_owned(), json!(args.pipeline));
        check.extend(json!(verdict).as_object().cloned().unwrap_or_default());
        checks.push(check);
    }
    let count = |verdict: Value| checks.iter().filter(|check| check["ok"] == verdict).count();
    let (failed, not_made) = (count(json!(false)), count(Value::Null));
    match context.json {
        true => {
            let mut report = as_json(header, &checks, args.deep, failed, not_made);
            if let (Some(compared), Value::Object(report)) = (&compared, &mut report) {
                report.insert("differences".to_owned(), json!(compared.differences));
                let repairs: Vec<_> = compared.repairs.iter().map(Report::json).collect();
                report.insert("repairs".to_owned(), json!(repairs));
            }
            println!("{report}");
        }
        false => {
            let differences = compared.as_ref().map(differences).unwrap_or_default();
            print!("{}", as_text(&header, &checks, &differences, args.deep, failed, not_made));
        }
    }
    let repairs = compared.iter().flat_map(|compared| &compared.repairs);
    let failure = repairs.map(Report::exit_code).find(|code| *code != 0);
    Ok(match (failure, failed, not_made) {
        (Some(code), _, _) => code,
        (None, 0, 0) => 0,
        (None, 0, _) => NOT_MADE,
        _ => 1,
    })
}

/// Compares the source with the target, and says how the runs of a repair went.
async fn compare(
    context: &Context,
    args: &args::Verify,
    pipeline: &str,
    stop: &Stop,
) -> Result<Compared> {
    context.progress.name(pipeline);
    let connector = context.connector(&format!("sluice {pipeline}")).await?;
    let options =
        Options { repair: args.repair, host: args.host.rules(context)?, ..Options::default() };
    let compared =
        check_source(&connector, pipeline, &options, stop, &context.progress, args.differences)
            .await?;
    for report in &compared.repairs {
        for remark in &report.remarks {
            diagnostics::note(remark);
        }
        if let Some(error) = &report.error {
            diagnostics::error(error);
        }
    }
    Ok(compared)
}

/// The rows that differ, and the runs that repaired some of them, one a line.
fn differences(compared: &Compared) -> String {
    let kinds = compared.differences.iter().map(|found| found.what.len());
    let width = kinds.max().unwrap_or(0);
    let mut lines = String::new();
    for found in &compared.differences {
        let key = match (&found.key_text, &found.place) {
            (Some(key), _) => match &found.target {
                Some(target) => format!("{target} {key}"),
                None => key.clone(),
            },
            (None, place) => format!("{} of the source", place.as_deref().unwrap_or_default()),
        };
        let _ = writeln!(lines, "  {:<width$}  {key}", found.what);
    }
    for report in &compared.repairs {
        let _ = writeln!(lines, "  repair: {}", report.summary());
    }
    lines
}

fn text(row: &Row, name: &str) -> String {
    match &row[name] {
        Value::String(text) => text.clone(),
        _ => "unknown".to_owned(),
    }
}

/// The exit code if no check failed but some could not be made.
const NOT_MADE: u8 = 6;

fn as_json(mut report: Row, checks: &[Row], deep: bool, failed: usize, not_made: usize) -> Value {
    report.insert("deep".to_owned(), json!(deep));
    report.insert("ok".to_owned(), json!(failed == 0));
    report.insert("not_made".to_owned(), json!(not_made));
    report.insert("checks".to_owned(), json!(checks));
    Value::Object(report)
}

fn as_text(
    header: &Row,
    checks: &[Row],
    differences: &str,
    deep: bool,
    failed: usize,
    not_made: usize,
) -> String {
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
    report.push_str(differences);
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
