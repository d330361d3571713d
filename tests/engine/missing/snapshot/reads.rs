//! What is one complete read, and what is none.

use super::{DELETE, TABLE, finish, ids, is_forgotten, put, puts, read, shop};
use crate::engine::{Hand, WAITS_FOR_TARGET, problem};
use crate::support::TestDb;

/// A batch with more to say than records.
pub(super) async fn load_as(hand: &mut Hand, records: &[String], more: &str) {
    hand.stage(records).await.unwrap();
    hand.transform().await.unwrap();
    hand.session
        .query_one(
            &format!("select from sluice.load_batch($1, $2, $3, jsonb_build_object('to', $3::bigint), {more})"),
            &[&hand.run, &hand.epoch, &(hand.seq + 1)],
        )
        .await
        .unwrap();
    hand.session.batch_execute("commit").await.unwrap();
    hand.seq += 1;
}

async fn redefine(db: &TestDb, version: i32, more: &str) {
    db.execute(&format!(
        "select sluice.define_pipeline(name => 'items', version => {version}, transform => 'shop.items_v{version}', target => 'shop.items',
           key => '{{id}}', max_bad_ratio => 1, {more})"
    ))
    .await;
}

const SOURCE: &str = "source => sluice.file_source(path => '-')";

#[tokio::test]
async fn a_read_goes_over_as_many_batches_and_runs_as_it_takes() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=9)).await;
    hand.load(&puts(1..=3)).await;
    let mut hand = Hand::start(&db).await;
    hand.load(&puts(4..=5)).await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(finish(&mut hand).await, "deleted=4 updated=0");
    assert_eq!(ids(&db).await, "1 2 3 4 5");
    assert_eq!(finish(&mut hand).await, "", "nothing new is no read");
    is_forgotten(&db).await;
    db.is_sound().await;
}

#[tokio::test]
async fn a_pipeline_that_keeps_its_rows_notes_nothing() {
    let (db, mut hand) = shop(TABLE, "missing => 'keep'").await;
    hand.load(&puts(1..=3)).await;
    is_forgotten(&db).await;
    assert_eq!(read(&mut hand, &puts([1])).await, "");
    assert_eq!(ids(&db).await, "1 2 3");
}

#[tokio::test]
async fn a_read_that_brought_no_row_says_nothing() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=3)).await;
    for records in [vec![], vec![r#"{"id": 1, "draft": true}"#.to_owned()]] {
        let said = read(&mut hand, &records).await;
        assert!(said.ends_with("it brought no row at all"), "{said}");
        is_forgotten(&db).await;
    }
    assert_eq!(ids(&db).await, "1 2 3");
}

#[tokio::test]
async fn a_record_in_quarantine_spoils_its_read_and_not_the_next() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=3)).await;
    hand.load(&puts([1])).await;
    hand.load(&["bad"]).await;
    let said = finish(&mut hand).await;
    assert!(said.ends_with("records of it in quarantine: 1"), "{said}");
    assert_eq!(ids(&db).await, "1 2 3");
    is_forgotten(&db).await;
    assert_eq!(
        read(&mut hand, &puts([1])).await,
        "deleted=2 updated=0",
        "what is in quarantine since before does not matter"
    );
    hand.load(&["bad"]).await;
    let said = read(&mut hand, &puts([1])).await;
    assert!(said.contains("in quarantine: 1"), "the same again: {said}");
}

#[tokio::test]
async fn a_record_that_is_replayed_before_the_end_was_read() {
    let (db, mut hand) = shop(&format!("{TABLE}, check (n < 5)"), DELETE).await;
    let bad = r#"{"id": 2, "n": 7}"#.to_owned();
    read(&mut hand, &puts(1..=3)).await;
    hand.load(&[put(1), bad.clone()]).await;
    db.execute(
        "alter table shop.items drop constraint items_n_check; select sluice.replay('items')",
    )
    .await;
    assert_eq!(finish(&mut hand).await, "deleted=1 updated=0");
    assert_eq!(db.rows("select id, n from shop.items order by id").await, ["1|1", "2|7"]);
    // It need not have written its row for that.
    db.execute("alter table shop.items add constraint few check (id <> 2 or n <> 7) not valid")
        .await;
    hand.load(&[put(1), bad]).await;
    assert_eq!(db.value("select count(*) from sluice.quarantine_open").await, "1");
    db.execute("alter table shop.items drop constraint few").await;
    assert_eq!(db.rows("select replayed, unchanged from sluice.replay('items')").await, ["1|1"]);
    assert_eq!(finish(&mut hand).await, "deleted=0 updated=0");
    hand.load(&[put(1), put(2), "bad".to_owned()]).await;
    db.execute("select sluice.discard('items', reason => 'rubbish', all_open => true)").await;
    let said = finish(&mut hand).await;
    assert!(said.contains("in quarantine: 1"), "discarded: {said}");
}

#[tokio::test]
async fn a_rewind_or_a_skip_in_the_middle_ends_the_read() {
    for goal in ["to_start => true", "to_batch => 1", "object => 'a'"] {
        let (db, mut hand) = shop(TABLE, DELETE).await;
        let object = r#"'[{"object": "a", "identity": {}, "position": 1, "is_done": true}]'"#;
        load_as(&mut hand, &puts(1..=3), object).await;
        finish(&mut hand).await;
        hand.load(&puts([1])).await;
        db.execute(&format!("select sluice.rewind('items', {goal})")).await;
        let mut hand = Hand::start(&db).await;
        hand.load(&puts([2])).await;
        let said = finish(&mut hand).await;
        assert!(said.contains("a rewind in the middle"), "{goal}: {said}");
        assert_eq!(ids(&db).await, "1 2 3");
        assert_eq!(read(&mut hand, &puts([3])).await, "deleted=2 updated=0");
    }
}

#[tokio::test]
async fn what_is_read_behind_a_rewind_is_complete_only_from_the_start() {
    for (goal, is_complete) in
        [("to_start => true", true), ("to_batch => 1", false), ("object => 'a'", false)]
    {
        let (db, mut hand) = shop(TABLE, DELETE).await;
        let object = r#"'[{"object": "a", "identity": {}, "position": 1, "is_done": true}]'"#;
        load_as(&mut hand, &puts(1..=3), object).await;
        finish(&mut hand).await;
        db.execute(&format!("select sluice.rewind('items', {goal})")).await;
        let mut hand = Hand::start(&db).await;
        hand.load(&puts([2])).await;
        let said = finish(&mut hand).await;
        match is_complete {
            true => assert_eq!(said, "deleted=2 updated=0", "{goal}"),
            false => assert!(said.contains("after a rewind"), "{goal}: {said}"),
        }
    }
}

#[tokio::test]
async fn another_version_or_source_in_the_middle_ends_the_read() {
    for change in ["version", "source", "version at the end"] {
        let (db, mut hand) = shop(TABLE, DELETE).await;
        read(&mut hand, &puts(1..=3)).await;
        hand.load(&puts([1])).await;
        match change {
            "source" => {
                redefine(&db, 1, &format!("{DELETE}, source => sluice.file_source(path => 'x')"))
                    .await
            }
            _ => {
                db.execute(
                    "create function shop.items_v2(doc jsonb) returns table (id bigint, n bigint) language sql stable as
                       $$ select (doc->>'id')::bigint, (doc->>'n')::bigint $$",
                )
                .await;
                redefine(&db, 2, &format!("{DELETE}, {SOURCE}")).await;
            }
        }
        if change != "version at the end" {
            hand.load(&puts([2])).await;
        }
        let said = finish(&mut hand).await;
        assert!(said.contains("was defined anew in the middle"), "{said}");
        assert_eq!(ids(&db).await, "1 2 3");
        assert_eq!(read(&mut hand, &puts([3])).await, "deleted=2 updated=0");
    }
}

#[tokio::test]
async fn a_version_between_two_reads_changes_nothing() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=3)).await;
    db.execute(
        "create function shop.items_v2(doc jsonb) returns table (id bigint) language sql stable as
           $$ select (doc->>'id')::bigint $$",
    )
    .await;
    redefine(&db, 2, &format!("{DELETE}, {SOURCE}")).await;
    assert_eq!(read(&mut hand, &puts([1])).await, "deleted=2 updated=0");
    db.is_sound().await;
}

/// Where the source was when the pipeline was told, nobody noted.
#[tokio::test]
async fn a_pipeline_that_kept_its_rows_begins_at_the_next_end_of_the_source() {
    let (db, mut hand) = shop(TABLE, "missing => 'keep'").await;
    hand.load(&puts(1..=3)).await;
    redefine(&db, 1, &format!("{DELETE}, {SOURCE}")).await;
    hand.load(&puts([3])).await;
    let said = finish(&mut hand).await;
    assert!(said.contains("before the pipeline was told"), "{said}");
    assert_eq!(ids(&db).await, "1 2 3");
    hand.load(&puts([3])).await;
    redefine(&db, 1, &format!("missing => 'keep', {SOURCE}")).await;
    is_forgotten(&db).await;
    assert_eq!(finish(&mut hand).await, "");
    redefine(&db, 1, &format!("{DELETE}, {SOURCE}")).await;
    finish(&mut hand).await;
    assert_eq!(read(&mut hand, &puts([3])).await, "deleted=2 updated=0");
}

#[tokio::test]
async fn a_batch_that_begins_the_source_forgets_what_was_broken_off() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=5)).await;
    load_as(&mut hand, &puts([1, 2]), "snapshot => 'begin'").await;
    load_as(&mut hand, &puts([3]), "snapshot => 'begin'").await;
    load_as(&mut hand, &puts([4]), "snapshot => 'continue'").await;
    assert_eq!(finish(&mut hand).await, "deleted=3 updated=0");
    assert_eq!(ids(&db).await, "3 4");
    let perhaps = format!(
        "begin; select sluice.begin_batch('items'); select sluice.transform_batch();
         select sluice.load_batch({}, {}, {}, '{{}}', snapshot => 'perhaps')",
        hand.run,
        hand.epoch,
        hand.seq + 1
    );
    problem(&db, &perhaps)
        .await
        .refuses("snapshot cannot be 'perhaps'", "begin, continue or ignore");
}

#[tokio::test]
async fn a_flaw_holds_for_the_whole_read() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=5)).await;
    hand.load(&puts([1])).await;
    load_as(&mut hand, &puts([2]), "spoilt_by => 'page 7 was empty'").await;
    hand.load(&puts([3])).await;
    assert_eq!(db.value("select count(*) from sluice.snapshot_keys").await, "0");
    let said = finish(&mut hand).await;
    assert!(said.ends_with("page 7 was empty"), "{said}");
    assert_eq!(ids(&db).await, "1 2 3 4 5");
}

#[tokio::test]
async fn records_from_elsewhere_are_no_part_of_the_read() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=3)).await;
    load_as(&mut hand, &puts([1, 8]), "snapshot => 'ignore'").await;
    assert_eq!(finish(&mut hand).await, "", "they make none");
    hand.load(&puts([2])).await;
    load_as(&mut hand, &puts([9]), "snapshot => 'ignore'").await;
    assert_eq!(finish(&mut hand).await, "deleted=1 updated=0");
    assert_eq!(ids(&db).await, "1 2 8 9", "what they brought is there");
    assert_eq!(read(&mut hand, &puts([2])).await, "deleted=3 updated=0");
}

#[tokio::test]
async fn a_file_that_is_half_read_keeps_the_read_open() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=5)).await;
    let state = |done: bool| {
        format!(r#"'[{{"object": "a", "identity": {{}}, "position": 1, "is_done": {done}}}]'"#)
    };
    load_as(&mut hand, &puts([1]), &state(false)).await;
    let said = finish(&mut hand).await;
    assert!(said.contains("a has not been read to its end"), "{said}");
    load_as(&mut hand, &puts([2]), &state(true)).await;
    assert_eq!(finish(&mut hand).await, "deleted=3 updated=0");
    assert_eq!(ids(&db).await, "1 2");
}

#[tokio::test]
async fn a_file_whose_reading_began_before_the_read_spoils_it() {
    let (db, mut hand) = shop(TABLE, "missing => 'keep'").await;
    let state = |done: bool| {
        format!(r#"'[{{"object": "a", "identity": {{}}, "position": 1, "is_done": {done}}}]'"#)
    };
    load_as(&mut hand, &puts(1..=3), &state(false)).await;
    redefine(&db, 1, &format!("{DELETE}, {SOURCE}")).await;
    finish(&mut hand).await;
    load_as(&mut hand, &puts([4]), &state(true)).await;
    let said = finish(&mut hand).await;
    assert!(said.contains("the reading of a began before it"), "{said}");
    assert_eq!(ids(&db).await, "1 2 3 4");
}

#[tokio::test]
async fn a_row_that_the_read_itself_wrote_is_not_missing_whatever_became_of_its_key() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=5)).await;
    // By the first batch of the read, and by a later one.
    hand.load(&puts(1..=6)).await;
    hand.load(&puts([7])).await;
    db.execute("update shop.items set id = 10 * id where id > 5").await;
    assert_eq!(finish(&mut hand).await, "deleted=0 updated=0");
    assert_eq!(ids(&db).await, "1 2 3 4 5 60 70");
}

#[tokio::test]
async fn the_end_of_a_read_waits_for_whoever_writes_to_the_target() {
    let (db, mut hand) = shop(TABLE, DELETE).await;
    read(&mut hand, &puts(1..=2)).await;
    hand.load(&puts([1])).await;
    let writer = db.connect().await;
    writer
        .batch_execute("begin; select sluice._lock_target('shop.items'::regclass)")
        .await
        .unwrap();
    let (said, ()) = tokio::join!(finish(&mut hand), async {
        db.wait_until(WAITS_FOR_TARGET).await;
        writer.batch_execute("commit").await.unwrap();
    });
    assert_eq!(said, "deleted=1 updated=0");
}
