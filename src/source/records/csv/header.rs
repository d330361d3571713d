//! The header row of CSV: the names of the columns, why it is refused, and its repetitions.

use super::Csv;
use crate::source::records::framer::FrameError;
use crate::source::records::required;
use crate::source::records::row::RowEncoder;
use crate::source::records::window::Window;

impl Csv {
    pub(super) fn read_header(&mut self, row: &[u8], line: u64) -> Result<(), FrameError> {
        let names = self.header_names(row, line)?;
        let in_file = self.encoder.fields(row).unwrap_or_default();
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            names
        };
        if in_file != names && sorted(&in_file) == sorted(&names) {
            self.notes.push(format!(
                "`columns` names those of the header in another order ({}), and is what counts",
                in_file.join(",")
            ));
        }
        self.set_columns(names, true);
        Ok(())
    }

    /// Sets the columns of the rows that follow.
    pub(super) fn set_columns(&mut self, names: Vec<String>, has_header: bool) {
        self.encoder = RowEncoder::new(self.encoder.dialect().clone(), &names);
        // The value of a single column may well be its name.
        if has_header && self.override_names.is_none() && names.len() > 1 {
            let pairs = names.iter().map(|name| (name.clone(), name.clone().into()));
            let row = serde_json::Value::Object(pairs.collect());
            self.repeated_header = Some(row.to_string().into_bytes());
        }
        self.columns = Some(names);
    }

    /// The names in the header row, if they are valid.
    pub(super) fn header_names(&self, row: &[u8], line: u64) -> Result<Vec<String>, FrameError> {
        let refused = |what: String, next| {
            FrameError::Malformed(format!("the header in line {line} {what}"), next)
        };
        if self.has_quote_error() {
            return Err(refused(
                "has a quote that is not closed where a field ends".to_owned(),
                "correct the header, or say `quote => ''` if quotes mean nothing in this file",
            ));
        }
        let found = self.encoder.fields(row).map_err(|_| {
            refused(
                "is not valid UTF-8".to_owned(),
                "say in which encoding the file is: encoding => 'windows-1252'",
            )
        })?;
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
                "is the file UTF-16? Then say encoding => 'utf-16le'",
            ));
        }
        if !faults.is_empty() {
            return Err(refused(
                format!("cannot name the columns: {}", faults.join("; ")),
                "give every column a name of its own in the file, or by the setting `columns`",
            ));
        }
        match self.required.refusal(&names) {
            None => Ok(names),
            Some(lacks) => Err(refused(lacks, required::NEXT)),
        }
    }

    pub(super) fn long_header(&self, window: &Window) -> FrameError {
        FrameError::Malformed(
            format!(
                "the header in line {} is longer than max_record_bytes = {}",
                window.line, self.limits.bytes
            ),
            "check that the file is CSV or TSV, or raise max_record_bytes",
        )
    }

    pub(super) fn is_repeated_header(&mut self, row: &[u8], line: u64) -> bool {
        let Some(header) = &self.repeated_header else {
            return false;
        };
        let first = self.columns.as_ref().and_then(|names| names.first());
        let quote = self.encoder.dialect().quote;
        let bare = row.get(usize::from(row.first().copied() == quote)..);
        let looks_like_it =
            first.zip(bare).is_some_and(|(name, row)| row.starts_with(name.as_bytes()));
        if !looks_like_it || self.scan.fault.is_some() {
            return false;
        }
        let is_again =
            self.encoder.encode(row) == self.encoder.width() && self.encoder.json() == header;
        if is_again {
            self.repeated.push(line);
        }
        is_again
    }

    pub(super) fn note_repeated(&self) -> Option<String> {
        let first = self.repeated.first()?;
        let more = match self.repeated.len() {
            1 => String::new(),
            2 => " and once more".to_owned(),
            n => format!(" and {} times more", n - 1),
        };
        Some(format!("the header comes again in line {first}{more}, which was taken for no record"))
    }
}

pub(super) fn refuse_miscoded_header(window: &Window, len: usize) -> Result<(), FrameError> {
    match window.miscoded(len) {
        None => Ok(()),
        Some(what) => Err(FrameError::Malformed(
            format!("the header in line {} has an {what}", window.line),
            "say in which encoding the file is: encoding => 'windows-1252'",
        )),
    }
}

/// The next step for a single column that looks like several.
fn other_delimiter(name: &str) -> Option<&'static str> {
    if name.to_ascii_lowercase().starts_with("sep=") {
        return Some("the first line is Excel's: skip_lines => 1, and delimiter => as it says");
    }
    Some(match name.chars().find(|c| matches!(c, ';' | '\t' | '|'))? {
        ';' => "delimiter => ';' if that is what stands between the fields, else delimiter => ','",
        '|' => "delimiter => '|' if that is what stands between the fields, else delimiter => ','",
        _ => "format => 'tsv' if a tab stands between the fields, else delimiter => ','",
    })
}

/// Faults of column names: empty, repeated, or with control characters.
pub(crate) fn name_faults(names: &[String]) -> Vec<String> {
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
