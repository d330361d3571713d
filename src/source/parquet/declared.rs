//! Postgres types for the columns of a Parquet file.

use std::borrow::Cow;

use arrow_schema::{DataType, Field, TimeUnit};

use super::schema::Leaf;
use crate::source::DeclaredField;

/// The type that holds all values of a column as they are written, and what may be chosen instead.
pub(super) fn declared(field: &Field, leaves: &[Leaf]) -> DeclaredField {
    let (sql, choice) = sql(field.data_type(), leaves);
    DeclaredField { name: field.name().clone(), sql, choice }
}

fn sql(kind: &DataType, leaves: &[Leaf]) -> (&'static str, Option<Cow<'static, str>>) {
    // Future files may have wider integers.
    let sql = match (kind, leaves) {
        (DataType::Boolean, _) => "boolean",
        (DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64, _)
        | (DataType::UInt8 | DataType::UInt16 | DataType::UInt32, _) => "bigint",
        (DataType::UInt64 | DataType::Decimal128(..) | DataType::Decimal256(..), _) => "numeric",
        (DataType::Float16 | DataType::Float32, _) => "real",
        (DataType::Float64, _) => "double precision",
        (DataType::Date32, _) => "date",
        (DataType::Time32(_) | DataType::Time64(_), _) => "time",
        (DataType::Timestamp(_, Some(_)), _) => "timestamptz",
        (DataType::Timestamp(_, None), _) => "timestamp",
        (DataType::Struct(_) | DataType::List(_) | DataType::Map(..), _) => "jsonb",
        (_, [Leaf::Uuid]) => "uuid",
        (_, [Leaf::Interval]) => "interval",
        (DataType::Binary | DataType::BinaryView | DataType::FixedSizeBinary(_), [Leaf::Plain]) => {
            "bytea"
        }
        _ => "text",
    };
    let choice = match kind {
        DataType::Decimal128(precision, scale) | DataType::Decimal256(precision, scale) => {
            Some(format!(
                "numeric({precision},{scale}), as it is in the file; more places would be rounded"
            ))
        }
        DataType::Time64(TimeUnit::Nanosecond) | DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            Some("text, if more than microseconds count".to_owned())
        }
        _ => None,
    };
    (sql, choice.map(Cow::Owned))
}
