//! Finds the columns of the key, and the one that says which record is newer.

use super::column::SampleColumn;
use super::name::words;
use crate::error::{Error, Result};

/// Names of columns that are keys by themselves, best first; `*` stands for the pipeline.
const KEYS: [&[&str]; 4] = [
    &["id", "_id", "*_id", "*_uuid", "*_key", "uuid", "guid", "key"],
    &["_id", "_uuid", "_guid", "_key"],
    &["_number", "_no", "_nr", "_code", "_sku", "sku", "isbn", "ean", "slug", "code", "number"],
    &["email", "login", "username", "symbol"],
];

/// Ranks for which a sample of one record is enough.
const EVIDENT: usize = 1;

/// Words in the names of columns that say when a record changed.
const CHANGES: [&str; 6] =
    ["updated", "modified", "changed", "modification", "update", "lastmodified"];

/// The key: as it is `given`, else the one column that is named like one, and is one in the sample.
pub(super) fn choose<'a>(
    columns: &'a [SampleColumn],
    given: &[String],
    pipeline: &str,
    records: u64,
    what: &str,
) -> Result<Vec<&'a SampleColumn>> {
    if !given.is_empty() {
        return given.iter().map(|name| named(columns, name, records)).collect();
    }
    let is_possible = |column: &&SampleColumn| {
        column.is_unique && matches!(column.sql, "bigint" | "text" | "uuid" | "numeric")
    };
    let possible: Vec<&SampleColumn> = columns.iter().filter(is_possible).collect();
    let ranks = if records > 1 { KEYS.len() } else { EVIDENT };
    for suffixes in &KEYS[..ranks] {
        let found: Vec<&SampleColumn> = possible
            .iter()
            .copied()
            .filter(|column| is_named(column, suffixes, pipeline))
            .collect();
        match found[..] {
            [] => {}
            [key] => return Ok(vec![key]),
            // The first column is the key, if any of these is.
            [key, ..] if std::ptr::eq(key, &columns[0]) => return Ok(vec![key]),
            _ => break,
        }
    }
    let names: Vec<&str> = possible.iter().map(|column| &*column.name).collect();
    let error = Error::usage(format!("no key can be told from {what}"));
    let error = match names.is_empty() {
        true => error.detail("no column has a value of its own in each of them"),
        false => error.detail(format!("unique there: {}", names.join(", "))),
    };
    Err(error.next(format!(
        "say which columns tell one record from another: --key {} (several: --key a,b)",
        names.first().unwrap_or(&"COLUMN")
    )))
}

fn named<'a>(columns: &'a [SampleColumn], name: &str, records: u64) -> Result<&'a SampleColumn> {
    // As it stands in the source, before what became of it.
    let is_field = |column: &&SampleColumn| column.path.join(".") == name;
    let is_column = |column: &&SampleColumn| column.name == name || column.plain == name;
    let found = columns.iter().find(is_field);
    let Some(column) = found.or_else(|| columns.iter().find(is_column)) else {
        let names: Vec<&str> = columns.iter().map(|column| &*column.name).collect();
        return Err(Error::usage(format!("there is no column \"{name}\" for the key"))
            .next(format!("choose among {}", names.join(", "))));
    };
    if !column.is_full && records > 0 {
        return Err(Error::usage(format!(
            "column \"{name}\" cannot be in the key: some records of the sample have no value there"
        ))
        .next("name columns that always have a value"));
    }
    if column.sql == "jsonb" {
        return Err(Error::usage(format!(
            "column \"{name}\" cannot be in the key: it is not a single value"
        ))
        .next("name columns that are"));
    }
    Ok(column)
}

/// What speaks against the `key`, which was given.
pub(super) fn doubt(key: &[&SampleColumn], records: u64) -> Option<String> {
    match key {
        [column] if records > 1 && !column.is_unique => Some(format!(
            "key: \"{}\" is not another one in each of the first {records} records, and of those with the same key \
             only the last stays; name more columns unless that is meant",
            column.name
        )),
        // Whether several are unique together is not known.
        _ => None,
    }
}

fn is_named(column: &SampleColumn, suffixes: &[&str], pipeline: &str) -> bool {
    let name = &column.plain;
    let one = pipeline.strip_suffix('s').unwrap_or(pipeline);
    suffixes.iter().any(|suffix| match suffix.strip_prefix('*') {
        Some(suffix) => [pipeline, one].iter().any(|of| *name == format!("{of}{suffix}")),
        None if suffix.starts_with('_') => {
            name.ends_with(suffix) || column.path.last().is_some_and(|path| path == suffix)
        }
        None => name == suffix,
    })
}

/// The column by which a newer record is told from an older one.
pub(super) fn order<'a>(
    columns: &'a [SampleColumn],
    cursor: Option<&str>,
) -> Option<&'a SampleColumn> {
    // Of records it is a pointer.
    let cursor = cursor.map(|cursor| cursor.trim_start_matches('/'));
    let is_cursor =
        |column: &&SampleColumn| column.is_full && Some(&*column.path.join("/")) == cursor;
    if let Some(cursor) = columns.iter().find(is_cursor) {
        return Some(cursor);
    }
    columns.iter().find(|column| {
        let is_named = words(column.path.last().map_or("", String::as_str))
            .iter()
            .any(|word| CHANGES.contains(&word.as_str()));
        is_named && column.is_full && matches!(column.sql, "timestamptz" | "timestamp")
    })
}
