//! Rows as JSON, each value as exact as it is in the file.

use std::ops::Range;
use std::slice;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::scalar::{Values, Write, nullable, scalar, text};
use super::schema::Leaf;

/// Some rows, column by column.
pub(super) struct JsonRows {
    columns: Vec<Write>,
    /// The name of each, as it is written before its value.
    names: Vec<Vec<u8>>,
    len: usize,
}

/// One column of some rows; where it is of 96 bits its whole seconds stand beside.
pub(super) struct JsonColumn<'a> {
    pub(super) name: &'a str,
    pub(super) values: &'a ArrayRef,
    pub(super) seconds: Option<&'a ArrayRef>,
    pub(super) leaves: &'a [Leaf],
}

impl JsonRows {
    /// Fails with the name and type of a column that cannot be JSON.
    pub(super) fn new<'a>(
        len: usize,
        columns: impl Iterator<Item = JsonColumn<'a>>,
    ) -> Result<Self, String> {
        let mut rows = JsonRows { columns: Vec::new(), names: Vec::new(), len };
        for column in columns {
            let values = Values { array: column.values, seconds: column.seconds };
            let write = writer(values, &mut column.leaves.iter()).ok_or_else(|| {
                format!("column `{}` is of type {}", column.name, column.values.data_type())
            })?;
            let before = if rows.names.is_empty() { b'{' } else { b',' };
            let mut name = vec![before];
            text(column.name.as_bytes(), &mut name);
            name.push(b':');
            rows.names.push(name);
            rows.columns.push(write);
        }
        Ok(rows)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Writes a row; `values` say where in it they are.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>, values: &mut Vec<Range<usize>>) {
        out.clear();
        values.clear();
        for (name, write) in self.names.iter().zip(&self.columns) {
            out.extend_from_slice(name);
            let start = out.len();
            write(row, out);
            values.push(start..out.len());
        }
        if self.names.is_empty() {
            out.push(b'{');
        }
        out.push(b'}');
    }
}

fn writer(values: Values<'_>, leaves: &mut slice::Iter<'_, Leaf>) -> Option<Write> {
    let Values { array, seconds } = values;
    Some(match array.data_type() {
        DataType::Struct(fields) => {
            let parts = array.as_struct();
            let beside = seconds.map(|seconds| seconds.as_struct());
            let columns = fields.iter().enumerate().map(|(i, field)| {
                let part = Values {
                    array: parts.column(i),
                    seconds: beside.map(|beside| beside.column(i)),
                };
                let mut name = vec![if i == 0 { b'{' } else { b',' }];
                text(field.name().as_bytes(), &mut name);
                name.push(b':');
                Some((name, writer(part, leaves)?))
            });
            let columns: Vec<(Vec<u8>, Write)> = columns.collect::<Option<_>>()?;
            nullable(array, move |row, out| {
                for (name, write) in &columns {
                    out.extend_from_slice(name);
                    write(row, out);
                }
                if columns.is_empty() {
                    out.push(b'{');
                }
                out.push(b'}');
            })
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>().clone();
            let items = Values {
                array: list.values(),
                seconds: seconds.map(|seconds| seconds.as_list::<i32>().values()),
            };
            let write = writer(items, leaves)?;
            nullable(array, move |row, out| {
                let range = list.value_offsets()[row]..list.value_offsets()[row + 1];
                several(out, b"[]", range, &write);
            })
        }
        DataType::Map(_, _) => {
            let map = array.as_map().clone();
            let beside = seconds.map(|seconds| seconds.as_map());
            let keys = Values { array: map.keys(), seconds: beside.map(|beside| beside.keys()) };
            let items =
                Values { array: map.values(), seconds: beside.map(|beside| beside.values()) };
            let (key, value) = (writer(keys, leaves)?, writer(items, leaves)?);
            let entry: Write = Box::new(move |row, out| {
                let mut name = Vec::new();
                key(row, &mut name);
                match name.first() {
                    Some(b'"') => out.append(&mut name),
                    // Members of an object have texts for names.
                    _ => text(&name, out),
                }
                out.push(b':');
                value(row, out);
            });
            nullable(array, move |row, out| {
                let range = map.value_offsets()[row]..map.value_offsets()[row + 1];
                several(out, b"{}", range, &entry);
            })
        }
        _ => scalar(values, *leaves.next()?)?,
    })
}

fn several(out: &mut Vec<u8>, brackets: &[u8; 2], range: std::ops::Range<i32>, write: &Write) {
    out.push(brackets[0]);
    for item in range.clone() {
        if item > range.start {
            out.push(b',');
        }
        write(usize::try_from(item).unwrap_or_default(), out);
    }
    out.push(brackets[1]);
}
