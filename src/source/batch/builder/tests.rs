//! Spans of a batch, record by record.

use super::{BatchBuilder, BatchLimits};
use serde_json::json;

fn builder() -> BatchBuilder {
    BatchBuilder::new(BatchLimits { rows: 10, bytes: 1 << 20, digests: false })
}

#[test]
fn spans_know_where_their_first_and_last_records_stand() {
    let mut builder = builder();
    builder.set_origin("empty");
    builder.set_origin("a");
    builder.push(7, b"{}");
    builder.push(8, b"\0");
    builder.set_origin("b");
    builder.push_unreadable(1, vec![], "22021", String::new());
    let batch = builder.finish(json!({}));
    assert_eq!(
        json!(&batch.origins),
        json!([
            {"origin": "a", "first_ordinal": 0, "first_position": 7, "last_position": 8},
            {"origin": "b", "first_ordinal": 2, "first_position": 1, "last_position": 1},
        ])
    );
}

#[test]
fn records_taken_out_leave_no_position() {
    let mut builder = builder();
    builder.set_origin("a");
    builder.push(1, b"{}");
    let before = builder.savepoint();
    builder.push(2, b"{}");
    builder.roll_back(before);
    let last = builder.origins.last();
    assert_eq!(last.map(|span| span.last_position), Some(1));
    builder.set_origin("b");
    let before = builder.savepoint();
    builder.push(5, b"{}");
    builder.push(6, b"{}");
    builder.roll_back(before);
    builder.push(1, b"{}");
    let batch = builder.finish(json!({}));
    assert_eq!(
        json!(&batch.origins),
        json!([
            {"origin": "a", "first_ordinal": 0, "first_position": 1, "last_position": 1},
            {"origin": "b", "first_ordinal": 1, "first_position": 1, "last_position": 1},
        ])
    );
}
