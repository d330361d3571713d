//! `sluice doctor`: what `sluice.doctor()` finds, and whether the engine is this binary's.

use super::call;
use super::context::Context;
use super::table;
use crate::error::Result;
use crate::install;
use serde_json::{Map, Value, json};

pub(super) async fn doctor(context: &Context) -> Result<u8> {
    let session = context
        .bare_connector("sluice doctor")
        .await?
        .connect()
        .await?;
    let mut findings = Vec::new();
    match install::check_installed(&session).await {
        Ok(()) => {
            let version = format!("version {}", install::VERSION);
            findings.push(finding("ok", &version, None));
            findings.extend(call::rows(&session, "select * from sluice.doctor()", &[]).await?);
        }
        Err(error) => findings.push(finding("fail", error.message(), error.next_step())),
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

fn finding(verdict: &str, detail: &str, next: Option<&str>) -> Map<String, Value> {
    let mut row = Map::new();
    row.insert("check".into(), json!("engine"));
    row.insert("verdict".into(), json!(verdict));
    row.insert("detail".into(), json!(detail));
    row.insert("next".into(), json!(next));
    row
}
