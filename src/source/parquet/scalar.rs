//! Values that are neither lists nor structs, as JSON.

use std::io::Write as _;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType};
use arrow_schema::{DataType, TimeUnit};

use super::schema::Leaf;
use super::time::{self, Stamp};

/// Writes the value of a row.
pub(super) type Write = Box<dyn Fn(usize, &mut Vec<u8>) + Send>;

/// Values, and the same as whole seconds where they are timestamps of 96 bits.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) array: &'a ArrayRef,
    pub(super) seconds: Option<&'a ArrayRef>,
}

pub(super) fn scalar(values: Values<'_>, leaf: Leaf) -> Option<Write> {
    use TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    let Values { array, seconds } = values;
    Some(match array.data_type() {
        DataType::Null => Box::new(|_, out| out.extend_from_slice(b"null")),
        DataType::Boolean => {
            let values = array.as_boolean().clone();
            nullable(array, move |row, out| {
                out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
            })
        }
        DataType::Int8 => displayed::<Int8Type>(array),
        DataType::Int16 => displayed::<Int16Type>(array),
        DataType::Int32 => displayed::<Int32Type>(array),
        DataType::Int64 => displayed::<Int64Type>(array),
        DataType::UInt8 => displayed::<UInt8Type>(array),
        DataType::UInt16 => displayed::<UInt16Type>(array),
        DataType::UInt32 => displayed::<UInt32Type>(array),
        DataType::UInt64 => displayed::<UInt64Type>(array),
        DataType::Float16 => of::<Float16Type>(array, |value, out| {
            float(f64::from(value), || value.to_f32().to_string(), out);
        }),
        DataType::Float32 => of::<Float32Type>(array, |value, out| {
            float(f64::from(value), || format!("{value:?}"), out);
        }),
        DataType::Float64 => of::<Float64Type>(array, |value, out| {
            float(value, || format!("{value:?}"), out);
        }),
        DataType::Decimal128(_, _) => {
            let values = array.as_primitive::<Decimal128Type>().clone();
            nullable(array, move |row, out| {
                out.extend_from_slice(values.value_as_string(row).as_bytes());
            })
        }
        DataType::Decimal256(_, _) => {
            let values = array.as_primitive::<Decimal256Type>().clone();
            nullable(array, move |row, out| {
                out.extend_from_slice(values.value_as_string(row).as_bytes());
            })
        }
        DataType::Date32 => of::<Date32Type>(array, time::date),
        DataType::Time32(Millisecond) => of::<Time32MillisecondType>(array, |value, out| {
            time::of_day(i64::from(value), 3, out);
        }),
        DataType::Time64(Microsecond) => {
            of::<Time64MicrosecondType>(array, |value, out| time::of_day(value, 6, out))
        }
        DataType::Time64(Nanosecond) => {
            of::<Time64NanosecondType>(array, |value, out| time::of_day(value, 9, out))
        }
        DataType::Timestamp(Nanosecond, None) if leaf == Leaf::Of96Bits => {
            let nanos = array.as_primitive::<TimestampNanosecondType>().clone();
            let seconds = seconds?.as_primitive_opt::<TimestampSecondType>()?.clone();
            nullable(array, move |row, out| {
                Stamp::of_wrapped(seconds.value(row), nanos.value(row)).write(false, out);
            })
        }
        DataType::Timestamp(unit, zone) => {
            let has_zone = zone.is_some();
            match unit {
                Second => return None,
                Millisecond => of::<TimestampMillisecondType>(array, move |value, out| {
                    Stamp::new(value, 3).write(has_zone, out);
                }),
                Microsecond => of::<TimestampMicrosecondType>(array, move |value, out| {
                    Stamp::new(value, 6).write(has_zone, out);
                }),
                Nanosecond => of::<TimestampNanosecondType>(array, move |value, out| {
                    Stamp::new(value, 9).write(has_zone, out);
                }),
            }
        }
        DataType::BinaryView => {
            let values = array.as_binary_view().clone();
            nullable(array, move |row, out| bytes(values.value(row), leaf, out))
        }
        DataType::FixedSizeBinary(_) => {
            let values = array.as_fixed_size_binary().clone();
            nullable(array, move |row, out| bytes(values.value(row), leaf, out))
        }
        _ => return None,
    })
}

/// Null where there is no value.
pub(super) fn nullable(
    array: &ArrayRef,
    write: impl Fn(usize, &mut Vec<u8>) + Send + 'static,
) -> Write {
    match array.nulls().cloned() {
        None => Box::new(write),
        Some(nulls) => Box::new(move |row, out| match nulls.is_null(row) {
            true => out.extend_from_slice(b"null"),
            false => write(row, out),
        }),
    }
}

fn of<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    write: impl Fn(T::Native, &mut Vec<u8>) + Send + 'static,
) -> Write {
    let values = array.as_primitive::<T>().clone();
    nullable(array, move |row, out| write(values.value(row), out))
}

fn displayed<T: ArrowPrimitiveType>(array: &ArrayRef) -> Write
where
    T::Native: std::fmt::Display,
{
    of::<T>(array, |value, out| {
        // Memory takes all that is written.
        let _ = write!(out, "{value}");
    })
}

/// JSON has no number for infinities and NaN.
fn float(value: f64, exact: impl Fn() -> String, out: &mut Vec<u8>) {
    match value {
        _ if value.is_nan() => out.extend_from_slice(b"\"NaN\""),
        f64::INFINITY => out.extend_from_slice(b"\"Infinity\""),
        f64::NEG_INFINITY => out.extend_from_slice(b"\"-Infinity\""),
        _ => out.extend_from_slice(exact().as_bytes()),
    }
}

fn bytes(value: &[u8], leaf: Leaf, out: &mut Vec<u8>) {
    match (leaf, value) {
        (Leaf::Text, _) => text(value, out),
        (Leaf::Uuid, _) if value.len() == 16 => {
            let hex = hex::encode(value);
            let _ = write!(
                out,
                "\"{}-{}-{}-{}-{}\"",
                &hex[..8],
                &hex[8..12],
                &hex[12..16],
                &hex[16..20],
                &hex[20..]
            );
        }
        (Leaf::Interval, [m0, m1, m2, m3, d0, d1, d2, d3, s0, s1, s2, s3]) => {
            let months = u32::from_le_bytes([*m0, *m1, *m2, *m3]);
            let days = u32::from_le_bytes([*d0, *d1, *d2, *d3]);
            let millis = u32::from_le_bytes([*s0, *s1, *s2, *s3]);
            let (seconds, rest) = (millis / 1000, millis % 1000);
            let _ = write!(out, "\"P{months}M{days}DT{seconds}.{rest:03}S\"");
        }
        _ => {
            let _ = write!(out, "\"\\\\x{}\"", hex::encode(value));
        }
    }
}

/// A text as JSON. Bytes that are none stay what they are: whoever takes the record says so.
pub(super) fn text(value: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut clean = 0;
    for (at, byte) in value.iter().enumerate() {
        if !matches!(byte, b'"' | b'\\' | 0..0x20) {
            continue;
        }
        out.extend_from_slice(&value[clean..at]);
        clean = at + 1;
        let short = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            _ => {
                let _ = write!(out, "\\u{byte:04x}");
                continue;
            }
        };
        out.extend_from_slice(short);
    }
    out.extend_from_slice(&value[clean..]);
    out.push(b'"');
}
