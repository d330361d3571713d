//! Where a row comes from.

use crate::engine::retained::raw_records::shop;
use crate::engine::{Hand, problem};
use crate::support::TestDb;

/// The facts about a key; times and numbers of sequences left out.
async fn why(db: &TestDb, key: &str) -> Vec<String> {
    db.rows(&format!(
        "select fact, regexp_replace(value, 'first seen .*', 'first seen)') from sluice.why('items', '{key}') where fact not in ('committed', 'run', 'by')"
    ))
    .await
}

async fn last_batch(db: &TestDb) -> String {
    db.value("select max(batch_id) from sluice.batches").await
}

#[tokio::test]
async fn retained_record_is_named_exactly() {
    let db = shop("retain_raw => '7 days'").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 2}"#, r#"{"id": 1, "n": 3}"#]).await;
    let batch = last_batch(&db).await;
    // Written as a number or as a text, it is the same key; the last record of it counted.
    for key in [r#"{"id": 1}"#, r#"{"id": "1"}"#] {
        assert_eq!(
            why(&db, key).await,
            [
                r#"key|{"id": 1}"#.to_owned(),
                "row|in shop.items".to_owned(),
                "pipeline|items".to_owned(),
                format!("batch|{batch}, load"),
                "version|1, shop.items_v1(jsonb)".to_owned(),
                "source|hand:3".to_owned(),
                r#"payload|{"id": 1, "n": 3}"#.to_owned(),
            ]
        );
    }
    let run = "select value from sluice.why('items', '{\"id\": 1}') where fact in ('run', 'by')";
    assert_eq!(
        db.rows(run).await,
        [format!("{}, by hand", hand.run), db.value("select session_user").await]
    );
    db.execute(&format!("select sluice.reload('items', '{{{batch}}}')")).await;
    db.execute("update shop.items set sluice_hash = null").await;
    db.execute(&format!("select sluice.reload('items', '{{{batch}}}')")).await;
    let reload = last_batch(&db).await;
    assert_eq!(
        why(&db, r#"{"id": 2}"#).await[3..],
        [
            format!("batch|{reload}, a reload of batch {batch}"),
            "version|1, shop.items_v1(jsonb)".to_owned(),
            "source|hand:2".to_owned(),
            r#"payload|{"id": 2, "n": 2}"#.to_owned(),
        ]
    );
}

#[tokio::test]
async fn without_payloads_the_places_that_the_batch_read_are_named() {
    let db = shop("skip_known => true").await;
    let hand = Hand::start(&db).await;
    hand.stage(&[r#"{"id": 1, "n": 1}"#]).await.unwrap();
    hand.session
        .batch_execute(r#"select sluice.transform_batch('[{"first_ordinal": 0, "origin": "a.csv", "first_position": 7, "last_position": 9},
            {"first_ordinal": 3, "origin": "b.csv", "first_position": 1, "last_position": 1}, {"first_ordinal": 4, "origin": "c"},
            {"first_ordinal": 5, "origin": "d"}, {"first_ordinal": 6, "origin": "e"}, {"first_ordinal": 7, "origin": "f"}]')"#)
        .await
        .unwrap();
    hand.merge().await.unwrap();
    hand.session.batch_execute("commit").await.unwrap();
    assert_eq!(
        why(&db, r#"{"id": 1}"#).await[5..],
        ["source|a.csv:7-9, b.csv:1, c, d, e and 1 more", "payload|not retained"]
    );
}

#[tokio::test]
async fn rows_of_others_and_absent_ones_are_told_apart() {
    let db = shop("retain_raw => '7 days'").await;
    db.execute(
        "insert into shop.items values (1, 1); insert into shop.items values (2, 2, null, 4711)",
    )
    .await;
    assert_eq!(why(&db, r#"{"id": 1}"#).await[1..], ["row|in shop.items, written by no pipeline"]);
    assert_eq!(
        why(&db, r#"{"id": 2}"#).await[1..],
        [
            "row|in shop.items",
            "batch|4711, which is not in the ledger: of a pipeline that was dropped"
        ]
    );
    assert_eq!(why(&db, r#"{"id": 3}"#).await[1..], ["row|not in shop.items"]);
}

#[tokio::test]
async fn quarantine_of_the_same_key_is_told() {
    let db = shop("retain_raw => '7 days'").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 0}"#, r#"{"id": 1, "n": "x"}"#, r#"{"id": 11, "n": "x"}"#, "1"])
        .await;
    assert_eq!(
        why(&db, r#"{"id": 1}"#).await[1..],
        [
            "row|not in shop.items",
            r#"quarantine 2|open: 22P02 n: invalid input syntax for type integer: "x" (hand:2, version 1, first seen)"#,
            r#"quarantine 1|open: 23514 n: new row for relation "items" violates check constraint "items_n_check" (hand:1, version 1, first seen)"#,
        ]
    );
    db.execute(
        "select sluice.amend(1, '{\"id\": 1, \"n\": 4}', 'typo');
         select * from sluice.replay('items', quarantine_ids => '{1}');
         select sluice.discard('items', '{2}', 'rubbish')",
    )
    .await;
    let replay = last_batch(&db).await;
    assert_eq!(
        why(&db, r#"{"id": 1}"#).await[1..],
        [
            "row|in shop.items".to_owned(),
            "pipeline|items".to_owned(),
            format!("batch|{replay}, a replay of quarantined records"),
            "version|1, shop.items_v1(jsonb)".to_owned(),
            "replay of|quarantined record 1".to_owned(),
            "source|hand:1".to_owned(),
            r#"payload|{"id": 1, "n": 4}"#.to_owned(),
            r#"quarantine 2|discarded, rubbish: 22P02 n: invalid input syntax for type integer: "x" (hand:2, version 1, first seen)"#.to_owned(),
            format!(r#"quarantine 1|replayed by batch {replay}: 23514 n: new row for relation "items" violates check constraint "items_n_check" (hand:1, version 1, first seen)"#),
        ]
    );
}

#[tokio::test]
async fn deleted_key_names_the_batch_that_deleted_it() {
    let db = TestDb::new().await;
    crate::engine::items(
        &db,
        "id numeric(10,2), region varchar(3), primary key (id, region)",
        "id numeric, region text, sluice_deleted boolean",
        "(doc->>'id')::numeric, doc->>'region', (doc->>'gone')::boolean",
        "key => '{id, region}', retain_raw => '7 days'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "region": "eu"}"#]).await;
    hand.load(&[r#"{"id": 1, "region": "eu", "gone": true}"#]).await;
    let batch = last_batch(&db).await;
    assert_eq!(
        why(&db, r#"{"region": "eu", "id": 1.0}"#).await,
        [
            r#"key|{"id": 1.00, "region": "eu"}"#.to_owned(),
            "row|not in shop.items, deleted".to_owned(),
            "pipeline|items".to_owned(),
            format!("batch|{batch}, load"),
            "version|1, shop.items_v1(jsonb)".to_owned(),
            "source|hand:1".to_owned(),
            r#"payload|{"id": 1, "region": "eu", "gone": true}"#.to_owned(),
        ]
    );
    for (key, message) in [
        (r#"{"id": 1}"#, "region is missing"),
        (r#"{"id": 1, "region": null}"#, "region is missing"),
        (r#"{"id": 1, "region": "eu", "x": 1}"#, "x is not part of it"),
        (r#"{"id": "one", "region": "eu"}"#, r#"invalid input syntax for type numeric: "one""#),
        (r#"{"id": 1, "region": "europe"}"#, "value too long"),
        (r#"[1]"#, "is not an object"),
    ] {
        problem(&db, &format!("select sluice.why('items', '{key}')"))
            .await
            .refuses(message, r#"{"id": ..., "region": ...}"#);
    }
    problem(&db, "select sluice.why('nothing', '{}')")
        .await
        .refuses("pipeline nothing is not defined", "");
}

#[tokio::test]
async fn version_that_cannot_run_any_more_is_no_obstacle() {
    let db = shop("retain_raw => '7 days'").await;
    Hand::start(&db).await.load(&[r#"{"id": 1, "n": 1}"#]).await;
    let before = db.value("select count(*) from sluice.batches").await;
    db.execute("drop function shop.items_v1(jsonb)").await;
    let facts = why(&db, r#"{"id": 1}"#).await;
    assert_eq!(facts[5], "source|hand");
    assert!(facts[6].starts_with("payload|cannot be looked for: pipeline items: transform shop.items_v1(jsonb) was dropped"), "{facts:?}");
    assert_eq!(db.value("select count(*) from sluice.batches").await, before);
}

#[tokio::test]
async fn a_key_of_one_column_may_be_its_value_alone() {
    let db = shop("retain_raw => '7 days'").await;
    Hand::start(&db).await.load(&[r#"{"id": 1, "n": 1}"#]).await;
    for key in ["1", "\"1\"", r#"{"id": 1}"#] {
        assert_eq!(why(&db, key).await[..2], [r#"key|{"id": 1}"#, "row|in shop.items"]);
    }
    problem(&db, "select sluice.why('items', '\"x\"')")
        .await
        .refuses(r#""x" is not a key of pipeline items"#, r#"{"id": ...}"#);
    problem(&db, "select sluice.why('items', 'null')")
        .await
        .refuses("key null is not an object", r#"{"id": ...}"#);
}

#[tokio::test]
async fn a_row_that_was_changed_by_hand_says_so_until_that_is_accepted() {
    let db = shop("skip_known => true").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 1}"#]).await;
    db.execute("update shop.items set n = 5 where id = 1").await;
    let row = async |key: &str| why(&db, key).await.swap_remove(1);
    assert_eq!(row("1").await, "row|in shop.items, changed by hand since its batch wrote it");
    assert_eq!(row("2").await, "row|in shop.items");
    db.execute("select sluice.reconcile('items', '{edited}', 'it was wrong')").await;
    assert_eq!(row("1").await, "row|in shop.items");
}

#[tokio::test]
async fn open_records_that_made_no_row_are_searched_by_the_key_the_transform_makes() {
    let db = TestDb::new().await;
    crate::engine::items(
        &db,
        "id text primary key, n integer",
        "id text, n integer",
        "'A-' || (doc #>> '{order,no}')::integer, (doc->>'n')::integer",
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[
        r#"{"order": {"no": 7}, "n": "x"}"#,
        r#"{"order": {"no": 8}, "n": "x"}"#,
        r#"{"order": {"no": "?"}, "n": 1}"#,
    ])
    .await;
    assert_eq!(
        why(&db, "\"A-7\"").await[1..],
        [
            "row|not in shop.items",
            r#"quarantine 1|open: 22P02 n: invalid input syntax for type integer: "x" (hand:1, version 1, first seen)"#,
            "quarantine|1 more open records made no key, so that nobody can tell whether it is theirs",
        ]
    );
    // Who may not call the transform is told so much.
    db.execute(
        "do $$ begin create role engine_reader in role sluice_reader;
         exception when duplicate_object or unique_violation then null; end $$;
         revoke execute on function shop.items_v1 from public;
         grant usage on schema shop to engine_reader; grant select on shop.items to engine_reader",
    )
    .await;
    let session = db.connect().await;
    session.batch_execute("set role engine_reader").await.unwrap();
    assert_eq!(
        crate::support::db::rows(
            &session,
            "select value from sluice.why('items', '\"A-7\"') where fact = 'quarantine'"
        )
        .await,
        ["3 more open records made no key, so that nobody can tell whether it is theirs"]
    );
}
