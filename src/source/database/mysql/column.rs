//! A column of MySQL: how its values are written, compared, and put into statements.

use mysql_async::Column as Described;
use mysql_async::consts::{ColumnFlags, ColumnType};

use crate::error::{Error, Result};
use crate::source::DeclaredField;
use crate::source::database::json::JsonObjectWriter;

/// The character set of what is not text.
const BINARY: u16 = 63;

#[derive(Debug, Clone)]
pub(super) struct MySqlColumn {
    pub(super) name: String,
    kind: ColumnKind,
    /// The type that holds its values in PostgreSQL.
    sql: &'static str,
    choice: Option<&'static str>,
    pub(super) is_never_null: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ColumnKind {
    Number,
    /// Printed with six digits, unless it is made a double.
    Float,
    Bit,
    Json,
    Text,
    Bytes,
    Moment,
    Date,
    Time,
}

impl MySqlColumn {
    pub(super) fn of(described: &Described) -> Self {
        use ColumnType::*;
        let kind = match described.column_type() {
            MYSQL_TYPE_TINY
            | MYSQL_TYPE_SHORT
            | MYSQL_TYPE_INT24
            | MYSQL_TYPE_LONG
            | MYSQL_TYPE_LONGLONG
            | MYSQL_TYPE_YEAR
            | MYSQL_TYPE_DECIMAL
            | MYSQL_TYPE_NEWDECIMAL
            | MYSQL_TYPE_DOUBLE => ColumnKind::Number,
            MYSQL_TYPE_FLOAT => ColumnKind::Float,
            MYSQL_TYPE_BIT => ColumnKind::Bit,
            MYSQL_TYPE_JSON => ColumnKind::Json,
            MYSQL_TYPE_DATETIME
            | MYSQL_TYPE_DATETIME2
            | MYSQL_TYPE_TIMESTAMP
            | MYSQL_TYPE_TIMESTAMP2 => ColumnKind::Moment,
            MYSQL_TYPE_DATE | MYSQL_TYPE_NEWDATE => ColumnKind::Date,
            MYSQL_TYPE_TIME | MYSQL_TYPE_TIME2 => ColumnKind::Time,
            MYSQL_TYPE_GEOMETRY | MYSQL_TYPE_VECTOR => ColumnKind::Bytes,
            _ if described.character_set() == BINARY => ColumnKind::Bytes,
            _ => ColumnKind::Text,
        };
        MySqlColumn {
            name: described.name_str().into_owned(),
            kind,
            sql: sql(described, kind),
            choice: matches!(described.column_type(), MYSQL_TYPE_TIMESTAMP | MYSQL_TYPE_TIMESTAMP2)
                .then_some("timestamptz, by at time zone 'UTC' behind the cast: it comes in UTC"),
            is_never_null: described.flags().contains(ColumnFlags::NOT_NULL_FLAG),
        }
    }

    /// The column of the relation `q`.
    pub(super) fn of_q(&self) -> String {
        format!("q.{}", quoted(&self.name))
    }

    /// What is selected for it.
    pub(super) fn selected(&self) -> String {
        match self.kind {
            ColumnKind::Float => format!("{} + 0e0 as {}", self.of_q(), quoted(&self.name)),
            _ => self.of_q(),
        }
    }

    /// What it is ordered by: for text the bytes, as the order of a language differs between servers, and
    /// blanks at the end count.
    pub(super) fn ordered(&self) -> String {
        match self.kind {
            ColumnKind::Text => format!("cast(convert({} using utf8mb4) as binary)", self.of_q()),
            // In a sum the upper half of 64 bits would be negative.
            ColumnKind::Bit => format!("cast({} as unsigned)", self.of_q()),
            ColumnKind::Float => format!("({} + 0e0)", self.of_q()),
            _ => self.of_q(),
        }
    }

    /// A condition that holds for what is not in the future, where it is a time.
    pub(super) fn not_later(&self) -> String {
        match self.kind {
            ColumnKind::Moment => format!(" and {} <= utc_timestamp(6)", self.of_q()),
            ColumnKind::Date => format!(" and {} <= utc_date()", self.of_q()),
            _ => String::new(),
        }
    }

    pub(super) fn declared(&self) -> DeclaredField {
        DeclaredField {
            name: self.name.clone(),
            sql: self.sql,
            choice: self.choice.map(Into::into),
        }
    }

    /// Adds a value to a record.
    pub(super) fn write(&self, value: &[u8], object: &mut JsonObjectWriter) {
        match self.kind {
            ColumnKind::Number | ColumnKind::Float => object.json(&self.name, without_zeros(value)),
            ColumnKind::Bit => object.json(&self.name, bits(value).as_bytes()),
            ColumnKind::Json => object.json(&self.name, value),
            ColumnKind::Bytes => object.bytes(&self.name, value),
            ColumnKind::Text | ColumnKind::Moment | ColumnKind::Date | ColumnKind::Time => {
                object.text(&self.name, value)
            }
        }
    }

    /// A value as a place holds it.
    pub(super) fn kept(&self, value: &[u8]) -> Result<String> {
        match self.kind {
            ColumnKind::Bytes => Ok(hex::encode(value)),
            ColumnKind::Bit => Ok(bits(value)),
            _ => String::from_utf8(value.to_vec()).map_err(|cause| {
                Error::usage(format!("column {} of the source is not UTF-8", self.name))
                    .caused_by(cause)
            }),
        }
    }

    /// What a place holds, or what a user wrote, in SQL.
    pub(super) fn literal(&self, kept: &str) -> Result<String> {
        let is_of = |allowed: &str| {
            let mut chars = kept.chars();
            !kept.is_empty() && chars.all(|c| c.is_ascii_digit() || allowed.contains(c))
        };
        let is_sound = match self.kind {
            ColumnKind::Number | ColumnKind::Float | ColumnKind::Bit => is_of("+-.eE"),
            ColumnKind::Moment | ColumnKind::Date | ColumnKind::Time => is_of("-:. T"),
            ColumnKind::Bytes => hex::decode(kept).is_ok(),
            ColumnKind::Text | ColumnKind::Json => true,
        };
        if !is_sound {
            return Err(Error::usage(format!(
                "{kept:?} is not a value of column {} of the source",
                self.name
            ))
            .next("write it as the source's database does: 2026-03-01 08:00:00, in UTC, or 4711"));
        }
        Ok(match self.kind {
            ColumnKind::Number | ColumnKind::Float | ColumnKind::Bit => kept.to_owned(),
            ColumnKind::Bytes => format!("x'{kept}'"),
            ColumnKind::Text | ColumnKind::Json => format!("x'{}'", hex::encode(kept)),
            ColumnKind::Moment => format!("cast('{kept}' as datetime(6))"),
            ColumnKind::Date => format!("cast('{kept}' as date)"),
            ColumnKind::Time => format!("cast('{kept}' as time(6))"),
        })
    }

    /// A literal, less a lag.
    pub(super) fn less(&self, literal: &str, lag: &str) -> Result<String> {
        match self.kind {
            ColumnKind::Moment | ColumnKind::Date => {
                Ok(format!("({literal} - interval {lag} second)"))
            }
            ColumnKind::Number => Ok(format!("(cast({literal} as decimal(65, 6)) - {lag})")),
            _ => Err(Error::usage(format!("no lag can be taken from the cursor {}", self.name))
                .next("lag goes with dates, times and numbers")),
        }
    }
}

fn sql(described: &Described, kind: ColumnKind) -> &'static str {
    use ColumnType::*;
    let is_unsigned = described.flags().contains(ColumnFlags::UNSIGNED_FLAG);
    match (kind, described.column_type()) {
        (ColumnKind::Number, MYSQL_TYPE_DECIMAL | MYSQL_TYPE_NEWDECIMAL) => "numeric",
        (ColumnKind::Number, MYSQL_TYPE_LONGLONG) if is_unsigned => "numeric",
        (ColumnKind::Number, MYSQL_TYPE_DOUBLE) | (ColumnKind::Float, _) => "double precision",
        (ColumnKind::Number, _) => "bigint",
        (ColumnKind::Bit, _) => "numeric",
        (ColumnKind::Json, _) => "jsonb",
        (ColumnKind::Bytes, _) => "bytea",
        (ColumnKind::Moment, _) => "timestamp",
        (ColumnKind::Date, _) => "date",
        (ColumnKind::Time, _) => "interval",
        (ColumnKind::Text, _) => "text",
    }
}

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A number without the zeros that ZEROFILL puts in front.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == b'0').count();
    match number.get(zeros) {
        Some(b'0'..=b'9') => &number[zeros..],
        _ => &number[zeros.saturating_sub(1)..],
    }
}

/// Bits as the number they are.
fn bits(value: &[u8]) -> String {
    let number = value.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_the_zeros_that_json_does_not_know() {
        for (printed, number) in [
            ("007", "7"),
            ("0", "0"),
            ("0.50", "0.50"),
            ("000", "0"),
            ("-3", "-3"),
            ("00.5", "0.5"),
        ] {
            assert_eq!(without_zeros(printed.as_bytes()), number.as_bytes());
        }
    }

    #[test]
    fn bits_are_numbers() {
        assert_eq!(bits(&[1]), "1");
        assert_eq!(bits(&[255; 8]), u64::MAX.to_string());
    }
}
