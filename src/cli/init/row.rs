//! Whether the transform takes a row or the document.

use super::args;
use super::column::{SampleColumn, Takes};
use super::sample::Sample;
use crate::error::{Error, Result};
use crate::source;
use serde_json::Value;

/// The engine takes no wider types (`sql/engine/define/_input_type.sql`).
const MOST_FIELDS: usize = 300;
/// Longer names are cut by PostgreSQL.
const LONGEST: usize = 63;
const OF_THE_SYSTEM: [&str; 6] = ["ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"];

/// What was asked for; else rows if the records consist of single values, which costs the server less.
pub(super) fn takes(
    args: &args::Init,
    settings: &Value,
    sample: &Sample,
    columns: &[SampleColumn],
) -> Result<Takes> {
    let fault = fault(columns);
    if args.rows {
        return match fault {
            None => Ok(Takes::Row),
            Some(fault) => Err(Error::usage(format!("the transform cannot take rows: {fault}"))
                .next("leave out --rows: it takes the document then")),
        };
    }
    // The text of a value that may be an object does not tell whether it was a string.
    let is_single = columns.iter().all(|column| column.sql != "jsonb");
    let has_columns = match settings["kind"].as_str() {
        Some("file" | "object" | "http") => {
            let mut origins = sample.origins.iter();
            origins.any(|origin| source::has_columns(settings, origin))
        }
        _ => source::has_columns(settings, ""),
    };
    match fault.is_none() && is_single && has_columns && !args.documents {
        true => Ok(Takes::Row),
        false => Ok(Takes::Document),
    }
}

/// Why no composite type can have these fields.
fn fault(columns: &[SampleColumn]) -> Option<String> {
    if columns.len() > MOST_FIELDS {
        return Some(format!("they have {} fields, more than {MOST_FIELDS}", columns.len()));
    }
    columns.iter().find_map(|column| {
        let [name] = &column.path[..] else {
            return Some("the records are not objects, or have objects in them".to_owned());
        };
        let is_a_name = !name.is_empty()
            && name.len() <= LONGEST
            && !name.starts_with("sluice_")
            && !OF_THE_SYSTEM.contains(&name.as_str());
        (!is_a_name).then(|| format!("no column can be called {name:?}"))
    })
}
