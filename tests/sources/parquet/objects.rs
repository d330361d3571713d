//! Objects are read by ranges.

use serde_json::json;

use super::support::*;
use crate::support::Store;
use crate::support::store::Fault;
use arrow_array::{ArrayRef, Int64Array, StringArray};
use parquet::basic::Compression;
use std::sync::Arc;

/// Ids, and megabytes beside them.
fn wide(rows: usize) -> Vec<u8> {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows as i64));
    let pads = (0..rows).map(|i| format!("{i}").repeat(20_000));
    let pads: ArrayRef = Arc::new(StringArray::from_iter_values(pads));
    file(vec![("id", ids), ("pad", pads)], rows / 4, Compression::UNCOMPRESSED)
}

#[test]
fn only_what_the_wanted_columns_take_is_fetched() {
    let store = Store::public();
    let content = wide(400);
    let size = content.len() as u64;
    assert!(size > 20 << 20, "{size}");
    store.put("in/a.parquet", content);
    let run = store.run(json!({"columns": ["id"]})).ok();
    assert_eq!(run.records.len(), 400);
    assert_eq!(run.records[399].payload, b"{\"id\":399}");
    let fetched: u64 = store
        .asked()
        .iter()
        .filter(|asked| !asked.is_listing())
        .map(|asked| asked.range.as_ref().map_or(size, |range| range.end.min(size) - range.start))
        .sum();
    assert!(fetched < size, "{fetched} of {size}");
    assert_eq!(store.rerun(json!({"columns": ["id"]}), &run).ok().records, []);
}

#[test]
fn object_is_known_by_its_first_bytes_too() {
    let store = Store::public();
    store.put("in/a", items(0..45, 7));
    let run = store.run(json!({})).ok();
    assert_eq!(run.records.len(), 45);
    assert_eq!(store.rerun(json!({}), &run).ok().records, []);
}

#[test]
fn object_replaced_while_it_is_read_is_begun_again_without_a_trace() {
    let store = Store::public();
    store.put("in/a.parquet", wide(400));
    let mut asked = 0;
    store.misbehave(move |request| {
        asked += usize::from(!request.is_listing());
        (asked == 4).then(|| Fault::Replace("no Parquet".to_owned()))
    });
    let error = store.run(json!({})).error_text();
    assert_eq!(store.fired(), 1);
    assert!(error.contains("a.parquet` is not a complete Parquet file"), "{error}");
}

#[test]
fn part_that_is_cut_is_asked_for_again() {
    let store = Store::public();
    store.put("in/a.parquet", wide(100));
    store.misbehave_times(3, Fault::Cut(1000), |asked| !asked.is_listing());
    let run = store.run(json!({})).ok();
    assert_eq!(store.fired(), 3);
    assert_eq!(run.records.len(), 100);
}
