//! Query results as JSON and as plain columns.

use crate::error::Result;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

/// The rows of a query, each an object in the order of its columns.
pub(super) async fn query(
    client: &Client,
    sql: &str,
    params: &[(&(dyn ToSql + Sync), Type)],
) -> Result<Vec<Map<String, Value>>> {
    // One row in, one value out: Postgres writes the JSON, and no type needs a case here.
    let rows = client
        .query_typed(
            &format!("select row_to_json(result) from ({sql}) result"),
            params,
        )
        .await?;
    Ok(rows
        .iter()
        .filter_map(|row| match row.get(0) {
            Value::Object(object) => Some(object),
            _ => None,
        })
        .collect())
}

/// Prints rows as a JSON array, or as columns with a header.
pub(super) fn print(rows: &[Map<String, Value>], as_json: bool, when_empty: &str) {
    if as_json {
        println!(
            "{}",
            Value::Array(rows.iter().cloned().map(Value::Object).collect())
        );
    } else if rows.is_empty() {
        println!("{when_empty}");
    } else {
        print!("{}", columns(rows));
    }
}

/// Leaves a time without its fraction and zone: a screen is narrow.
pub(super) fn shorten_time(row: &mut Map<String, Value>, name: &str) {
    if let Some(Value::String(at)) = row.get_mut(name) {
        *at = at.chars().take(19).collect::<String>().replace('T', " ");
    }
}

/// Longest cell shown in full; the rest is in `--json`.
const WIDEST: usize = 70;

fn columns(rows: &[Map<String, Value>]) -> String {
    let Some(first) = rows.first() else {
        return String::new();
    };
    // A column in which nothing stands is left out.
    let names: Vec<&String> = first
        .keys()
        .filter(|name| rows.iter().any(|row| !row[*name].is_null()))
        .collect();
    let cells: Vec<Vec<String>> = std::iter::once(names.iter().map(ToString::to_string).collect())
        .chain(
            rows.iter()
                .map(|row| names.iter().map(|name| cell(&row[*name])).collect()),
        )
        .collect();
    let widths: Vec<usize> = (0..names.len())
        .map(|column| {
            cells
                .iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let is_number: Vec<bool> = names
        .iter()
        .map(|name| {
            rows.iter()
                .all(|row| row[*name].is_number() || row[*name].is_null())
        })
        .collect();
    let mut text = String::new();
    for row in &cells {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.chars().count());
            let _ = match is_number[column] {
                true => write!(line, "{pad}{cell}  "),
                false => write!(line, "{cell}{pad}  "),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace(['\n', '\r'], " "),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    };
    match text.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
