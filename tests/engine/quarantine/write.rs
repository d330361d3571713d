//! What is kept of a record that could not be loaded.

use crate::engine::{Hand, items, problem};
use crate::support::TestDb;

async fn shop() -> TestDb {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, n integer check (n > 0)",
        "id bigint, n integer",
        "(doc->>'id')::bigint, (doc->>'n')::integer",
        "key => '{id}'",
    )
    .await;
    db
}

#[tokio::test]
async fn the_same_bytes_are_open_once_and_move_their_counters() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    let bad = r#"{"id": 1, "n": "x"}"#;
    assert_eq!(hand.load(&[bad, bad, "{}", bad]).await, "extracted=4 quarantined=4");
    hand.load(&["", bad]).await;
    assert_eq!(
        db.rows("select q.payload, q.seen, q.position, q.origin, q.version, f.batch_seq, l.batch_seq
                 from sluice.quarantine_open_details q join sluice.quarantine t on t.quarantine_id = q.id
                 join sluice.batches f on f.batch_id = t.first_batch_id join sluice.batches l on l.batch_id = t.last_batch_id order by 1")
            .await,
        ["|1|1|hand|1|2|2", r#"{"id": 1, "n": "x"}|4|2|hand|1|1|2"#, "{}|1|3|hand|1|1|1"]
    );
    // Once it was loaded, it is a new case.
    db.execute(
        "create function shop.items_v2(doc jsonb) returns table (id bigint, n integer) language sql stable as $$ select (doc->>'id')::bigint, 2 $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items', key => '{id}',
           source => sluice.file_source(path => '-'), max_bad_ratio => 1, activate => false);
         select sluice.replay('items', version => 2)",
    )
    .await;
    hand.load(&[bad]).await;
    assert_eq!(
        db.rows("select status, seen_count from sluice.quarantine where payload like '%x%' order by quarantine_id").await,
        ["replayed|4", "open|1"]
    );
}

#[tokio::test]
async fn latest_error_of_a_record_is_the_one_shown() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 0}"#]).await;
    db.execute(
        "create function shop.items_v2(doc jsonb) returns table (id bigint, n integer) language sql stable as $$ select (doc->>'id')::bigint, 1 / (doc->>'n')::integer $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items', key => '{id}',
           source => sluice.file_source(path => '-'), max_bad_ratio => 1)",
    )
    .await;
    hand.load(&[r#"{"id": 1, "n": 0}"#]).await;
    assert_eq!(
        db.value(
            "select sqlstate, \"constraint\", \"column\", version, seen from sluice.quarantine_open_details"
        )
        .await,
        "22012|-|n|2|2"
    );
}

#[tokio::test]
async fn records_that_are_no_text_keep_their_exact_bytes() {
    let db = shop().await;
    let hand = Hand::start(&db).await;
    hand.stage(&[r#"{"id": 1}"#]).await.unwrap();
    hand.session
        .batch_execute(
            r"insert into pg_temp.sluice_unreadable values
              (1, 10, '\x7b00ff7d', '22021', 'invalid byte sequence'), (2, 11, '\x00', '22021', 'a zero byte'), (3, 12, '\x00', '22021', 'a zero byte')",
        )
        .await
        .unwrap();
    hand.transform().await.unwrap();
    assert_eq!(
        hand.merge().await.unwrap(),
        "extracted=4 transformed=1 quarantined=3 produced=1 inserted=1"
    );
    hand.session.batch_execute("commit").await.unwrap();
    assert_eq!(
        db.rows(r"select q.payload, t.payload, q.seen, q.sqlstate, q.position from sluice.quarantine_open_details q join sluice.quarantine t on t.quarantine_id = q.id order by 1").await,
        [r"\000|\x00|2|22021|12", r"{\000\377}|\x7b00ff7d|1|22021|10"]
    );
}

#[tokio::test]
async fn payload_is_the_text_as_it_came() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    let odd = "  {\"n\": 0 ,\t\"id\":1.0e0, \"n\": 0, \"größe\": \"☃\"}\r";
    hand.load(&[odd]).await;
    assert_eq!(db.rows("select payload from sluice.quarantine_open_details").await, [odd]);
}

#[tokio::test]
async fn by_error_counts_each_kind_the_most_frequent_first() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[
        r#"{"id": 1, "n": 0}"#,
        r#"{"id": 1, "n": "b"}"#,
        r#"{"id": 1, "n": "a"}"#,
        r#"{"id": "x"}"#,
        r#"{"id": 2, "n": "a"}"#,
    ])
    .await;
    assert_eq!(
        db.rows("select pipeline, records, sqlstate, \"column\", \"constraint\", example, first_at from sluice.quarantine_by_error_details").await,
        [
            "items|3|22P02|n|-|invalid input syntax for type integer: \"b\"|hand:2",
            "items|1|22P02|id|-|invalid input syntax for type bigint: \"x\"|hand:4",
            "items|1|23514|n|items_n_check|new row for relation \"items\" violates check constraint \"items_n_check\"|hand:1",
        ]
    );
}

#[tokio::test]
async fn origin_is_that_of_the_span_a_record_stands_in() {
    let db = shop().await;
    let hand = Hand::start(&db).await;
    hand.stage(&["a", "b", "c", "d"]).await.unwrap();
    hand.session
        .batch_execute(r#"select from sluice.transform_batch('[{"first_ordinal": 3, "origin": "z.json"}, {"first_ordinal": 1, "origin": "y.json"}]')"#)
        .await
        .unwrap();
    hand.merge().await.unwrap();
    hand.session.batch_execute("commit").await.unwrap();
    assert_eq!(
        db.rows("select payload, origin from sluice.quarantine_open_details order by 1").await,
        ["a|-", "b|y.json", "c|y.json", "d|z.json"]
    );
}

#[tokio::test]
async fn discard_needs_a_reason_and_keeps_the_record() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&["a", "b", "c"]).await;
    for reason in ["null", "''", "'  '"] {
        problem(
            &db,
            &format!("select sluice.discard('items', reason => {reason}, all_open => true)"),
        )
        .await
        .refuses("discard needs a reason", "reason =>");
    }
    let id = db.value("select id from sluice.quarantine_open_details where payload = 'b'").await;
    assert_eq!(
        db.value(&format!("select sluice.discard('items', array[{id}], 'a typo')")).await,
        "1"
    );
    assert_eq!(
        db.value(&format!("select sluice.discard('items', array[{id}], 'again')")).await,
        "0"
    );
    assert_eq!(
        db.rows("select convert_from(payload, 'UTF8'), status, reason, closed_by = session_user, closed_at is not null from sluice.quarantine order by 1").await,
        ["a|open|-|-|f", "b|discarded|a typo|t|t", "c|open|-|-|f"]
    );
    assert_eq!(db.rows("select payload from sluice.quarantine_open_details").await, ["a", "c"]);
    assert_eq!(
        db.value("select sluice.discard('items', reason => 'all', all_open => true)").await,
        "2"
    );
    problem(&db, "select sluice.discard('other', reason => 'x', all_open => true)")
        .await
        .refuses("pipeline other is not defined", "defined are: items");
}

#[tokio::test]
async fn closed_and_open_cannot_be_mixed_up() {
    let db = shop().await;
    Hand::start(&db).await.load(&["a"]).await;
    for (change, constraint) in [
        ("status = 'lost', closed_at = now()", "quarantine_status_is_known"),
        ("status = 'replayed'", "quarantine_closed_when_not_open"),
        ("closed_at = now()", "quarantine_closed_when_not_open"),
        ("status = 'loaded', closed_at = now()", "quarantine_resolved_records_name_their_batch"),
        ("resolved_batch_id = 1", "quarantine_resolved_records_name_their_batch"),
        ("seen_count = 0", "quarantine_seen_count_is_positive"),
    ] {
        problem(&db, &format!("update sluice.quarantine set {change}"))
            .await
            .is("23514", constraint);
    }
    problem(&db, "insert into sluice.quarantine (pipeline_id, payload_sha256, payload, version, sqlstate, message, first_batch_id, last_batch_id)
                  select pipeline_id, payload_sha256, payload, 1, '', '', 1, 1 from sluice.quarantine")
        .await
        .is("23505", "quarantine_open_record_is_unique");
}
