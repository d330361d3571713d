//! Rows as JSON and as plain columns.

use super::terminal::shown;
use serde_json::{Map, Value};
use std::fmt::Write as _;
use std::io::{IsTerminal, stdout};
use std::sync::atomic::{AtomicBool, Ordering};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A row of an answer, in the order of its columns.
pub(super) type Row = Map<String, Value>;

/// Prints rows as a JSON array, or as columns with a header.
pub(super) fn print(rows: &[Row], as_json: bool, when_empty: &str) {
    if as_json {
        println!("{}", Value::Array(rows.iter().cloned().map(Value::Object).collect()));
    } else if rows.is_empty() {
        println!("{when_empty}");
    } else {
        print!("{}", columns(rows, room()));
    }
}

static IS_FULL: AtomicBool = AtomicBool::new(false);

/// Cuts nothing from now on, however narrow the terminal is.
pub(super) fn in_full() {
    IS_FULL.store(true, Ordering::Relaxed);
}

/// The width of the terminal, if there is one to fit. What is piped on is never cut.
fn room() -> Option<usize> {
    if IS_FULL.load(Ordering::Relaxed) || !stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}

fn columns(rows: &[Row], room: Option<usize>) -> String {
    let Some(first) = rows.first() else {
        return String::new();
    };
    // A column without any values is left out.
    let names: Vec<&String> =
        first.keys().filter(|name| rows.iter().any(|row| !row[*name].is_null())).collect();
    let cells: Vec<Vec<String>> = std::iter::once(names.iter().map(ToString::to_string).collect())
        .chain(rows.iter().map(|row| names.iter().map(|name| cell(name, &row[*name])).collect()))
        .collect();
    let widest = |column: usize| cells.iter().map(|row| row[column].width()).max();
    let is_number: Vec<bool> = names
        .iter()
        .map(|name| rows.iter().all(|row| row[*name].is_number() || row[*name].is_null()))
        .collect();
    let mut widths: Vec<usize> =
        (0..names.len()).map(|column| widest(column).unwrap_or(0)).collect();
    if let Some(room) = room {
        fit(&mut widths, &is_number, room);
    }
    let mut text = String::new();
    for row in &cells {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let cell = shortened(cell, widths[column]);
            let pad = " ".repeat(widths[column] - cell.width());
            let _ = match is_number[column] {
                true => write!(line, "{pad}{cell}{GAP}"),
                false => write!(line, "{cell}{pad}{GAP}"),
            };
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

const GAP: &str = "  ";
/// The least that is left of a text.
const NARROWEST: usize = 12;

/// Takes from the widest texts until all columns fit, as far as that goes. Numbers stay whole.
fn fit(widths: &mut [usize], is_number: &[bool], room: usize) {
    let whole = |widths: &[usize]| widths.iter().map(|width| width + GAP.len()).sum::<usize>();
    let excess = |widths: &[usize]| (whole(widths).saturating_sub(GAP.len())).saturating_sub(room);
    while excess(widths) > 0 {
        let widest = (0..widths.len())
            .filter(|column| !is_number[*column] && widths[*column] > NARROWEST)
            .max_by_key(|column| widths[*column]);
        let Some(widest) = widest else {
            return;
        };
        // Down to the next widest, so that two long ones share the space.
        let next = (0..widths.len())
            .filter(|column| *column != widest && !is_number[*column])
            .map(|column| widths[column])
            .filter(|width| *width < widths[widest])
            .max()
            .unwrap_or(0);
        let least = (widths[widest] - excess(widths).min(widths[widest])).max(NARROWEST);
        widths[widest] = least.max(next).min(widths[widest] - 1);
    }
}

fn cell(name: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        // A time without its fraction and zone: a screen is narrow. first_at is a place.
        Value::String(text) if name.ends_with("_at") && name != "first_at" => {
            text.chars().take(19).collect::<String>().replace('T', " ")
        }
        Value::String(text) => shown(&text.replace(['\n', '\r', '\t'], " ")),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}

fn shortened(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut width = 0;
    let end = text.char_indices().find(|(_, c)| {
        width += c.width().unwrap_or(0);
        width >= room
    });
    match end {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: i64, error: &str, payload: &str) -> Row {
        serde_json::from_value(serde_json::json!({"id": id, "error": error, "payload": payload}))
            .unwrap()
    }

    #[test]
    fn a_table_fits_its_terminal_and_is_whole_elsewhere() {
        let long = "x".repeat(200);
        let rows = [row(1_234_567, "short", &long), row(2, &"é".repeat(90), "y")];
        for room in [40, 60, 80, 200] {
            let text = columns(&rows, Some(room));
            assert!(text.lines().all(|line| line.width() <= room), "{text}");
            assert!(text.contains("1234567") && text.contains('…'), "{text}");
        }
        assert!(columns(&rows, None).contains(&long));
        assert!(columns(&rows, Some(400)).contains(&long));
        // Narrower than anything can be made.
        assert!(columns(&rows, Some(3)).contains("1234567"));
    }
}
