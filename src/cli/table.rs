//! Rows as JSON and as plain columns.

use super::call::Row;
use super::terminal::shown;
use serde_json::Value;
use std::fmt::Write as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Prints rows as a JSON array, or as columns with a header.
pub(super) fn print(rows: &[Row], as_json: bool, when_empty: &str) {
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

/// Longest cell shown in full; the rest is in `--json`.
const WIDEST: usize = 70;

fn columns(rows: &[Row]) -> String {
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
                .map(|row| names.iter().map(|name| cell(name, &row[*name])).collect()),
        )
        .collect();
    let widths: Vec<usize> = (0..names.len())
        .map(|column| {
            cells
                .iter()
                .map(|row| row[column].width())
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
            let pad = " ".repeat(widths[column] - cell.width());
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

fn cell(name: &str, value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        // A time without its fraction and zone: a screen is narrow. first_at is a place.
        Value::String(text) if name.ends_with("_at") && name != "first_at" => {
            text.chars().take(19).collect::<String>().replace('T', " ")
        }
        Value::String(text) => shown(&text.replace(['\n', '\r', '\t'], " ")),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    };
    shortened(text)
}

fn shortened(text: String) -> String {
    let mut width = 0;
    let end = text.char_indices().find(|(_, c)| {
        width += c.width().unwrap_or(0);
        width > WIDEST
    });
    match end {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
