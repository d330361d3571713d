//! A key that was deleted stays deleted for whatever is older than the delete.

use crate::engine::{Hand, items};
use crate::support::TestDb;

const TOMBSTONES: &str =
    "select key, coalesce(order_value, '-') from sluice.tombstones order by key::text";

/// `items` with a version number to go by.
async fn shop() -> (TestDb, Hand) {
    let db = TestDb::new().await;
    define(&db, "order_by => 'n'").await;
    let hand = Hand::start(&db).await;
    (db, hand)
}

async fn define(db: &TestDb, options: &str) {
    items(
        db,
        "id bigint primary key, n bigint, note text, check (note <> 'bad')",
        "id bigint, n bigint, note text, sluice_deleted boolean",
        "(doc->>'id')::bigint, (doc->>'n')::bigint, doc->>'note', (doc->>'del')::boolean",
        &format!("key => '{{id}}', {options}"),
    )
    .await;
}

fn put(id: i64, n: i64) -> String {
    format!(r#"{{"id": {id}, "n": {n}}}"#)
}

fn del(id: i64, n: i64) -> String {
    format!(r#"{{"id": {id}, "n": {n}, "del": true}}"#)
}

#[tokio::test]
async fn an_older_record_in_a_later_batch_does_not_bring_the_row_back() {
    let (db, mut hand) = shop().await;
    hand.load(&[put(1, 5), put(2, 5)]).await;
    assert_eq!(hand.load(&[del(1, 7)]).await, "extracted=1 transformed=1 produced=1 deleted=1");
    assert_eq!(db.rows(TOMBSTONES).await, [r#"{"id": 1}|7"#]);
    for older in [put(1, 6), put(1, 5), r#"{"id": 1}"#.to_owned()] {
        assert_eq!(hand.load(&[older]).await, "extracted=1 transformed=1 produced=1 stale=1");
    }
    assert_eq!(db.rows("select id from shop.items").await, ["2"]);
    assert_eq!(db.rows(TOMBSTONES).await, [r#"{"id": 1}|7"#]);
    db.is_sound().await;
}

#[tokio::test]
async fn a_newer_or_equal_record_brings_the_row_back_and_the_tombstone_goes() {
    let (db, mut hand) = shop().await;
    for (id, n) in [(1, 8), (2, 7)] {
        hand.load(&[put(id, 5), del(id, 7)]).await;
        assert_eq!(
            hand.load(&[put(id, n)]).await,
            "extracted=1 transformed=1 produced=1 inserted=1"
        );
    }
    assert_eq!(db.rows(TOMBSTONES).await, Vec::<String>::new());
    assert_eq!(
        hand.load(&[put(1, 6), del(1, 7)]).await,
        "extracted=2 transformed=2 produced=2 stale=1 superseded=1",
        "a row that is back is guarded by its own value"
    );
    db.is_sound().await;
}

#[tokio::test]
async fn of_a_delete_and_a_record_in_one_batch_the_newer_counts() {
    let (db, mut hand) = shop().await;
    hand.load(&[put(1, 1), put(2, 1), put(3, 1), put(4, 1)]).await;
    assert_eq!(
        hand.load(&[
            del(1, 5),
            put(1, 4),
            put(2, 4),
            del(2, 5),
            del(3, 5),
            put(3, 6),
            put(4, 5),
            del(4, 5)
        ])
        .await,
        "extracted=8 transformed=8 produced=8 updated=1 deleted=3 superseded=4"
    );
    assert_eq!(db.rows("select id, n from shop.items").await, ["3|6"]);
    assert_eq!(db.rows(TOMBSTONES).await, [r#"{"id": 1}|5"#, r#"{"id": 2}|5"#, r#"{"id": 4}|5"#]);
    db.is_sound().await;
}

#[tokio::test]
async fn a_delete_that_is_older_than_the_row_deletes_nothing_and_leaves_no_tombstone() {
    let (db, mut hand) = shop().await;
    hand.load(&[put(1, 5)]).await;
    assert_eq!(hand.load(&[del(1, 4)]).await, "extracted=1 transformed=1 produced=1 stale=1");
    assert_eq!(db.rows(TOMBSTONES).await, Vec::<String>::new());
    assert_eq!(db.value("select n from shop.items").await, "5");
}

#[tokio::test]
async fn a_delete_of_a_key_that_was_never_there_holds_for_the_row_that_is_still_on_the_way() {
    let (db, mut hand) = shop().await;
    assert_eq!(hand.load(&[del(1, 7)]).await, "extracted=1 transformed=1 produced=1 unchanged=1");
    assert_eq!(hand.load(&[put(1, 6)]).await, "extracted=1 transformed=1 produced=1 stale=1");
    assert_eq!(
        db.value("select count(*) from shop.items").await,
        "0",
        "deletes overtake what they delete, in a queue of several partitions"
    );
}

#[tokio::test]
async fn the_same_delete_again_changes_nothing_and_a_newer_one_moves_the_tombstone() {
    let (db, mut hand) = shop().await;
    hand.load(&[put(1, 1), del(1, 5)]).await;
    let stone = "select xmin, order_value from sluice.tombstones";
    let before = db.rows(stone).await;
    assert_eq!(hand.load(&[del(1, 5)]).await, "extracted=1 transformed=1 produced=1 unchanged=1");
    assert_eq!(db.rows(stone).await, before, "not written again");
    assert_eq!(hand.load(&[del(1, 3)]).await, "extracted=1 transformed=1 produced=1 stale=1");
    assert_eq!(db.rows(TOMBSTONES).await, [r#"{"id": 1}|5"#]);
    hand.load(&[del(1, 9)]).await;
    assert_eq!(db.rows(TOMBSTONES).await, [r#"{"id": 1}|9"#]);
    assert_eq!(hand.load(&[put(1, 8)]).await, "extracted=1 transformed=1 produced=1 stale=1");
}

#[tokio::test]
async fn a_known_record_whose_row_was_deleted_is_looked_at_anew() {
    let (db, mut hand) = shop().await;
    let records: Vec<String> = (1..=40).map(|id| put(id, 5)).collect();
    hand.load(&records).await;
    assert_eq!(hand.load(&records).await, "extracted=40 transformed=40 produced=40 unchanged=40");
    hand.load(&[del(7, 6)]).await;
    assert_eq!(
        hand.load(&records).await,
        "extracted=40 transformed=40 produced=40 unchanged=39 stale=1"
    );
    let known = "select known from sluice.batches order by batch_seq desc limit 1";
    assert_eq!(db.value(known).await, "39");
    db.is_sound().await;
}

#[tokio::test]
async fn a_quarantined_record_that_is_replayed_does_not_bring_the_row_back() {
    for (order_by, n) in [(true, 5), (true, 7), (false, 9)] {
        let db = TestDb::new().await;
        define(&db, if order_by { "order_by => 'n'" } else { "order_by => null" }).await;
        let mut hand = Hand::start(&db).await;
        hand.load(&[put(1, 1)]).await;
        hand.load(&[format!(r#"{{"id": 1, "n": {n}, "note": "bad"}}"#)]).await;
        hand.load(&[del(1, 7)]).await;
        db.execute("alter table shop.items drop constraint items_note_check").await;
        assert_eq!(
            db.rows("select replayed, unsure, inserted, stale from sluice.replay('items')").await,
            ["1|0|0|1"],
            "order_by {order_by}, {n}: it came before the delete"
        );
        assert_eq!(db.value("select count(*) from shop.items").await, "0");
        db.is_sound().await;
    }
}

#[tokio::test]
async fn a_replayed_record_that_is_newer_than_the_delete_brings_the_row_back() {
    for (order_by, n) in [(true, 9), (false, 3)] {
        let db = TestDb::new().await;
        define(&db, if order_by { "order_by => 'n'" } else { "order_by => null" }).await;
        let mut hand = Hand::start(&db).await;
        hand.load(&[put(1, 1)]).await;
        hand.load(&[del(1, 7)]).await;
        hand.load(&[format!(r#"{{"id": 1, "n": {n}, "note": "bad"}}"#)]).await;
        db.execute("alter table shop.items drop constraint items_note_check").await;
        assert_eq!(
            db.rows("select replayed, unsure, inserted, stale from sluice.replay('items')").await,
            ["1|0|1|0"],
            "order_by {order_by}"
        );
        assert_eq!(db.rows(TOMBSTONES).await, Vec::<String>::new());
        db.is_sound().await;
    }
}

/// Which of a delete and a bad record of one batch came later is lost with the batch.
#[tokio::test]
async fn a_replayed_record_of_the_batch_that_deleted_its_key_is_unsure_without_order_by() {
    let db = TestDb::new().await;
    define(&db, "order_by => null").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[put(1, 1)]).await;
    hand.load(&[r#"{"id": 1, "n": 2, "note": "bad"}"#.to_owned(), del(1, 3)]).await;
    db.execute("alter table shop.items drop constraint items_note_check").await;
    assert_eq!(
        db.rows("select replayed, unsure, inserted from sluice.replay('items')").await,
        ["0|1|0"]
    );
    assert_eq!(
        db.rows("select replayed, unsure, inserted from sluice.replay('items', overwrite_unsure => true)")
            .await,
        ["1|0|1"]
    );
    db.is_sound().await;
}

#[tokio::test]
async fn what_was_deleted_stays_deleted_when_everything_is_read_again() {
    for (options, first) in [
        ("order_by => 'n'", "stale=1"),
        // Without it, what is read again is newer.
        ("order_by => null", "inserted=1"),
    ] {
        let db = TestDb::new().await;
        define(&db, options).await;
        let history = [put(1, 1), put(2, 1), del(1, 2)];
        let mut hand = Hand::start(&db).await;
        for record in &history {
            hand.load(&[record]).await;
        }
        db.execute("select sluice.rewind('items', to_start => true)").await;
        let mut hand = Hand::start(&db).await;
        let books = hand.load(&history[..1]).await;
        assert!(books.ends_with(first), "{options}: {books}");
        hand.load(&history[1..]).await;
        assert_eq!(db.rows("select id from shop.items").await, ["2"], "{options}");
        db.is_sound().await;
    }
}

/// A key is known again in whatever form it comes: by equality, not by its bytes.
#[tokio::test]
async fn keys_of_every_kind_are_recognised() {
    for (column, deleted, same) in [
        ("text", "a b", "a b"),
        ("char(4)", "ab", "ab  "),
        ("numeric", "1.50", "1.5"),
        ("float8", "-0", "0"),
        ("timestamptz", "2026-03-01T08:00:00Z", "2026-03-01 09:00:00+01"),
        ("uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "{a0eebc999c0b4ef8bb6d6bb9bd380a11}"),
        ("shop.word", "Anna", "Anna"),
        ("shop.colour", "red", "red"),
        ("bytea", "\\\\x4142", "AB"),
        ("date", "20260301", "2026-03-01"),
    ] {
        let db = TestDb::new().await;
        db.execute(
            "create schema shop; create domain shop.word as text check (value <> '');
             create type shop.colour as enum ('red', 'blue')",
        )
        .await;
        items(
            &db,
            &format!("k {column}, part integer, n timestamptz, primary key (k, part)"),
            &format!("k {column}, part integer, n timestamptz, sluice_deleted boolean"),
            &format!("(doc->>'k')::{column}, 1, (doc->>'n')::timestamptz, (doc->>'del')::boolean"),
            "key => '{part, k}', order_by => 'n'",
        )
        .await;
        let mut hand = Hand::start(&db).await;
        hand.load(&[format!(r#"{{"k": "{deleted}", "n": "2026-01-01Z"}}"#)]).await;
        // Whatever the session thinks of time, what is kept of it is the same.
        hand.session
            .batch_execute("set timezone = 'Asia/Tokyo'; set datestyle = 'SQL, DMY'")
            .await
            .unwrap();
        hand.load(&[format!(r#"{{"k": "{deleted}", "n": "2026-01-03 01:00+09", "del": true}}"#)])
            .await;
        hand.session.batch_execute("reset all").await.unwrap();
        assert_eq!(
            hand.load(&[format!(r#"{{"k": "{same}", "n": "2026-01-02 15:59:59Z"}}"#)]).await,
            "extracted=1 transformed=1 produced=1 stale=1",
            "{column}"
        );
        assert_eq!(
            hand.load(&[format!(r#"{{"k": "{same}", "n": "2026-01-02 16:00:01Z"}}"#)]).await,
            "extracted=1 transformed=1 produced=1 inserted=1",
            "{column}"
        );
        let left = db.value("select count(*) from sluice.tombstones").await;
        assert_eq!(left, "0", "{column}");
    }
}

#[tokio::test]
async fn tombstones_belong_to_the_target_and_go_with_its_last_pipeline() {
    let (db, mut hand) = shop().await;
    db.execute(
        "select sluice.define_pipeline(name => 'other', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', order_by => 'n', source => sluice.file_source(path => '-'), max_bad_ratio => 1)",
    )
    .await;
    let mut other = Hand::of(db.connect().await, "other").await;
    hand.load(&[put(1, 5)]).await;
    hand.load(&[del(1, 7)]).await;
    assert_eq!(other.load(&[put(1, 6)]).await, "extracted=1 transformed=1 produced=1 stale=1");
    db.execute("select sluice.drop_pipeline('items')").await;
    assert_eq!(other.load(&[put(1, 6)]).await, "extracted=1 transformed=1 produced=1 stale=1");
    db.execute("select sluice.drop_pipeline('other')").await;
    assert_eq!(db.rows(TOMBSTONES).await, Vec::<String>::new());
}

/// A record that fails in the merge leaves the batch; what it superseded comes back into it,
/// and is judged by the tombstone again.
#[tokio::test]
async fn tombstones_count_for_what_a_faulty_record_had_superseded() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, n bigint, u text unique",
        "id bigint, n bigint, u text, sluice_deleted boolean",
        "(doc->>'id')::bigint, (doc->>'n')::bigint, doc->>'u', (doc->>'del')::boolean",
        "key => '{id}', order_by => 'n'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 9, "n": 1, "u": "taken"}"#, r#"{"id": 1, "n": 1}"#]).await;
    hand.load(&[r#"{"id": 1, "n": 5, "del": true}"#]).await;
    assert_eq!(
        hand.load(&[
            r#"{"id": 1, "n": 4}"#,
            r#"{"id": 1, "n": 6, "u": "taken"}"#,
            r#"{"id": 2, "n": 6}"#
        ])
        .await,
        "extracted=3 transformed=2 quarantined=1 produced=2 inserted=1 stale=1"
    );
    assert_eq!(db.rows("select id from shop.items order by 1").await, ["2", "9"]);
    db.is_sound().await;
}
