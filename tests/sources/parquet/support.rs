//! Parquet files as other programs write them.

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::data_type::DataType;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

pub(crate) use crate::sources::file::support::*;

/// A file with these columns, in row groups of so many rows.
pub(crate) fn file(columns: Vec<(&str, ArrayRef)>, group: usize, codec: Compression) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns.into_iter().map(|(name, values)| (name, values, true)),
    )
    .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(group))
        .set_compression(codec)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// The records that sources of every kind have to give: whole numbers, decimals and texts.
pub(crate) fn items(range: std::ops::Range<usize>, group: usize) -> Vec<u8> {
    let ids = Int64Array::from_iter_values(range.clone().map(|i| i as i64));
    let amounts = range.clone().map(|i| i as i128 * 700 + 50);
    let amounts =
        Decimal128Array::from_iter_values(amounts).with_precision_and_scale(12, 2).unwrap();
    let names = StringArray::from_iter_values(range.map(|i| format!("n]}}\"{i}")));
    let columns: Vec<(&str, ArrayRef)> =
        vec![("id", Arc::new(ids)), ("amount", Arc::new(amounts)), ("name", Arc::new(names))];
    file(columns, group, Compression::SNAPPY)
}

/// A file of one column in the words of the format itself, which arrow would not write.
pub(crate) fn column<T: DataType>(declared: &str, values: &[T::T]) -> Vec<u8> {
    let schema = parse_message_type(&format!("message m {{ REQUIRED {declared}; }}")).unwrap();
    let mut writer =
        SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.into_inner().unwrap()
}
