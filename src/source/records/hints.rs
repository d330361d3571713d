//! Signs of settings that are missing: another encoding, another format, records within a document.

use super::choice::Format;
use super::frame::{MISCODED, TOO_LONG};
use super::window::Window;
use crate::source::BatchBuilder;
use crate::source::json::{ValueScan, string};

#[derive(Default)]
pub(super) struct Hints {
    /// The first record whose bytes are not UTF-8.
    foreign: Option<i64>,
    /// What the first record contains, as long as it is the only one.
    lone: Option<Lone>,
}

enum Lone {
    /// An object with a large array, by its key.
    Wrapper(String),
    /// A bracket that another line closes.
    Bracket,
}

impl Hints {
    /// Looks at the record that was added last.
    pub(super) fn look_at(&mut self, window: &Window, format: Option<Format>, out: &BatchBuilder) {
        match window.records {
            1 => {}
            2.. if matches!(self.lone, Some(Lone::Wrapper(_))) => self.lone = None,
            _ if self.foreign.is_some() || window.is_decoded() => return,
            _ => {}
        }
        let Some((position, record)) = out.last() else {
            return;
        };
        let bad = record.err();
        if let Some(bad) = bad
            && bad.sqlstate == MISCODED
            && !window.is_decoded()
            && std::str::from_utf8(&bad.payload).is_err()
        {
            self.foreign.get_or_insert(position);
        }
        let is_json = matches!(format, Some(Format::Json | Format::Ndjson));
        if window.records == 1 && is_json {
            self.lone = match (record, bad) {
                (Ok(b"{" | b"["), _) => Some(Lone::Bracket),
                (Ok(payload), _) => wrapped(payload).map(Lone::Wrapper),
                (_, Some(bad)) if bad.sqlstate == TOO_LONG => {
                    wrapped(&bad.payload).map(Lone::Wrapper)
                }
                _ => None,
            };
        }
    }

    pub(super) fn notes(&self, noun: &str, format: Option<Format>) -> Vec<String> {
        let foreign = self.foreign.map(|position| {
            let what = match format {
                Some(Format::Json) => "record",
                _ => "line",
            };
            format!(
                "{what} {position} is not UTF-8; if the {noun} is in another encoding, say in which: encoding => 'windows-1252'"
            )
        });
        let lone = self.lone.as_ref().map(|lone| match lone {
            Lone::Wrapper(key) => format!(
                "it is one object with an array in it, taken for one record; if the elements of the array are the records: records => '/{}'",
                key.replace('~', "~0").replace('/', "~1")
            ),
            Lone::Bracket => {
                "its first line is a bracket that another line closes; if values go over several lines: format => 'json', or --format json".to_owned()
            }
        });
        foreign.into_iter().chain(lone).collect()
    }
}

/// The key of an array of objects that makes up most of the object, whose end may be missing.
fn wrapped(object: &[u8]) -> Option<String> {
    let mut rest = object.strip_prefix(b"{")?.trim_ascii_start();
    loop {
        let key = ValueScan::default().feed(rest)?;
        let name = string(&rest[..key])?;
        rest = rest[key..].trim_ascii_start().strip_prefix(b":")?;
        rest = rest.trim_ascii_start();
        let value = ValueScan::default().feed(rest);
        let of_objects = rest
            .strip_prefix(b"[")
            .is_some_and(|elements| elements.trim_ascii_start().starts_with(b"{"));
        let len = value.unwrap_or(rest.len());
        if of_objects && len * 5 > object.len() * 4 {
            return Some(name);
        }
        rest = rest[value?..].trim_ascii_start().strip_prefix(b",")?;
        rest = rest.trim_ascii_start();
    }
}
