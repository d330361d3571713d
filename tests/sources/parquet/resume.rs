//! Going on inside a file, and files that are not what they were.

use serde_json::json;

use super::support::*;

#[test]
fn position_is_the_row_and_survives_row_groups_of_any_size() {
    for group in [1, 7, 44, 45, 46] {
        let folder = Folder::new();
        folder.write("a.parquet", items(0..45, group));
        let settings = folder.settings("a.parquet", json!({}));
        let (mut known, mut found) = (Vec::new(), Vec::new());
        loop {
            let mut source = open(&settings, known.clone(), rows(4)).unwrap();
            let Some(batch) = source.next_batch().unwrap() else {
                break;
            };
            found.extend(records(&batch));
            merge(&mut known, &batch.objects);
        }
        let positions: Vec<i64> = found.iter().map(|record| record.position).collect();
        assert_eq!(positions, (1..=45).collect::<Vec<_>>(), "groups of {group}");
        assert!(known[0].is_done);
    }
}

#[test]
fn file_replaced_inside_is_refused_and_read_again_where_that_is_allowed() {
    let folder = Folder::new();
    folder.write("a.parquet", items(0..45, 7));
    let settings = folder.settings("a.parquet", json!({}));
    let batch = open(&settings, vec![], rows(4)).unwrap().next_batch();
    let known = batch.unwrap().unwrap().objects;
    folder.write("a.parquet", items(100..145, 9));
    let refused = folder.run_with("a.parquet", json!({}), known.clone(), WIDE);
    let error = refused.error_text();
    assert!(error.contains("was replaced or truncated since it was read"), "{error}");
    let more = json!({"on_replace": "reload"});
    let allowed = folder.run_with("a.parquet", more, known, WIDE).ok();
    assert_eq!(allowed.records.len(), 45);
    assert!(allowed.payloads()[0].contains("\"id\":100"));
}

#[test]
fn file_that_was_touched_is_not_read_again() {
    let folder = Folder::new();
    folder.write("a.parquet", items(0..45, 7));
    let first = folder.run("a.parquet", json!({})).ok();
    folder.age("a.parquet", 100);
    let second = folder.rerun("a.parquet", json!({}), &first).ok();
    assert!(second.records.is_empty());
    let third = folder.rerun("a.parquet", json!({}), &second).ok();
    assert!(third.batches.is_empty());
}
