//! Signs that a setting is missing: `encoding`, `format` or `records`.

use super::choice::Format;
use super::window::Window;
use crate::source::json::{ValueScan, string};
use crate::source::sqlstate::{CHARACTER_NOT_IN_REPERTOIRE, PROGRAM_LIMIT_EXCEEDED};
use crate::source::{BatchBuilder, Unreadable};

#[derive(Default)]
pub(super) struct Hints {
    /// Position of the first record that is not UTF-8.
    not_utf8: Option<i64>,
    /// What the first record looks like, while it is the only one.
    only_record: Option<OnlyRecord>,
}

/// A lone JSON record that is probably not one.
enum OnlyRecord {
    /// An object that consists mostly of one array of objects, by its key.
    Envelope(String),
    /// An opening bracket that a later line closes.
    Bracket,
}

impl Hints {
    /// Looks at the record that was added last.
    pub(super) fn look_at(&mut self, window: &Window, format: Option<Format>, out: &BatchBuilder) {
        if window.records > 1 && matches!(self.only_record, Some(OnlyRecord::Envelope(_))) {
            self.only_record = None;
        }
        let wants_encoding = self.not_utf8.is_none() && !window.is_decoded();
        if window.records > 1 && !wants_encoding {
            return;
        }
        let Some((position, record)) = out.last() else {
            return;
        };
        if wants_encoding && record.is_err_and(is_not_utf8) {
            self.not_utf8 = Some(position);
        }
        if window.records == 1 && matches!(format, Some(Format::Json | Format::Ndjson)) {
            self.only_record = OnlyRecord::of(record);
        }
    }

    pub(super) fn notes(&self, noun: &str, format: Option<Format>) -> Vec<String> {
        let encoding = self.not_utf8.map(|position| {
            let what = match format {
                Some(Format::Json) => "record",
                _ => "line",
            };
            format!(
                "{what} {position} is not UTF-8; if the {noun} is in another encoding, say in which: encoding => 'windows-1252'"
            )
        });
        let only_record = self.only_record.as_ref().map(OnlyRecord::note);
        encoding.into_iter().chain(only_record).collect()
    }
}

fn is_not_utf8(bad: &Unreadable) -> bool {
    bad.sqlstate == CHARACTER_NOT_IN_REPERTOIRE && std::str::from_utf8(&bad.payload).is_err()
}

impl OnlyRecord {
    fn of(record: Result<&[u8], &Unreadable>) -> Option<Self> {
        match record {
            Ok(b"{" | b"[") => Some(OnlyRecord::Bracket),
            Ok(payload) => array_member(payload).map(OnlyRecord::Envelope),
            Err(bad) if bad.sqlstate == PROGRAM_LIMIT_EXCEEDED => {
                array_member(&bad.payload).map(OnlyRecord::Envelope)
            }
            Err(_) => None,
        }
    }

    fn note(&self) -> String {
        match self {
            OnlyRecord::Envelope(key) => format!(
                "it is one object with an array in it, taken for one record; if the elements of the array are the records: records => '/{}'",
                key.replace('~', "~0").replace('/', "~1")
            ),
            OnlyRecord::Bracket => {
                "its first line is a bracket that another line closes; if values go over several lines: format => 'json', or --format json".to_owned()
            }
        }
    }
}

/// The key of an array of objects that makes up more than 80 % of an object, which may be truncated.
fn array_member(object: &[u8]) -> Option<String> {
    let mut rest = object.strip_prefix(b"{")?.trim_ascii_start();
    loop {
        let key = ValueScan::default().feed(rest)?;
        let name = string(&rest[..key])?;
        rest = rest[key..].trim_ascii_start().strip_prefix(b":")?;
        rest = rest.trim_ascii_start();
        let value = ValueScan::default().feed(rest);
        let is_of_objects = rest
            .strip_prefix(b"[")
            .is_some_and(|elements| elements.trim_ascii_start().starts_with(b"{"));
        let len = value.unwrap_or(rest.len());
        if is_of_objects && len * 5 > object.len() * 4 {
            return Some(name);
        }
        rest = rest[value?..].trim_ascii_start().strip_prefix(b",")?;
        rest = rest.trim_ascii_start();
    }
}
