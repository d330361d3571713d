//! `sluice why`

use super::args;
use super::call;
use super::context::Context;
use crate::error::Result;
use serde_json::{Map, Value};

pub(super) async fn why(context: &Context, args: &args::Why) -> Result<u8> {
    let session = context.session().await?;
    let rows = call::look(
        &session,
        "select * from sluice.why(pipeline => $1, key => $2, target => $3)",
        &[&args.pipeline, &args.key, &args.target],
    )
    .await?;
    let text = |row: &Map<String, Value>, name: &str| {
        row[name].as_str().map(str::to_owned).unwrap_or_default()
    };
    if context.json {
        let mut facts = Map::new();
        for row in &rows {
            let (fact, value) = (text(row, "fact"), text(row, "value"));
            let value = match (fact.as_str(), facts.get(&fact).and_then(Value::as_str)) {
                ("key", _) => serde_json::from_str(&value).unwrap_or_else(|_| value.into()),
                (_, Some(before)) => format!("{before}; {value}").into(),
                (_, None) => value.into(),
            };
            facts.insert(fact, value);
        }
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
