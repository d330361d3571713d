//! Finds the dialect of delimited files: delimiter, lines above the header, whether there is a header. Each guess is
//! tried with the reader that will load the file.

use super::answer::{self, Records};
use super::kind::ValueKind;
use super::name;
use super::sample::{Row, Sample, Sampler};
use super::table::Table;
use crate::db::literal;
use crate::error::{Error, Result};
use crate::source;
use serde_json::{Value, json};

/// As many records tell the delimiter.
pub(super) const ENOUGH: u64 = 200;

/// What to do about quotes that make no sense.
pub(super) const STRAY_QUOTES: &str = "if quotes mean nothing there: --source \"sluice.file_source(path => ..., quote => '')\"; \
     if a character before them escapes them: escape => ...";

/// Rows, and how they are to be read.
#[derive(Debug)]
pub(super) struct SampleLayout {
    pub(super) settings: Value,
    /// All values are text.
    pub(super) is_tabular: bool,
    /// What only people can say.
    pub(super) choices: Vec<String>,
}

impl SampleLayout {
    /// For a source that leaves nothing to find out, as it says itself what its records look like.
    pub(super) fn told(settings: Value) -> Self {
        let protocol = settings["protocol"].as_str();
        SampleLayout {
            is_tabular: matches!(protocol, Some("csv" | "tsv")),
            settings,
            choices: Vec::new(),
        }
    }
}

/// Finds out how records stand in the source.
pub(super) fn find(sampler: &Sampler, settings: Value) -> Result<SampleLayout> {
    let found = find_rows(sampler, settings.clone());
    let encodings = match &found {
        _ if !settings["encoding"].is_null() => &[][..],
        Ok((_, true)) => &["windows-1252"],
        Err(error) if error.message().contains("UTF-16") => &["utf-16le", "utf-16be"],
        _ => &[],
    };
    let decoded = encodings.iter().find_map(|encoding| {
        let mut settings = settings.clone();
        settings["encoding"] = json!(encoding);
        let (mut found, _) = find_rows(sampler, settings).ok()?;
        sampler.take(&found.settings, ENOUGH).ok().filter(|sample| sample.records > 0)?;
        if *encoding == "windows-1252" {
            found.choices.push(
                "encoding: it is not UTF-8; see that letters such as ä and é come out right, else iso-8859-2, \
                 windows-1251, shift_jis ..."
                    .to_owned(),
            );
        }
        Some(found)
    });
    decoded.map_or_else(|| Ok(found?.0), Ok)
}

/// How records stand there, read in the encoding of the settings, and whether some bytes are in another one.
fn find_rows(sampler: &Sampler, settings: Value) -> Result<(SampleLayout, bool)> {
    let first = sampler.take(&settings, ENOUGH);
    let is_tabular = match &first {
        Ok(sample) => {
            let is_tabular = |origin: &String| source::is_tabular(&settings, origin);
            sample.origins.iter().any(is_tabular)
        }
        Err(error) => error.message().contains(": the header in line ") || is_unknown(error),
    };
    if is_tabular && !first.as_ref().is_ok_and(|sample| sample.records + sample.bad == 0) {
        let mut settings = settings.clone();
        let is_known = !first.as_ref().is_err_and(is_unknown);
        if !is_known {
            // Any text is a table of one column unless told otherwise.
            settings["format"] = json!("csv");
        }
        if let Some(table) = Table::find(sampler, &settings, is_known) {
            let is_foreign = table.rows.iter().any(|row| row.is_foreign);
            // In another encoding its letters are to be read first.
            return match is_foreign && settings["encoding"].is_null() {
                true => Ok((SampleLayout::told(settings), true)),
                false => Ok((settle_header(sampler, table)?, false)),
            };
        }
    }
    let first = first?;
    let document = in_document(sampler, &settings, &first);
    let is_document = document.is_some();
    let layout = SampleLayout {
        settings: document.unwrap_or(settings),
        is_tabular,
        choices: (is_document
            .then(|| "records: without it the whole file is one record".to_owned()))
        .into_iter()
        .collect(),
    };
    Ok((layout, first.is_foreign))
}

/// Whether the format is what could not be told.
fn is_unknown(error: &Error) -> bool {
    error.message().starts_with("cannot tell the format")
}

/// Where the content is one object with the records in a list.
fn in_document(sampler: &Sampler, settings: &Value, first: &Sample) -> Option<Value> {
    if first.records != 1 || !settings["records"].is_null() {
        return None;
    }
    let places = answer::places(&first.first);
    let Records::List(pointer, _) = answer::records(&first.first, &places, "") else {
        return None;
    };
    let mut settings = settings.clone();
    settings["records"] = json!(pointer);
    let sample = sampler.take(&settings, ENOUGH).ok()?;
    (sample.records > 1).then_some(settings)
}

fn without_header(settings: &Value, width: usize) -> Value {
    let columns: Vec<String> = (1..=width).map(|n| format!("column_{n}")).collect();
    let mut settings = settings.clone();
    settings["header"] = json!(false);
    settings["columns"] = json!(columns);
    settings
}

/// Whether the first line names the columns: it does, unless its fields look like those below.
fn settle_header(sampler: &Sampler, table: Table) -> Result<SampleLayout> {
    let Table { mut settings, width, .. } = table;
    let mut choices = Vec::new();
    let (titles, first) = (&table.rows[..table.top], &table.rows[table.top]);
    if !titles.is_empty() {
        settings["skip_lines"] = json!(first.line - 1);
        let titles: Vec<String> = titles.iter().map(Row::quoted).collect();
        choices.push(format!(
            "skip_lines, if these are no titles, which are left out: {}",
            titles.join(", ")
        ));
    }
    if settings["header"].is_null() && settings["columns"].is_null() {
        let has_header = match sampler.take(&settings, ENOUGH) {
            // It is not known which row comes first then.
            Err(error) if first.has_open_quote => return Err(error.next(STRAY_QUOTES)),
            with_header => with_header.is_ok(),
        };
        let bare = without_header(&settings, width);
        let rows = sampler.take(&bare, ENOUGH)?;
        let (mut names, mut data) = (0, 0);
        for (cell, (_, field)) in first.fields.iter().zip(&rows.rest.leaves(false)) {
            let mut kinds = field.kinds();
            kinds.remove(&ValueKind::Empty);
            match ValueKind::of_text(cell) {
                _ if kinds.is_empty() || kinds.contains_key(&ValueKind::Text) => {}
                ValueKind::Text => names += 1,
                kind if kinds.contains_key(&kind) => data += 1,
                _ => {}
            }
        }
        if names == 0 && (data > 0 || !has_header) {
            settings = bare;
            choices.push("columns: there is no header, name them".to_owned());
        } else if !has_header {
            // A header, but one that cannot name the columns: empty or repeated names.
            let cells = first.fields.iter().enumerate();
            let cells =
                cells.map(|(index, cell)| name::plain(cell, &format!("column_{}", index + 1)));
            settings["columns"] = json!(name::distinct(cells));
        } else if names == 0 {
            let shown: Vec<String> =
                first.fields.iter().take(3).map(|cell| json!(cell).to_string()).collect();
            choices.push(format!(
                "header => false and columns => {}, if the first line, {} ..., is a record",
                literal("{...}"),
                shown.join(", ")
            ));
        }
    }
    leave_out_defaults(sampler, &mut settings);
    Ok(SampleLayout { settings, is_tabular: true, choices })
}

/// The delimiter that the format has anyway needs no word.
fn leave_out_defaults(sampler: &Sampler, settings: &mut Value) {
    let mut without = settings.clone();
    without["delimiter"] = Value::Null;
    let read = |settings: &Value| {
        let sample = sampler.take(settings, ENOUGH).ok()?;
        Some((sample.first, sample.records, sample.bad))
    };
    if read(&without).is_some_and(|found| Some(found) == read(settings)) {
        *settings = without;
    }
}
