//! Values of SQLite: in records, in marks and in places.

use rusqlite::Row;
use rusqlite::types::{Value, ValueRef};

use super::super::json::JsonObjectWriter;
use super::super::row_sender::JsonRow;
use crate::error::{Error, Result};
use crate::source::mark::MarkKind;

pub(super) fn record(row: &Row<'_>, names: &[String]) -> rusqlite::Result<JsonRow> {
    let mut object = JsonObjectWriter::new();
    for (index, name) in names.iter().enumerate() {
        match row.get_ref(index)? {
            ValueRef::Null => object.json(name, b"null"),
            ValueRef::Integer(number) => object.json(name, number.to_string().as_bytes()),
            ValueRef::Real(number) => match serde_json::Number::from_f64(number) {
                Some(number) => object.json(name, number.to_string().as_bytes()),
                None if number > 0.0 => object.text(name, b"Infinity"),
                None => object.text(name, b"-Infinity"),
            },
            ValueRef::Text(text) => object.text(name, text),
            ValueRef::Blob(bytes) => object.bytes(name, bytes),
        }
    }
    Ok(object.finish())
}

/// Values of one class have one order; of different classes, the whole class comes first.
pub(super) fn class(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Integer(_) | Value::Real(_) => 1,
        Value::Text(_) => 2,
        Value::Blob(_) => 3,
    }
}

/// A mark, less a lag in seconds.
pub(super) fn minus(mark: Value, lag: f64) -> Result<Value> {
    Ok(match mark {
        Value::Integer(mark) => Value::Integer(mark.saturating_sub(lag.ceil() as i64)),
        Value::Real(mark) => Value::Real(mark - lag),
        Value::Text(mark) if MarkKind::Timestamp.read(&mark).is_some() => {
            Value::Text(MarkKind::Timestamp.minus(&mark, lag.ceil() as u64))
        }
        other => {
            return Err(Error::usage(format!(
                "no lag can be taken from the mark {}",
                literal((&other).into())?
            ))
            .next("lag goes with numbers, and with texts such as 2026-03-01 08:00:00"));
        }
    })
}

/// A value as SQL writes it, so that its type is kept.
pub(super) fn literal(value: ValueRef<'_>) -> Result<String> {
    Ok(match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => format!("'{}'", text.replace('\'', "''")),
            Err(cause) => {
                return Err(Error::usage(
                    "a cursor or key of the source is text that is not UTF-8",
                )
                .caused_by(cause)
                .next("cast it to a blob in a query: cast(id as blob) as id"));
            }
        },
        ValueRef::Blob(bytes) => format!("x'{}'", hex::encode(bytes)),
    })
}

/// What a literal, or a mark as a user writes it, stands for.
pub(super) fn value(text: &str) -> Value {
    let inside = |rest: &str| rest.strip_prefix('\'')?.strip_suffix('\'').map(str::to_owned);
    if let Some(text) = inside(text) {
        return Value::Text(text.replace("''", "'"));
    }
    if let Some(bytes) =
        text.strip_prefix('x').and_then(inside).and_then(|hex| hex::decode(hex).ok())
    {
        return Value::Blob(bytes);
    }
    match (text.parse(), text.parse()) {
        (Ok(number), _) => Value::Integer(number),
        (_, Ok(number)) => Value::Real(number),
        _ => Value::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_keep_type_and_value() {
        for kept in [
            Value::Integer(i64::MIN),
            Value::Real(0.1),
            Value::Real(1e300),
            Value::Real(f64::INFINITY),
            Value::Text("it's '5'".to_owned()),
            Value::Text("x'00'".to_owned()),
            Value::Text(String::new()),
            Value::Blob(vec![0, 255]),
        ] {
            assert_eq!(literal((&kept).into()).map(|text| value(&text)).ok(), Some(kept));
        }
        assert_eq!(value("2026-03-01"), Value::Text("2026-03-01".to_owned()));
        assert_eq!(value("7"), Value::Integer(7));
    }
}
