//! The header row of CSV: the names of the columns, or why it cannot name them.

use super::csv::Csv;
use super::frame::Stop;

impl Csv {
    pub(super) fn read_header(&mut self, row: &[u8], line: u64) -> Result<(), Stop> {
        let names = self.header_names(row, line)?;
        self.name_columns(names, true);
        Ok(())
    }

    /// The names in the header row, if they can name the columns.
    pub(super) fn header_names(&self, row: &[u8], line: u64) -> Result<Vec<String>, Stop> {
        let refused =
            |what: String, next| Stop::Senseless(format!("the header in line {line} {what}"), next);
        if self.is_spoilt() {
            return Err(refused(
                "has a quote that is not closed where a field ends".to_owned(),
                "correct the header, or say `quote => ''` if quotes mean nothing in this file",
            ));
        }
        let found = self
            .encoder
            .fields(row)
            .map_err(|_| refused("is not valid UTF-8".to_owned(), "save the file as UTF-8"))?;
        let names = match &self.override_names {
            Some(names) if names.len() == found.len() => return Ok(names.clone()),
            Some(names) => {
                return Err(refused(
                    format!(
                        "has {}: {}; the setting `columns` names {}",
                        found.len(),
                        found.join(", "),
                        names.len()
                    ),
                    "name as many columns as the file has",
                ));
            }
            None => found,
        };
        if let [name] = &names[..]
            && self.guesses_delimiter
            && let Some(next) = other_delimiter(name)
        {
            return Err(refused(format!("is a single column: `{name}`"), next));
        }
        let faults = name_faults(&names);
        if names.iter().any(|name| name.contains('\0')) {
            return Err(refused(
                "holds NUL bytes".to_owned(),
                "is the file UTF-16? Save it as UTF-8 (`iconv -f UTF-16LE -t UTF-8`)",
            ));
        }
        if faults.is_empty() {
            return Ok(names);
        }
        Err(refused(
            format!("cannot name the columns: {}", faults.join("; ")),
            "give every column a name of its own in the file, or by the setting `columns`",
        ))
    }
}

/// What to say of a lone column that looks like several.
fn other_delimiter(name: &str) -> Option<&'static str> {
    if name.to_ascii_lowercase().starts_with("sep=") {
        return Some("the first line is Excel's: skip_lines => 1, and delimiter => as it says");
    }
    Some(
        match name.chars().find(|c| matches!(c, ';' | '\t' | '|'))? {
            ';' => {
                "delimiter => ';' if that is what stands between the fields, else delimiter => ','"
            }
            '|' => {
                "delimiter => '|' if that is what stands between the fields, else delimiter => ','"
            }
            _ => "format => 'tsv' if a tab stands between the fields, else delimiter => ','",
        },
    )
}

/// What is wrong with a list of column names: empty ones, repeated ones, ones that cannot be read.
pub(super) fn name_faults(names: &[String]) -> Vec<String> {
    let mut seen = std::collections::BTreeSet::new();
    let mut faults = Vec::new();
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() {
            faults.push(format!("column {} has no name", index + 1));
        } else if name.chars().any(char::is_control) {
            faults.push(format!("{name:?} holds a control character"));
        } else if !seen.insert(name) {
            faults.push(format!("`{name}` is there more than once"));
        }
    }
    faults.dedup();
    faults
}
