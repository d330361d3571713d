//! `sluice doctor`: what `sluice.doctor()` finds, whether the engine is this binary's, and what
//! the pipelines need of this machine.

use super::args;
use super::call;
use super::context::Context;
use super::table::{self, Row};
use crate::error::Result;
use crate::install;
use crate::retry::Budget;
use crate::run::look_at_delivery;
use crate::source::{SourceContext, preflight};
use crate::stop::Stop;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn doctor(context: &Context, args: &args::Doctor) -> Result<u8> {
    let session = context.bare_connector("sluice doctor").await?.connect().await?;
    let mut findings = Vec::new();
    let engine = match install::check_server(&session).await {
        Ok(()) => install::check_installed(&session).await,
        refused => refused,
    };
    match engine {
        Ok(()) => {
            let version = format!("version {}", install::VERSION);
            findings.push(finding("engine", "ok", &version, None));
            findings.extend(call::look(&session, "select * from sluice.doctor()", &[]).await?);
            let budget = Arc::new(Budget::new(0, Stop::never()));
            let context = SourceContext::of_run(budget, args.host.rules(context)?);
            for pipeline in call::look(&session, PIPELINES, &[]).await? {
                findings.extend(of_host(&pipeline, &context).await);
            }
        }
        Err(error) => findings.push(finding("engine", "fail", error.message(), error.next_step())),
    }
    let has_failed = findings.iter().any(|row| row["verdict"] == "fail");
    let steps: Vec<_> = match context.json {
        true => Vec::new(),
        // A statement to copy is shown whole, below the table.
        false => findings
            .iter_mut()
            .filter_map(|row| match row.shift_remove("next") {
                // Copied as it stands.
                Some(Value::String(step)) if step.starts_with("grant ") => Some(step),
                Some(Value::String(step)) => {
                    let check = row["check"].as_str().unwrap_or_default();
                    Some(format!("{check}: {step}"))
                }
                _ => None,
            })
            .collect(),
    };
    table::print(&findings, context.json, "");
    for step in steps {
        println!("next:  {step}");
    }
    Ok(u8::from(has_failed))
}

/// Every variable that a pipeline names: credentials are nowhere else.
const PIPELINES: &str = "select p.name, p.source, p.deliver, p.also_deliver, array(
    select distinct e #>> '{}' from pg_catalog.jsonb_path_query(
      pg_catalog.jsonb_build_array(p.source, p.deliver, p.also_deliver),
      '$.**.env[*] ? (@.type() == \"string\")') e order by 1) as variables
  from sluice.pipelines p where p.backfill_of is null order by p.name";

/// What a pipeline needs of this machine, and of the database that it reads: files, variables with
/// credentials, hosts, programs.
async fn of_host(row: &Row, context: &SourceContext) -> Vec<Row> {
    let name = row["name"].as_str().unwrap_or_default();
    let variables = row["variables"].as_array();
    let variables = variables.into_iter().flatten().filter_map(Value::as_str);
    let variable = |name| context.host.env(name).map(|_| format!("has the variable {name}"));
    let mut of_source: Vec<Result<String>> = variables.map(variable).collect();
    of_source.extend(preflight(&row["source"], context).await);
    let also = row["also_deliver"].as_object();
    let deliveries = also.into_iter().flatten().map(|(_, settings)| settings);
    let mut of_delivery = Vec::new();
    for settings in std::iter::once(&row["deliver"]).chain(deliveries) {
        if !settings.is_null() {
            of_delivery.extend(look_at_delivery(settings, &context.host).await);
        }
    }
    let of_source = of_source.into_iter().map(|found| ("source", found));
    let of_delivery = of_delivery.into_iter().map(|found| ("delivery", found));
    let mut rows: Vec<Row> = Vec::new();
    for (part, found) in of_source.chain(of_delivery) {
        let check = format!("{part} of {name}");
        let row = match found {
            Ok(detail) => finding(&check, "ok", &detail, None),
            Err(error) => finding(&check, "fail", &error.in_one_line(), error.next_step()),
        };
        // Several pipelines may lack the same thing.
        if !rows.iter().any(|known| known["detail"] == row["detail"]) {
            rows.push(row);
        }
    }
    rows
}

fn finding(check: &str, verdict: &str, detail: &str, next: Option<&str>) -> Row {
    let mut row = Row::new();
    row.insert("check".into(), json!(check));
    row.insert("verdict".into(), json!(verdict));
    row.insert("detail".into(), json!(detail));
    row.insert("next".into(), json!(next));
    row
}
