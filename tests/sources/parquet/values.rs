//! What becomes of values.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::types::Int32Type;
use arrow_array::*;
use arrow_schema::{DataType, Field};
use parquet::basic::Compression;
use parquet::data_type::{
    ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int96, Int96Type,
};
use pgsluice::source::BatchBuilder;
use serde_json::json;

use super::support::*;

/// The values of the only column `c`, as they stand in the payloads.
fn values(array: impl Array + 'static) -> Vec<String> {
    let columns: Vec<(&str, ArrayRef)> = vec![("c", Arc::new(array))];
    written(file(columns, 100, Compression::UNCOMPRESSED))
}

/// The same of a file, whose fields are those of its payloads.
fn written(content: Vec<u8>) -> Vec<String> {
    let payloads = read("a.parquet", &content, json!({})).ok().payloads();
    assert_eq!(fields(&content), sliced(&payloads));
    bare(payloads)
}

/// For a transform that takes a row, of `c` and of another column: what goes to the server as fields, and the other
/// records.
fn fields(content: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let folder = Folder::new();
    folder.write("a.parquet", content);
    let source = open(&folder.settings("a.parquet", json!({})), Vec::new(), WIDE).unwrap();
    let mut source = source.with_columns(Some(columns()));
    let batch = source.next_batch().unwrap().unwrap();
    assert!(source.remarks()[0].contains("no column `there is none`"));
    (batch.fields.unwrap().copy_data.to_vec(), batch.copy_data.to_vec())
}

/// The same of the payloads.
fn sliced(payloads: &[String]) -> (Vec<u8>, Vec<u8>) {
    let mut batch = BatchBuilder::new(WIDE).with_columns(Some(columns()));
    batch.set_origin("payloads");
    for (n, payload) in payloads.iter().enumerate() {
        batch.push(n as i64 + 1, payload.as_bytes());
    }
    let batch = batch.finish(json!({}));
    (batch.fields.unwrap().copy_data.to_vec(), batch.copy_data.to_vec())
}

fn columns() -> Arc<[String]> {
    ["there is none", "c"].map(str::to_owned).into()
}

fn bare(payloads: Vec<String>) -> Vec<String> {
    payloads
        .iter()
        .map(|payload| {
            let value = payload.strip_prefix("{\"c\":").unwrap();
            value.strip_suffix('}').unwrap().to_owned()
        })
        .collect()
}

#[test]
fn numbers_are_untouched() {
    assert_eq!(
        values(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
        ["-9223372036854775808", "null", "9223372036854775807"]
    );
    assert_eq!(values(UInt64Array::from(vec![u64::MAX])), ["18446744073709551615"]);
    assert_eq!(values(Int8Array::from(vec![-128])), ["-128"]);
    assert_eq!(values(UInt32Array::from(vec![u32::MAX])), ["4294967295"]);
    let decimals = Decimal128Array::from(vec![Some(-5), Some(12_345_678_901_234_567_890), None]);
    assert_eq!(
        values(decimals.with_precision_and_scale(38, 10).unwrap()),
        ["-0.0000000005", "1234567890.1234567890", "null"]
    );
    let wide = Decimal256Array::from_iter_values([(-7).into(), i64::MAX.into()]);
    assert_eq!(
        values(wide.with_precision_and_scale(76, 40).unwrap()),
        [
            "-0.0000000000000000000000000000000000000007",
            "0.0000000000000000000009223372036854775807"
        ]
    );
}

#[test]
fn floats_come_back_as_they_were() {
    assert_eq!(values(Float32Array::from(vec![0.1, 16_777_216.0])), ["0.1", "16777216.0"]);
    assert_eq!(
        values(Float64Array::from(vec![0.1, 1e300, f64::MIN_POSITIVE])),
        ["0.1", "1e300", "2.2250738585072014e-308"]
    );
    assert_eq!(
        values(Float64Array::from(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY])),
        ["\"NaN\"", "\"Infinity\"", "\"-Infinity\""]
    );
}

#[test]
fn times_have_their_digits_and_a_zone_where_they_had_one() {
    let at = 1_709_210_096_123_456_i64;
    assert_eq!(
        values(TimestampMicrosecondArray::from(vec![at]).with_timezone("UTC")),
        ["\"2024-02-29T12:34:56.123456Z\""]
    );
    assert_eq!(
        values(TimestampMicrosecondArray::from(vec![at])),
        ["\"2024-02-29T12:34:56.123456\""]
    );
    assert_eq!(values(TimestampMillisecondArray::from(vec![-1])), ["\"1969-12-31T23:59:59.999\""]);
    assert_eq!(
        values(TimestampNanosecondArray::from(vec![at * 1000 + 789])),
        ["\"2024-02-29T12:34:56.123456789\""]
    );
    assert_eq!(values(Date32Array::from(vec![19_782])), ["\"2024-02-29\""]);
    assert_eq!(values(Time64MicrosecondArray::from(vec![3_723_000_004])), ["\"01:02:03.000004\""]);
}

#[test]
fn timestamps_of_96_bits_are_exact_to_the_nanosecond_and_far_beyond_64_bits() {
    let moment = |day: u32, nanos: u64| {
        let mut value = Int96::new();
        value.set_data(nanos as u32, (nanos >> 32) as u32, day);
        value
    };
    // Julian days; the 64 bits of nanoseconds end in 2262.
    let last = moment(5_373_484, 86_399_999_999_999);
    let content = column::<Int96Type>("INT96 c", &[moment(2_440_588, 1), last]);
    assert_eq!(
        written(content),
        ["\"1970-01-01T00:00:00.000000001\"", "\"9999-12-31T23:59:59.999999999\""]
    );
}

#[test]
fn texts_are_escaped_and_bytes_are_hex() {
    assert_eq!(
        values(StringArray::from(vec!["é \"q\" \\ \n\t\u{1}", ""])),
        ["\"é \\\"q\\\" \\\\ \\n\\t\\u0001\"", "\"\""]
    );
    // The server says what is wrong with it.
    assert_eq!(values(StringArray::from(vec!["a\0b", "null"])), ["\"a\\u0000b\"", "\"null\""]);
    assert_eq!(
        values(BinaryArray::from(vec![&b"\x00\xffa"[..], b""])),
        ["\"\\\\x00ff61\"", "\"\\\\x\""]
    );
    let uuid = FixedLenByteArray::from((0..16).collect::<Vec<u8>>());
    let content = column::<FixedLenByteArrayType>("FIXED_LEN_BYTE_ARRAY (16) c (UUID)", &[uuid]);
    assert_eq!(written(content), ["\"00010203-0405-0607-0809-0a0b0c0d0e0f\""]);
    let interval = FixedLenByteArray::from(vec![1, 0, 0, 0, 2, 0, 0, 0, 0xbc, 0x0b, 0, 0]);
    let declared = "FIXED_LEN_BYTE_ARRAY (12) c (INTERVAL)";
    let content = column::<FixedLenByteArrayType>(declared, &[interval]);
    assert_eq!(written(content), ["\"P1M2DT3.004S\""]);
}

#[test]
fn text_that_is_none_costs_its_record_only() {
    let values: Vec<ByteArray> =
        [&b"one"[..], b"t\xffo", b"three"].map(|value| ByteArray::from(value.to_vec())).into();
    let content = column::<ByteArrayType>("BYTE_ARRAY c (UTF8)", &values);
    let run = read("a.parquet", content, json!({})).ok();
    assert_eq!(run.payloads(), ["{\"c\":\"one\"}", "{\"c\":\"three\"}"]);
    assert_eq!(run.positions(), [1, 2, 3]);
    let bad = run.faults();
    assert_eq!(bad[0].payload, b"{\"c\":\"t\xffo\"}");
    assert_eq!(bad[0].fault.as_ref().unwrap().0, "22021");
}

#[test]
fn nested_values_are_json() {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
        Some(vec![Some(1), None, Some(3)]),
        None,
        Some(vec![]),
    ]);
    assert_eq!(values(list), ["[1,null,3]", "null", "[]"]);
    let parts = StructArray::from(vec![
        (
            Arc::new(Field::new("a", DataType::Int32, true)),
            Arc::new(Int32Array::from(vec![Some(1), None])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("b\"", DataType::Utf8, true)),
            Arc::new(StringArray::from(vec!["x", "y"])) as ArrayRef,
        ),
    ]);
    assert_eq!(values(parts), [r#"{"a":1,"b\"":"x"}"#, r#"{"a":null,"b\"":"y"}"#]);
    let mut map =
        MapBuilder::new(None, StringBuilder::new(), ListBuilder::new(Int32Builder::new()));
    map.keys().append_value("k");
    map.values().append_value([Some(7)]);
    map.append(true).unwrap();
    map.append(true).unwrap();
    assert_eq!(values(map.finish()), [r#"{"k":[7]}"#, "{}"]);
    let mut numbered = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    numbered.keys().append_value(5);
    numbered.values().append_value("v");
    numbered.append(true).unwrap();
    assert_eq!(values(numbered.finish()), [r#"{"5":"v"}"#]);
}

#[test]
fn every_codec_is_read() {
    use parquet::basic::{BrotliLevel, GzipLevel, ZstdLevel};
    for codec in [
        Compression::SNAPPY,
        Compression::GZIP(GzipLevel::default()),
        Compression::ZSTD(ZstdLevel::default()),
        Compression::BROTLI(BrotliLevel::default()),
        Compression::LZ4_RAW,
    ] {
        let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
        let run = read("a.parquet", file(vec![("c", ids)], 300, codec), json!({})).ok();
        assert_eq!(run.records.len(), 1000, "{codec:?}");
        assert_eq!(run.records[999].payload, b"{\"c\":999}");
    }
}

#[test]
fn record_longer_than_allowed_is_set_aside() {
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a".repeat(200), "b".to_owned()]));
    let content = file(vec![("c", texts)], 10, Compression::UNCOMPRESSED);
    let run = read("a.parquet", content, json!({"max_record_bytes": 100})).ok();
    assert_eq!(run.payloads(), ["{\"c\":\"b\"}"]);
    let (code, message) = run.faults()[0].fault.clone().unwrap();
    assert_eq!(code, "54000");
    assert!(message.contains("208 bytes"), "{message}");
}
