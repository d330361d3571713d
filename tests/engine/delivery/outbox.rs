//! What batches note.

use super::{CLAIM, DELIVER, STATES, del, put, shop};
use crate::engine::items;
use crate::support::TestDb;

#[tokio::test]
async fn each_row_that_a_batch_writes_is_noted_and_no_other() {
    let (db, mut hand) = shop(&format!("order_by => 'n', {DELIVER}")).await;
    assert_eq!(
        hand.load(&[put(1, 5), put(2, 5), put(3, 5), put(3, 4)]).await,
        "extracted=4 transformed=4 produced=4 inserted=3 superseded=1"
    );
    assert_eq!(db.rows(STATES).await, ["1|upsert|unsent", "2|upsert|unsent", "3|upsert|unsent"]);
    // Unchanged, older, changed, deleted, deleted though it never was there.
    let books = hand.load(&[put(1, 5), put(2, 1), put(3, 9), del(4)]).await;
    assert!(books.contains("updated=1 unchanged=2 stale=1"), "{books}");
    assert_eq!(
        db.rows(STATES).await,
        ["1|upsert|unsent", "2|upsert|unsent", "3|upsert|superseded", "3|upsert|unsent"]
    );
}

#[tokio::test]
async fn a_pipeline_that_delivers_nowhere_notes_nothing() {
    let (db, mut hand) = shop("skip_known => true").await;
    hand.load(&[put(1, 1)]).await;
    assert_eq!(db.value("select count(*) from sluice.outbox").await, "0");
}

#[tokio::test]
async fn a_delete_takes_the_row_along_and_a_later_change_of_the_key_supersedes_what_was_not_sent() {
    let (db, mut hand) = shop(DELIVER).await;
    hand.load(&[put(1, 1), put(2, 2)]).await;
    hand.load(&[del(1), del(2)]).await;
    hand.load(&[put(2, 3)]).await;
    assert_eq!(
        db.rows(STATES).await,
        [
            "1|upsert|superseded",
            "2|upsert|superseded",
            "1|delete|unsent",
            "2|delete|superseded",
            "2|upsert|unsent"
        ]
    );
    db.rows("select * from sluice.start_delivery('items', 'test')").await;
    assert_eq!(
        db.rows(CLAIM).await,
        [r#"1|in_flight|{"n": 1, "id": 1}"#, r#"2|in_flight|{"n": 3, "id": 2}"#]
    );
}

#[tokio::test]
async fn a_batch_that_is_rolled_back_and_a_record_in_quarantine_note_nothing() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, n bigint unique",
        "id bigint, n bigint",
        "(doc->>'id')::bigint, (doc->>'n')::bigint",
        &format!("key => '{{id}}', {DELIVER}"),
    )
    .await;
    let mut hand = crate::engine::Hand::start(&db).await;
    hand.load(&[put(1, 1)]).await;
    // Found only by trying the merge, which is done again.
    let books = hand.load(&[put(2, 2), put(3, 1)]).await;
    assert!(books.contains("quarantined=1"), "{books}");
    assert_eq!(db.rows(STATES).await, ["1|upsert|unsent", "2|upsert|unsent"]);
    hand.stage(&[put(4, 4)]).await.unwrap();
    hand.transform().await.unwrap();
    hand.merge().await.unwrap();
    hand.session.batch_execute("rollback").await.unwrap();
    assert_eq!(db.rows(STATES).await.len(), 2);
}

#[tokio::test]
async fn replayed_reloaded_and_backfilled_rows_are_deliveries_of_the_pipeline() {
    let (db, mut hand) = shop(&format!("retain_raw => '7 days', {DELIVER}")).await;
    hand.load(&[put(1, 1), r#"{"id": 2, "n": "x"}"#.to_owned()]).await;
    db.execute(
        r#"select sluice.amend((select id from sluice.quarantine_open), '{"id": 2, "n": 7}', 'a typo');
           select * from sluice.replay('items');
           update shop.items set n = 0, sluice_hash = '' where id = 1;
           select * from sluice.reload('items', from_batch => 1)"#,
    )
    .await;
    let rows = db.rows(STATES).await;
    assert_eq!(
        rows[..3],
        ["1|upsert|superseded", "2|upsert|unsent", "1|upsert|unsent"],
        "{rows:?}"
    );
    db.execute("select sluice.start_backfill('items', objects => '*')").await;
    let session = db.connect().await;
    let mut backfill = crate::engine::Hand::of(session, "items.backfill-1").await;
    backfill.load(&[put(9, 9)]).await;
    assert_eq!(
        db.rows("select pipeline, key->>'id' from sluice.deliveries order by id desc limit 1")
            .await,
        ["items|9"]
    );
}

#[tokio::test]
async fn rows_that_a_complete_read_misses_are_delivered_as_deleted_or_as_marked() {
    for (missing, expected) in [
        ("missing => 'delete'", r#"2|in_flight|{"n": 1, "id": 2}"#),
        (
            "missing => 'mark', mark_column => 'gone'",
            r#"2|in_flight|{"n": 1, "id": 2, "gone": true}"#,
        ),
    ] {
        let db = TestDb::new().await;
        items(
            &db,
            "id bigint primary key, n bigint, gone boolean",
            "id bigint, n bigint",
            "(doc->>'id')::bigint, (doc->>'n')::bigint",
            &format!("key => '{{id}}', max_delete_ratio => 1, {missing}, {DELIVER}"),
        )
        .await;
        let mut hand = crate::engine::Hand::start(&db).await;
        let finish = "select * from sluice.finish_snapshot($1, $2, $3)";
        for records in [vec![put(1, 1), put(2, 1)], vec![put(1, 1)]] {
            hand.load(&records).await;
            let seq = hand.seq + 1;
            hand.session.query_one(finish, &[&hand.run, &hand.epoch, &seq]).await.unwrap();
            hand.seq = seq;
        }
        let is_delete = missing.contains("delete");
        let operation = if is_delete { "delete" } else { "upsert" };
        assert_eq!(
            db.rows(STATES).await,
            [
                "1|upsert|unsent".to_owned(),
                "2|upsert|superseded".to_owned(),
                format!("2|{operation}|unsent")
            ]
        );
        db.rows("select * from sluice.start_delivery('items', 'test')").await;
        let claimed = db.rows(CLAIM).await;
        let expected = expected.replace(
            ", \"id\": 2}",
            if is_delete { ", \"id\": 2, \"gone\": null}" } else { ", \"id\": 2}" },
        );
        assert_eq!(claimed[1], expected);
    }
}

#[tokio::test]
async fn the_same_content_wanted_again_has_another_key_and_a_repeat_has_the_same() {
    let (db, mut hand) = shop(DELIVER).await;
    let mut keys = Vec::new();
    db.rows("select * from sluice.start_delivery('items', 'test')").await;
    for n in [1, 2, 1] {
        hand.load(&[put(1, n)]).await;
        let claim = "select delivery_id, idempotency_key, body from sluice.claim_deliveries('items', epoch => 1)";
        let first = db.value(claim).await;
        assert_eq!(db.value(claim).await, first, "a repeat");
        let id = first.split('|').next().unwrap();
        db.execute(&format!(
            r#"select sluice.record_deliveries('items', 1, '[{{"id": {id}, "outcome": "sent", "status": 200}}]')"#
        ))
        .await;
        keys.push(first.split('|').nth(1).unwrap().to_owned());
    }
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 3);
}

#[tokio::test]
async fn rows_that_were_there_are_sent_when_asked_for() {
    let (db, mut hand) = shop("skip_known => true").await;
    hand.load(&[put(2, 1), put(1, 1)]).await;
    db.execute(&format!(
        "insert into shop.items (id) values (3);
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{{id}}', source => sluice.file_source(path => '-'), {DELIVER})"
    ))
    .await;
    assert!(db.rows(STATES).await.is_empty());
    for _ in 0..2 {
        assert_eq!(db.value("select sluice.enqueue_deliveries('items')").await, "2");
    }
    // In the order of the key, and not the row of another writer.
    assert_eq!(
        db.rows(STATES).await,
        ["1|upsert|superseded", "2|upsert|superseded", "1|upsert|unsent", "2|upsert|unsent"]
    );
}
