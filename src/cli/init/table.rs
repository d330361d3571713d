//! The table that a delimiter makes of the rows of a file, and the titles above it.

use super::dialect::ENOUGH;
use super::sample::{Row, Sampler};
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Of equals the first is taken: they are listed by how common they are.
const DELIMITERS: [&str; 4] = [",", ";", "\t", "|"];

/// The most lines that titles above the header may have.
const TITLE_LINES: i64 = 12;

/// Rows of equally many fields.
pub(super) struct Table {
    pub(super) settings: Value,
    pub(super) rows: Vec<Row>,
    /// The first that is no title.
    pub(super) top: usize,
    pub(super) width: usize,
}

impl Table {
    /// The one with the fewest titles, and of those the widest. If the format is not known, it takes more to show one.
    pub(super) fn find(sampler: &Sampler, settings: &Value, is_known: bool) -> Option<Self> {
        let plain = Table::best(sampler, settings, is_known);
        let is_told = !settings["escape"].is_null() || !settings["quote"].is_null();
        if is_told || plain.as_ref().is_some_and(Table::is_whole) {
            return plain;
        }
        // As MySQL and Hive write quotes.
        let mut settings = settings.clone();
        settings["escape"] = json!("\\");
        let escaped = Table::best(sampler, &settings, is_known);
        escaped.filter(|table| table.width > 1 && table.is_whole()).or(plain)
    }

    fn best(sampler: &Sampler, settings: &Value, is_known: bool) -> Option<Self> {
        let told = settings["delimiter"].as_str();
        let delimiters = told.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter]);
        let tables = delimiters.into_iter().filter_map(|delimiter| {
            let mut settings = settings.clone();
            settings["delimiter"] = json!(delimiter);
            let rows = sampler.rows(&settings, ENOUGH).ok()?;
            Table::of(settings, rows, is_known)
        });
        tables.min_by_key(|table| {
            (table.width == 1, table.rows[table.top].line, Reverse(table.width))
        })
    }

    fn of(settings: Value, rows: Vec<Row>, is_known: bool) -> Option<Self> {
        let mut widths = BTreeMap::new();
        for width in rows.iter().map(|row| row.fields.len()).filter(|width| *width > 1) {
            *widths.entry(width).or_insert(0) += 1;
        }
        let usual = widths.into_iter().max_by_key(|(width, count)| (*count, *width));
        let usual = usual.map(|(width, _)| width);
        let (width, top) = usual.into_iter().chain(is_known.then_some(1)).find_map(|width| {
            let top =
                rows.iter().position(|row| row.fields.len() == width && !row.is_of_excel())?;
            is_table(&rows, top, width, is_known).then_some((width, top))
        })?;
        Some(Table { settings, rows, top, width })
    }

    /// Whether all its rows are good.
    fn is_whole(&self) -> bool {
        let mut rows = self.rows[self.top..].iter();
        rows.all(|row| row.fields.len() == self.width && !row.has_open_quote)
    }
}

/// Whether the rows from `top` on are a table, and those above it few enough for titles.
fn is_table(rows: &[Row], top: usize, width: usize, is_known: bool) -> bool {
    let good = rows[top..].iter().filter(|row| row.fields.len() == width).count();
    let ragged = rows.len() - top - good;
    // A single row may be bad even of few.
    let is_mostly_good = ragged * 10 <= good || is_known && ragged == 1 && good > 1;
    // Lines are counted anew in each file, and have titles in the first.
    let is_in_first = rows[..=top].is_sorted_by_key(|row| row.line);
    let may_be_titles = is_in_first && rows[top].line <= TITLE_LINES + 1;
    is_mostly_good && (top == 0 || width > 1 && top <= good && may_be_titles)
}

impl Row {
    /// What Excel writes above the header.
    fn is_of_excel(&self) -> bool {
        self.text.to_ascii_lowercase().starts_with("sep=")
    }

    /// As much of it as a comment takes.
    pub(super) fn quoted(&self) -> String {
        const MOST: usize = 60;
        let start: String = self.text.chars().take(MOST).collect();
        let more = if start.len() < self.text.len() { " ..." } else { "" };
        format!("{start:?}{more}")
    }
}
