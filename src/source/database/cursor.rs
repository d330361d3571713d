//! The cursor of a database source, between sweeps or within one.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::settings::DatabaseSettings;
use crate::error::{Error, Result};

/// Up to where the source has been read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum DatabaseCursor {
    Sweeping(DatabaseSweep),
    Done(DatabaseDone),
}

/// A sweep has come to its end, or none has begun yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatabaseDone {
    pub(super) done: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) marks: Option<Marks>,
}

/// A sweep is going on: all rows that it asks for, in the order of cursor and key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatabaseSweep {
    /// The last row behind us.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<RowPosition>,
    /// Rows behind us.
    pub(super) records: u64,
    /// The mark it began with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    /// What it leaves behind at its end; determined before it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) then: Option<Marks>,
    /// The settings under which the place is valid.
    pub(super) settings: String,
}

/// Where a row is: its cursor, if it has one, and its key, as the server writes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowPosition {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
    pub(super) key: Vec<String>,
}

/// Where the next sweep may begin.
///
/// A mark is the greatest cursor that was visible at some moment. It is **settled** when every
/// transaction that ran at that moment had ended before a sweep took its snapshot: whatever is
/// not greater has been seen then, however late it was committed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Marks {
    /// The column whose values they are.
    pub(super) by: String,
    /// The newest settled mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) settled: Option<String>,
    /// Newer ones, oldest first, that are not settled yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pending: Vec<PendingMark>,
}

/// A mark and the transactions that stand in its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PendingMark {
    pub(super) mark: String,
    pub(super) running: Vec<String>,
}

impl Marks {
    /// How many pending marks are kept. An older one makes up for one that is left out.
    const MOST: usize = 16;

    /// These marks at a later moment, when `mark` was the greatest cursor and, of all transactions, only
    /// `running` had not ended.
    pub(super) fn then(mut self, mark: Option<String>, running: Vec<String>) -> Self {
        let is_open = |pending: &PendingMark| pending.running.iter().any(|id| running.contains(id));
        if let Some(last) = self.pending.iter().rposition(|pending| !is_open(pending)) {
            self.settled = self.pending.drain(..=last).next_back().map(|p| p.mark);
        }
        match mark {
            Some(mark) if running.is_empty() => {
                self.pending.clear();
                self.settled = Some(mark);
            }
            Some(mark) => {
                if self.pending.len() >= Self::MOST {
                    let mut index = 0;
                    self.pending.retain(|_| {
                        index += 1;
                        index % 2 == 1
                    });
                }
                self.pending.push(PendingMark { mark, running });
            }
            None => {}
        }
        self
    }
}

impl DatabaseCursor {
    /// What the pipeline has as its cursor; none before the first batch.
    pub(super) fn parse(value: Option<&Value>) -> Result<Option<Self>> {
        match value {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(spelt_out(value.clone())).map(Some).map_err(|cause| {
                Error::usage(format!("the cursor {value} is not one of a database"))
                    .caused_by(cause)
                    .next("the pipeline had another source; begin anew with `sluice rewind PIPELINE --to-start`")
            }),
        }
    }

    pub(super) fn to_json(&self) -> Value {
        without_nul(serde_json::to_value(self).unwrap_or_default())
    }
}

/// Postgres keeps no JSON with a NUL in it: a text that has one is kept as `{"hex": "6100"}`.
fn without_nul(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains('\0') => json!({"hex": hex::encode(text)}),
        value => each(value, without_nul),
    }
}

fn spelt_out(value: Value) -> Value {
    let bytes = value.get("hex").and_then(Value::as_str).map(hex::decode);
    let text = bytes.and_then(|bytes| String::from_utf8(bytes.ok()?).ok());
    text.map_or_else(|| each(value, spelt_out), Value::String)
}

fn each(value: Value, change: fn(Value) -> Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(change).collect(),
        Value::Object(members) => {
            let changed = members.into_iter().map(|(name, value)| (name, change(value)));
            Value::Object(changed.collect())
        }
        value => value,
    }
}

/// The sweep that follows a cursor; if it is to begin, the marks that the previous one left; and what the
/// user should know about it.
pub(super) fn sweep_after(
    cursor: Option<DatabaseCursor>,
    settings: &DatabaseSettings,
    fingerprint: String,
) -> (DatabaseSweep, Option<Marks>, Option<&'static str>) {
    let by = settings.cursor.clone().unwrap_or_default();
    let mut remark = None;
    let mut known = match cursor {
        Some(DatabaseCursor::Sweeping(sweep)) if sweep.settings == fingerprint => {
            return (sweep, None, None);
        }
        Some(DatabaseCursor::Sweeping(sweep)) => {
            remark = Some(
                "the source was defined anew in the middle of a sweep: read again from its begin",
            );
            Marks {
                by: sweep.then.map(|marks| marks.by).unwrap_or_default(),
                settled: sweep.from,
                pending: Vec::new(),
            }
        }
        Some(DatabaseCursor::Done(DatabaseDone { marks, .. })) => marks.unwrap_or_default(),
        None => Marks::default(),
    };
    if known.by != by {
        if known.settled.is_some() && !by.is_empty() {
            remark = Some("the cursor is another column than before: everything is read");
        }
        known = Marks::default();
    }
    known.by = by;
    let sweep = DatabaseSweep {
        from: known.settled.clone(),
        settings: fingerprint,
        ..DatabaseSweep::default()
    };
    // A range, and a source without a cursor, leave no marks.
    let known = (settings.cursor.is_some() && settings.range.is_none()).then_some(known);
    (sweep, known, remark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(settled: Option<&str>, pending: &[(&str, &[&str])]) -> Marks {
        Marks {
            by: "at".to_owned(),
            settled: settled.map(str::to_owned),
            pending: pending
                .iter()
                .map(|(mark, running)| PendingMark {
                    mark: (*mark).to_owned(),
                    running: running.iter().map(|id| (*id).to_owned()).collect(),
                })
                .collect(),
        }
    }

    fn then(known: Marks, mark: &str, running: &[&str]) -> Marks {
        let running = running.iter().map(|id| (*id).to_owned()).collect();
        known.then(Some(mark.to_owned()), running)
    }

    #[test]
    fn a_mark_is_settled_when_all_that_ran_at_its_moment_has_ended() {
        let known = then(marks(None, &[]), "1", &[]);
        assert_eq!(known, marks(Some("1"), &[]), "nothing runs");
        let known = then(known, "2", &["a"]);
        assert_eq!(known, marks(Some("1"), &[("2", &["a"])]));
        let known = then(known, "3", &["a", "b"]);
        let both: &[(&str, &[&str])] = &[("2", &["a"]), ("3", &["a", "b"])];
        assert_eq!(known, marks(Some("1"), both), "a runs on");
        let known = then(known, "4", &["b"]);
        let both: &[(&str, &[&str])] = &[("3", &["a", "b"]), ("4", &["b"])];
        assert_eq!(known, marks(Some("2"), both), "a has ended");
        assert_eq!(then(known, "5", &[]), marks(Some("5"), &[]));
    }

    #[test]
    fn a_transaction_without_end_does_not_make_the_cursor_grow_without_end() {
        let mut known = marks(Some("0"), &[]);
        for mark in 1..1000 {
            known = then(known, &mark.to_string(), &["a"]);
        }
        assert!(known.pending.len() <= Marks::MOST);
        assert_eq!(known.pending[0].mark, "1", "the oldest is kept");
        assert_eq!(known.settled.as_deref(), Some("0"));
    }

    #[test]
    fn a_cursor_is_what_the_documentation_says() {
        for value in [
            json!({"done": true}),
            json!({"done": true, "marks": {"by": "updated_at", "settled": "2026-03-01 08:00:00+00",
                "pending": [{"mark": "2026-03-01 09:00:00+00", "running": ["3/12"]}]}}),
            json!({"after": {"cursor": "2026-03-01 08:00:00+00", "key": ["7"]}, "records": 12, "from": "2026-02-01 00:00:00+00",
                "then": {"by": "updated_at"}, "settings": "cd34"}),
            json!({"after": {"key": ["7", "a"]}, "records": 12, "settings": "cd34"}),
        ] {
            let cursor = DatabaseCursor::parse(Some(&value)).unwrap().unwrap();
            assert_eq!(cursor.to_json(), value);
        }
        let nul = json!({"after": {"key": ["a\0", "{}"]}, "records": 1, "settings": "cd34"});
        let kept = DatabaseCursor::parse(Some(&nul)).unwrap().unwrap().to_json();
        assert_eq!(kept["after"]["key"], json!([{"hex": "6100"}, "{}"]));
        let again = DatabaseCursor::parse(Some(&kept)).unwrap();
        assert_eq!(again, DatabaseCursor::parse(Some(&nul)).unwrap());
        let error = DatabaseCursor::parse(Some(&json!({"object": "a.csv"}))).unwrap_err();
        let next = error.next_step().unwrap();
        assert!(next.contains("sluice rewind PIPELINE --to-start"), "{next}");
    }
}
