//! Which rows are missing, and what becomes of them.

use super::{DELETE, TABLE, finish, ids, is_forgotten, put, puts, read, shop};
use crate::engine::{Hand, items};
use crate::support::TestDb;

#[tokio::test]
async fn rows_that_no_record_brought_are_deleted_and_have_a_tombstone() {
    let (db, mut hand) = shop(TABLE, &format!("{DELETE}, order_by => 'n'")).await;
    assert_eq!(read(&mut hand, &puts(1..=5)).await, "deleted=0 updated=0");
    hand.load(&puts([1, 2])).await;
    hand.load(&puts([5])).await;
    assert_eq!(finish(&mut hand).await, "deleted=2 updated=0");
    assert_eq!(ids(&db).await, "1 2 5");
    assert_eq!(
        db.rows("select key, order_value from sluice.tombstones order by key::text").await,
        [r#"{"id": 3}|1"#, r#"{"id": 4}|1"#]
    );
    assert_eq!(
        db.rows("select batch_seq, kind, version, produced, deleted, cursor_before = cursor_after from sluice.batches order by 1")
            .await,
        ["1|load|1|5|0|f", "2|snapshot|1|0|0|t", "3|load|1|2|0|f", "4|load|1|1|0|f", "5|snapshot|1|2|2|t"]
            .map(|row| if row.starts_with("1|") { row.replace("|f", "|-") } else { row.to_owned() })
    );
    let totals =
        "select count(*), sum(deleted), sum(produced) from sluice.batches where run_id = 1";
    assert_eq!(db.rows(totals).await, ["5|2|10"]);
    assert_eq!(
        hand.load(&[r#"{"id": 3, "n": 0}"#]).await,
        "extracted=1 transformed=1 produced=1 stale=1",
        "an older record does not bring it back"
    );
    hand.load(&puts([1, 2, 3, 5])).await;
    assert_eq!(finish(&mut hand).await, "deleted=0 updated=0");
    assert_eq!(ids(&db).await, "1 2 3 5");
    is_forgotten(&db).await;
    db.is_sound().await;
}

#[tokio::test]
async fn known_changed_stale_and_superseded_records_were_seen() {
    let (db, mut hand) = shop(TABLE, &format!("{DELETE}, order_by => 'n'")).await;
    let mut records = puts(1..=60);
    records.push(r#"{"id": 61, "n": 9}"#.to_owned());
    read(&mut hand, &records).await;
    records[60] = r#"{"id": 61, "n": 3}"#.to_owned();
    records[10] = r#"{"id": 11, "n": 2}"#.to_owned();
    records.push(r#"{"id": 12, "n": 2}"#.to_owned());
    assert_eq!(
        hand.load(&records).await,
        "extracted=62 transformed=62 produced=62 updated=2 unchanged=58 stale=1 superseded=1"
    );
    let known = "select known > 0 from sluice.batches order by batch_seq desc limit 1";
    assert_eq!(db.value(known).await, "t");
    assert_eq!(finish(&mut hand).await, "deleted=0 updated=0");
    // All known, in a batch that has nothing to transform.
    assert_eq!(read(&mut hand, &records).await, "deleted=0 updated=0");
    let all_known = hand.load(&records[20..60]).await;
    assert!(all_known.ends_with("unchanged=40"), "{all_known}");
    let known = "select known from sluice.batches order by batch_seq desc limit 1";
    assert_eq!(db.value(known).await, "40");
    assert_eq!(finish(&mut hand).await, "deleted=21 updated=0");
    db.is_sound().await;
}

#[tokio::test]
async fn a_record_that_is_filtered_now_leaves_its_row_missing() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=3)).await;
    let draft = r#"{"id": 2, "draft": true}"#.to_owned();
    assert_eq!(read(&mut hand, &[put(1), draft, put(3)]).await, "deleted=1 updated=0");
    assert_eq!(ids(&db).await, "1 3");
}

#[tokio::test]
async fn only_rows_that_this_pipeline_wrote_go() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    db.execute(
        "alter table shop.items add constraint small check (n < 100);
         select sluice.define_pipeline(name => 'other', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => '-'), max_bad_ratio => 1);
         insert into shop.items values (100, 1)",
    )
    .await;
    let mut other = Hand::of(db.connect().await, "other").await;
    other.load(&puts([200])).await;
    // One row by replay, one that both pipelines wrote, the other one last.
    hand.load(&[r#"{"id": 3, "n": 300}"#.to_owned(), put(1), put(2)]).await;
    db.execute("alter table shop.items drop constraint small; select sluice.replay('items')").await;
    other.load(&[r#"{"id": 2, "n": 2}"#]).await;
    finish(&mut hand).await;
    assert_eq!(ids(&db).await, "1 2 3 100 200");
    assert_eq!(read(&mut hand, &puts([7])).await, "deleted=2 updated=0");
    assert_eq!(ids(&db).await, "2 7 100 200");
    db.is_sound().await;
}

#[tokio::test]
async fn rows_are_marked_with_the_time_and_unmarked_when_they_come_back() {
    let (db, mut hand) = shop(
        &format!("{TABLE}, gone_at timestamptz"),
        "missing => 'mark', mark_column => 'gone_at', max_delete_ratio => 1",
    )
    .await;
    read(&mut hand, &puts(1..=4)).await;
    assert_eq!(read(&mut hand, &puts([1, 2])).await, "deleted=0 updated=2");
    let marks = "select id, gone_at is not null from shop.items order by id";
    assert_eq!(db.rows(marks).await, ["1|f", "2|f", "3|t", "4|t"]);
    assert_eq!(
        db.value("select bool_and(gone_at = (select max(started_at) from sluice.batches) or gone_at > now() - interval '1 minute') from shop.items where gone_at is not null").await,
        "t"
    );
    assert_eq!(db.value("select count(*) from sluice.tombstones").await, "0");
    let place = "select ctid from shop.items where id = 4";
    let before = db.value(place).await;
    // One comes back as it was, one changed; one that is marked is not marked again.
    hand.load(&[put(1), put(2), r#"{"id": 3, "n": 2}"#.to_owned()]).await;
    assert_eq!(db.rows(marks).await, ["1|f", "2|f", "3|t", "4|t"], "only at the end");
    assert_eq!(finish(&mut hand).await, "deleted=0 updated=1");
    assert_eq!(db.rows(marks).await, ["1|f", "2|f", "3|f", "4|t"]);
    assert_eq!(db.value(place).await, before);
    assert_eq!(read(&mut hand, &puts([1, 2, 3, 4])).await, "deleted=0 updated=1");
    assert_eq!(db.rows(marks).await, ["1|f", "2|f", "3|f", "4|f"]);
    db.is_sound().await;
}

#[tokio::test]
async fn rows_are_marked_true_and_false_again() {
    for column in ["gone boolean", "gone boolean not null default false"] {
        let (db, mut hand) = shop(
            &format!("{TABLE}, {column}"),
            "missing => 'mark', mark_column => 'gone', max_delete_ratio => 0.5",
        )
        .await;
        read(&mut hand, &puts(1..=4)).await;
        let marks =
            "select coalesce(string_agg(id::text, ' ' order by id), '') from shop.items where gone";
        read(&mut hand, &puts([1, 2])).await;
        assert_eq!(db.value(marks).await, "3 4");
        // Of two unmarked rows one is half: what is marked counts neither as held nor as missing.
        assert_eq!(read(&mut hand, &puts([1])).await, "deleted=0 updated=1");
        assert_eq!(db.value(marks).await, "2 3 4");
        assert_eq!(read(&mut hand, &puts(1..=4)).await, "deleted=0 updated=3");
        assert_eq!(db.value(marks).await, "");
    }
}

#[tokio::test]
async fn rows_of_all_partitions_are_found() {
    for missing in ["delete", "mark"] {
        let (db, mut hand) = shop(
            "id bigint primary key, n bigint, gone_at timestamptz) partition by hash (id",
            &format!(
                "missing => '{missing}', max_delete_ratio => 1 {}",
                match missing {
                    "mark" => ", mark_column => 'gone_at'",
                    _ => "",
                }
            ),
        )
        .await;
        db.execute(
            "create table shop.items_0 partition of shop.items for values with (modulus 2, remainder 0);
             create table shop.items_1 partition of shop.items for values with (modulus 2, remainder 1)",
        )
        .await;
        read(&mut hand, &puts(1..=20)).await;
        hand.load(&puts((1..=20).filter(|id| id % 3 == 0))).await;
        finish(&mut hand).await;
        assert_eq!(
            db.value(
                "select string_agg(id::text, ' ' order by id) from shop.items where gone_at is null"
            )
            .await,
            "3 6 9 12 15 18",
            "{missing}"
        );
        db.is_sound().await;
    }
}

/// The key of a record and that of its row are one where the database says so.
#[tokio::test]
async fn equal_keys_of_other_bytes_are_the_same_row() {
    for (column, before, now) in [
        ("numeric", "1.50", "1.5"),
        ("char(6)", "ab", "ab   "),
        ("float8", "-0", "0"),
        ("timestamptz", "2026-03-01T08:00:00Z", "2026-03-01 09:00:00+01"),
        ("uuid", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "a0eebc999c0b4ef8bb6d6bb9bd380a11"),
        ("shop.amount", "7.0", "7"),
    ] {
        let db = TestDb::new().await;
        db.execute("create schema shop; create domain shop.amount as numeric check (value > 0)")
            .await;
        items(
            &db,
            &format!("k {column}, part integer, primary key (k, part)"),
            &format!("part integer, k {column}"),
            &format!("(doc->>'p')::integer, (doc->>'k')::{column}"),
            &format!("key => '{{part, k}}', {DELETE}"),
        )
        .await;
        let mut hand = Hand::start(&db).await;
        let record = |part: i32, key: &str| format!(r#"{{"p": {part}, "k": "{key}"}}"#);
        read(&mut hand, &[record(1, before), record(2, before)]).await;
        assert_eq!(read(&mut hand, &[record(1, now)]).await, "deleted=1 updated=0", "{column}");
        let left = db.value("select string_agg(part::text, ' ') from shop.items").await;
        assert_eq!(left, "1", "{column}");
    }
}

#[tokio::test]
async fn what_would_go_is_shown_to_a_dry_run() {
    for (options, shown) in [
        (DELETE, "delete id=2: n 1"),
        (
            "missing => 'mark', mark_column => 'gone', max_delete_ratio => 1",
            "update id=2: gone null → true",
        ),
    ] {
        let (db, mut hand) = shop(&format!("{TABLE}, gone boolean"), options).await;
        read(&mut hand, &puts([1, 2])).await;
        hand.load(&puts([1])).await;
        hand.session.batch_execute("begin; select sluice.capture_changes(1)").await.unwrap();
        finish(&mut hand).await;
        assert_eq!(
            crate::support::db::rows(&hand.session, "select line from sluice.captured_changes()")
                .await,
            [shown]
        );
        hand.session.batch_execute("rollback").await.unwrap();
        assert_eq!(ids(&db).await, "1 2");
    }
}
