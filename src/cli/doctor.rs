//! `sluice doctor`: what `sluice.doctor()` finds, whether the engine is this binary's, and what
//! the pipelines need of this machine.

use super::args;
use super::call;
use super::context::Context;
use super::table::{self, Row};
use crate::error::{Error, Result};
use crate::host::HostRules;
use crate::install;
use crate::source::file;
use serde_json::{Value, json};

pub(super) async fn doctor(context: &Context, args: &args::Doctor) -> Result<u8> {
    let session = context
        .bare_connector("sluice doctor")
        .await?
        .connect()
        .await?;
    let mut findings = Vec::new();
    let engine = match install::check_server(&session).await {
        Ok(()) => install::check_installed(&session).await,
        refused => refused,
    };
    match engine {
        Ok(()) => {
            let version = format!("version {}", install::VERSION);
            findings.push(finding("engine", "ok", &version, None));
            findings.extend(call::rows(&session, "select * from sluice.doctor()", &[]).await?);
            let sources = call::rows(&session, SOURCES, &[]).await?;
            let host = args.host.rules(context)?;
            findings.extend(sources.iter().flat_map(|row| of_host(row, &host)));
        }
        Err(error) => findings.push(finding(
            "engine",
            "fail",
            error.message(),
            error.next_step(),
        )),
    }
    let has_failed = findings.iter().any(|row| row["verdict"] == "fail");
    let steps: Vec<_> = match context.json {
        true => Vec::new(),
        // A statement to copy is shown whole, below the table.
        false => findings
            .iter_mut()
            .filter_map(|row| row.shift_remove("next").filter(Value::is_string))
            .collect(),
    };
    table::print(&findings, context.json, "");
    for step in steps {
        println!("next:  {}", step.as_str().unwrap_or_default());
    }
    Ok(u8::from(has_failed))
}

/// Every variable that a source names: credentials are nowhere else.
const SOURCES: &str = "select p.name, p.source, array(
    select distinct e #>> '{}' from pg_catalog.jsonb_path_query(p.source, 'strict $.**.env') e order by 1) as variables
  from sluice.pipelines p where p.backfill_of is null order by p.name";

/// What a pipeline needs of this machine: files to read, variables with credentials, hosts.
fn of_host(row: &Row, host: &HostRules) -> Vec<Row> {
    let (name, source) = (row["name"].as_str().unwrap_or_default(), &row["source"]);
    let check = format!("source of {name}");
    let path = source["path"].as_str().filter(|path| *path != "-");
    let files = path.map(|path| file::is_readable(path, host).map(|()| format!("may read {path}")));
    let variables = row["variables"].as_array();
    let variables = variables.into_iter().flatten().filter_map(Value::as_str);
    let variables =
        variables.map(|name| host.env(name).map(|_| format!("has the variable {name}")));
    files
        .into_iter()
        .chain(variables)
        .map(|found: Result<String, Error>| match found {
            Ok(detail) => finding(&check, "ok", &detail, None),
            Err(error) => finding(&check, "fail", error.message(), error.next_step()),
        })
        .collect()
}

fn finding(check: &str, verdict: &str, detail: &str, next: Option<&str>) -> Row {
    let mut row = Row::new();
    row.insert("check".into(), json!(check));
    row.insert("verdict".into(), json!(verdict));
    row.insert("detail".into(), json!(detail));
    row.insert("next".into(), json!(next));
    row
}
