//! Damage of every kind, done by hand, and the check that names it.

use crate::engine::{Hand, items, items_of_ids};
use crate::support::TestDb;

/// Rows that are there and one that was deleted; records that are open, replayed, discarded.
async fn shop() -> TestDb {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, n integer check (n > 0)",
        "id bigint, n integer, sluice_deleted boolean",
        "(doc->>'id')::bigint, (doc->>'n')::integer, doc ? 'gone'",
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 2}"#, r#"{"id": 3, "n": 3}"#]).await;
    hand.load(&[r#"{"id": 4, "n": 0}"#, r#"{"id": 5, "n": "x"}"#, r#"{"id": 6, "n": -1}"#]).await;
    hand.load(&[r#"{"id": 3, "gone": true}"#]).await;
    db.execute(
        r#"select sluice.amend(2, '{"id": 5, "n": 5}', 'typo');
           select * from sluice.replay('items', quarantine_ids => '{2}');
           select sluice.discard('items', '{3}', 'a test')"#,
    )
    .await;
    assert_eq!(
        db.rows("select detail from sluice.verify('items', deep => true)").await,
        [
            "batches: 3, unbroken",
            "the source has none",
            "records: 8, batches: 4, all accounted for",
            "open: 1, closed: 2, as their history says",
            "every row was written by a batch of the ledger",
            "deleted keys: 1, none of them there",
            "versions: 1, as registered",
            "rows: 3, inserted less deleted: 3",
            "rows: 3, none was edited behind the tool's back",
        ]
    );
    db
}

/// Does it, and insists that the check says so, and that no other is needed for it.
async fn is_found(damages: &[(&str, &str, &str)]) {
    for (damage, check, detail) in damages {
        let db = shop().await;
        db.execute(damage).await;
        let found = db
            .rows("select check_name, detail from sluice.verify('items', deep => true) where not is_ok")
            .await;
        assert!(
            found.iter().any(|line| line.starts_with(check) && line.contains(detail)),
            "{damage}: {found:?}"
        );
    }
}

#[tokio::test]
async fn moved_cursors_and_lost_batches_break_the_chain() {
    is_found(&[
        (
            "delete from sluice.batches where batch_seq = 2",
            "cursor chain",
            "follows batch number 1 with number 3",
        ),
        (
            "delete from sluice.batches where batch_seq = 1",
            "cursor chain",
            "follows batch number 0 with number 2",
        ),
        (
            "delete from sluice.batches where batch_seq = 3",
            "cursor chain",
            "the ledger ends at batch number 2",
        ),
        ("delete from sluice.batches", "cursor chain", "the state at 3"),
        (
            "update sluice.batches set cursor_after = '{\"batch\": 9}' where batch_seq = 1",
            "cursor chain",
            "cursor {\"batch\": 1} follows {\"batch\": 9}",
        ),
        (
            "update sluice.batches set cursor_before = '1' where batch_seq = 1",
            "cursor chain",
            "batch 1 follows",
        ),
        ("update sluice.etl_state set batch_seq = 4", "cursor chain", "the state at 4"),
        ("update sluice.etl_state set cursor = null", "cursor chain", "the ledger ends"),
    ])
    .await;
}

#[tokio::test]
async fn objects_that_are_not_as_the_ledger_left_them_are_named() {
    let moved = "update sluice.batches set objects = '[{\"object\": \"a\", \"identity\": {}, \"position\": {\"byte\": 9}, \"is_done\": false}]' where batch_seq = 2;";
    let noted = |position: &str| {
        format!(
            "insert into sluice.source_objects (pipeline_id, object, identity, position, is_done, last_batch_id) values (1, 'a', '{{}}', '{position}', false, 2);"
        )
    };
    is_found(&[
        (moved, "objects", "a is read in the ledger, and not in the state"),
        (&noted("{}"), "objects", "a is read in the state, and not in the ledger"),
        (
            &format!("{moved}{}", noted("{\"byte\": 8}")),
            "objects",
            "a is read up to {\"byte\": 8} in the state, up to {\"byte\": 9} in the ledger",
        ),
    ])
    .await;
}

#[tokio::test]
async fn edited_counters_do_not_balance() {
    is_found(&[
        (
            "alter table sluice.batches drop constraint batches_records_are_accounted_for; update sluice.batches set extracted = 7 where batch_seq = 2",
            "books",
            "batch 2: extracted=7",
        ),
        (
            "alter table sluice.batches drop constraint batches_rows_are_accounted_for; update sluice.batches set produced = 7 where batch_seq = 1",
            "books",
            "produced=7",
        ),
        ("delete from sluice.quarantine where quarantine_id = 1", "books", "batches quarantined 3 records, the quarantine has seen 2"),
        ("update sluice.quarantine set seen_count = 2 where quarantine_id = 1", "books", "batches quarantined 3 records, the quarantine has seen 4"),
    ])
    .await;
}

#[tokio::test]
async fn quarantined_records_closed_or_opened_by_hand_are_named() {
    is_found(&[
        (
            "update sluice.quarantine set status = 'discarded', closed_at = now() where status = 'open'",
            "quarantine",
            "record 1 is discarded, and its history does not say so",
        ),
        (
            "update sluice.quarantine set status = 'open', closed_at = null, resolved_batch_id = null where status = 'replayed'",
            "quarantine",
            "record 2 is open, and its history does not say so",
        ),
        (
            "update sluice.quarantine set status = 'loaded' where status = 'replayed'",
            "quarantine",
            "record 2 is loaded by batch 4, which is a replay",
        ),
        ("update sluice.quarantine set resolved_batch_id = 1 where status = 'replayed'", "quarantine", "record 2 is replayed by batch 1, which is a load"),
        ("update sluice.quarantine set resolved_batch_id = 77 where status = 'replayed'", "quarantine", "record 2 names batch 77, which is not in the ledger"),
        ("update sluice.quarantine set last_batch_id = 77 where status = 'open'", "quarantine", "record 1 names batch 77, which is not in the ledger"),
    ])
    .await;
}

/// The row of an open record, as the batch that set it aside would have written it.
const TORN: &str = "alter table shop.items drop constraint items_n_check;
  insert into shop.items (id, n, sluice_batch) values (4, 0, 2);
  do $$ begin execute format('update shop.items t set sluice_hash = %s where id = 4', sluice._hash_sql('shop.items'::regclass, '{id,n}')); end $$";

#[tokio::test]
async fn a_record_that_is_loaded_and_open_is_torn() {
    is_found(&[(
        TORN,
        "quarantine",
        "record 1 is open, and the rows that it makes are in shop.items",
    )])
    .await;
    // Of the same key, but not made by this record: older, newer, of other writers.
    let db = shop().await;
    db.execute("insert into shop.items (id, n, sluice_batch) values (4, 7, 2)").await;
    for row in ["sluice_batch = 1", "sluice_batch = 4", "sluice_batch = null"] {
        db.execute(&format!("update shop.items set {row} where id = 4")).await;
        assert_eq!(
            db.value("select detail from sluice.verify('items') where check_name = 'quarantine'")
                .await,
            "open: 1, closed: 2, as their history says",
            "{row}"
        );
    }
}

#[tokio::test]
async fn rows_without_a_batch_and_deleted_rows_that_are_back_are_named() {
    is_found(&[
        (
            "update shop.items set sluice_batch = 12345 where id = 2",
            "lineage",
            "1 rows name a batch that is not in the ledger: 12345",
        ),
        (
            "delete from sluice.batches where kind = 'replay'",
            "lineage",
            "1 rows name a batch that is not in the ledger: 4",
        ),
        ("drop table shop.items", "lineage", "shop.items is not there"),
        (
            "alter table shop.items drop column sluice_batch",
            "lineage",
            "shop.items has no column sluice_batch",
        ),
        (
            "insert into shop.items (id, n, sluice_batch) values (3, 3, 1)",
            "tombstones",
            "{\"id\": 3} was deleted by batch 3, and is there",
        ),
    ])
    .await;
    let db = shop().await;
    db.execute("insert into shop.items (id, n) values (3, 3)").await;
    assert_eq!(
        db.value("select bool_and(is_ok) from sluice.verify('items', deep => true)").await,
        "t",
        "a row of another writer"
    );
}

#[tokio::test]
async fn functions_that_were_replaced_are_named() {
    let named = "version 1: shop.items_v1(jsonb) is not what was registered";
    is_found(&[
        (
            "create or replace function shop.items_v1(doc jsonb) returns table (id bigint, n integer, sluice_deleted boolean) language sql stable as 'select 1::bigint, 1, false'",
            "function checksums",
            named,
        ),
        ("drop function shop.items_v1", "function checksums", named),
        ("update sluice.transforms set sha256 = md5('x')", "function checksums", named),
    ])
    .await;
}

#[tokio::test]
async fn edited_and_deleted_rows_are_named() {
    is_found(&[
        (
            "update shop.items set n = 9 where id = 1",
            "row hashes",
            "1 of 3 rows were edited behind the tool's back: {\"id\": 1}",
        ),
        (
            "update shop.items set n = n + 1",
            "row hashes",
            "3 of 3 rows were edited behind the tool's back: {\"id\": 1}, {\"id\": 2}, {\"id\": 5}",
        ),
        (
            "delete from shop.items where id = 1",
            "row count",
            "rows: 2, inserted less deleted: 3; the others were deleted behind the tool's back",
        ),
        (
            "insert into shop.items (id, n, sluice_hash, sluice_batch) select i, 1, '\\x01', 1 from generate_series(10, 19) i",
            "row count",
            "rows: 13, inserted less deleted: 3; no batch wrote the others",
        ),
    ])
    .await;
}

#[tokio::test]
async fn an_emptied_target_is_named_without_deep_and_one_that_never_had_rows_is_not() {
    const COUNT: &str =
        "select is_ok, detail from sluice.verify('items') where check_name = 'row count'";
    let db = shop().await;
    assert_eq!(db.rows(COUNT).await, Vec::<String>::new());
    db.execute("truncate shop.items").await;
    assert_eq!(
        db.rows(COUNT).await,
        [
            "f|rows: 0, inserted less deleted: 3; the others were deleted behind the tool's back (sluice reconcile)"
        ]
    );
    db.execute("select sluice.reconcile('items', accept => '{deleted}', reason => 'a new start')")
        .await;
    assert_eq!(db.rows(COUNT).await, Vec::<String>::new());
    let db = items_of_ids().await;
    assert_eq!(db.rows(COUNT).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_view_in_the_place_of_a_target_is_named_and_not_read() {
    let db = items_of_ids().await;
    Hand::start(&db).await.load(&[r#"{"id": 1}"#]).await;
    db.execute(
        "create function shop.evil() returns integer language plpgsql as
           $$ begin raise exception 'code of the owner ran as whoever verified'; end $$;
         alter table shop.items rename to items_real;
         create view shop.items as select *, shop.evil() as x from shop.items_real;",
    )
    .await;
    let verdicts = "select check_name, is_ok, detail from sluice.verify('items', deep => true)
      where check_name in ('lineage', 'tombstones', 'row count', 'row hashes')";
    assert_eq!(
        db.rows(verdicts).await,
        [
            "lineage|f|shop.items is not a table any more",
            "tombstones|t|no key of the target was deleted",
            "row count|-|not checked: shop.items is not a table any more",
            "row hashes|-|not checked: shop.items is not a table any more",
        ]
    );
}

#[tokio::test]
async fn a_row_that_another_record_of_the_batch_made_too_is_no_torn_one() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint, n integer check (n > 0), primary key (id, n)",
        "id bigint, n integer",
        "(doc->>'id')::bigint, n::integer from jsonb_array_elements_text(doc->'l') n",
        "key => '{id,n}'",
    )
    .await;
    let books = Hand::start(&db)
        .await
        .load(&[r#"{"id": 1, "l": [2, 3]}"#, r#"{"id": 1, "l": [2, 0]}"#])
        .await;
    assert!(books.contains("quarantined=1"), "{books}");
    assert_eq!(
        db.value("select bool_and(is_ok) from sluice.verify('items', deep => true)").await,
        "t"
    );
}
