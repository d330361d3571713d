//! The statement that reads a window.

use rusqlite::types::Value;

use super::value::{minus, value};
use super::{Sqlite, SqliteSession};
use crate::error::Result;
use crate::source::database::fetch::{RowWindow, WindowPart};

impl Sqlite {
    /// A mark, less the lag.
    fn least(&self, from: &str) -> Result<Value> {
        let mark = value(from);
        match self.settings.lag_seconds() {
            Some(lag) => minus(mark, lag),
            None => Ok(mark),
        }
    }

    pub(super) fn statement(
        &self,
        reading: &SqliteSession,
        window: &RowWindow,
    ) -> Result<(String, Vec<Value>)> {
        let cursor = reading.cursor.as_ref().filter(|_| window.part == WindowPart::WithCursor);
        let columns: Vec<&String> = cursor.into_iter().chain(&reading.key).collect();
        let list = |suffix: &str| {
            let with = |column: &&String| format!("{column}{suffix}");
            columns.iter().map(with).collect::<Vec<_>>().join(", ")
        };
        let mut values = Vec::new();
        let mut wanted = Vec::new();
        if let (WindowPart::WithoutCursor, Some(cursor)) = (window.part, &reading.cursor) {
            wanted.push(format!("{cursor} is null"));
        }
        if let Some(after) = &window.after {
            values.extend(after.cursor.iter().chain(&after.key).map(|text| value(text)));
            let marks = vec!["?"; values.len()].join(", ");
            wanted.push(format!("({}) >= ({marks})", list(" collate binary")));
        } else if let (Some(cursor), Some(from)) = (cursor, &window.from) {
            values.push(self.least(from)?);
            wanted.push(format!("{cursor} collate binary >= ?"));
        } else if let Some(cursor) = cursor {
            wanted.push(format!("{cursor} is not null"));
        }
        if let (Some(cursor), Some(to)) = (cursor, &window.to) {
            values.push(value(to));
            wanted.push(format!("{cursor} collate binary <= ?"));
        }
        if window.part == WindowPart::OfKeys {
            let tuple = format!("({})", vec!["?"; columns.len()].join(", "));
            wanted.push(format!(
                "({}) in (values {})",
                list(" collate binary"),
                vec![tuple; window.keys.len()].join(", ")
            ));
            values.extend(window.keys.iter().flatten().map(|text| value(text)));
            if let (Some(cursor), Some(from)) = (&reading.cursor, &window.from) {
                values.push(self.least(from)?);
                wanted.push(format!("({cursor} is null or {cursor} collate binary >= ?)"));
            }
        }
        let condition = match wanted.is_empty() {
            true => String::new(),
            false => format!(" where {}", wanted.join(" and ")),
        };
        let sql = format!(
            "select q.*, {} from (\n{}\n) q{condition} order by {}",
            list(""),
            reading.query,
            list(" collate binary")
        );
        Ok((sql, values))
    }
}
