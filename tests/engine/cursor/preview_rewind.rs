//! What a rewind would have read again, and going back to a time.

use crate::engine::{Hand, items_of_ids as shop, problem};
use crate::support::TestDb;

/// A batch of `count` records that leaves the given cursor and objects behind.
async fn load(hand: &mut Hand, count: usize, cursor: &str, objects: &[(&str, u64)]) -> String {
    let records: Vec<String> = (0..count).map(|i| format!(r#"{{"id": {i}}}"#)).collect();
    let objects: Vec<String> = objects
        .iter()
        .map(|(name, records)| {
            format!(r#"{{"object": "{name}", "identity": {{"size": 1}}, "position": {{"records": {records}}}, "is_done": false}}"#)
        })
        .collect();
    hand.stage(&records).await.unwrap();
    hand.transform().await.unwrap();
    let row = hand
        .session
        .query_one(
            &format!(
                "select batch_id::text from sluice.load_batch($1, $2, $3, '{cursor}', '[{}]')",
                objects.join(", ")
            ),
            &[&hand.run, &hand.epoch, &(hand.seq + 1)],
        )
        .await
        .unwrap();
    hand.session.batch_execute("commit").await.unwrap();
    hand.seq += 1;
    row.get(0)
}

/// Batches and records that a rewind to `goal` would have read again.
async fn preview(db: &TestDb, goal: &str) -> Vec<String> {
    db.rows(&format!("select batch, records from sluice.preview_rewind('items', {goal})")).await
}

async fn rewind(db: &TestDb, goal: &str) -> String {
    db.value(&format!("select sluice.rewind('items', {goal})")).await
}

/// Three batches: 10 of a; 5 of a and 5 of b; 7 of b.
async fn files(db: &TestDb) -> Vec<String> {
    let mut hand = Hand::start(db).await;
    vec![
        load(&mut hand, 10, "{}", &[("a", 10)]).await,
        load(&mut hand, 10, "{}", &[("a", 15), ("b", 5)]).await,
        load(&mut hand, 7, "{}", &[("b", 12)]).await,
    ]
}

#[tokio::test]
async fn records_of_files_are_counted_by_what_is_behind_the_goal() {
    let db = shop().await;
    let [a, b, c] = files(&db).await.try_into().unwrap();
    assert_eq!(
        preview(&db, "to_start => true").await,
        [format!("{a}|10"), format!("{b}|10"), format!("{c}|7")]
    );
    assert_eq!(
        preview(&db, &format!("to_batch => {a}")).await,
        [format!("{b}|10"), format!("{c}|7")]
    );
    assert_eq!(preview(&db, &format!("to_batch => {c}")).await, Vec::<String>::new());
    assert_eq!(
        db.rows("select origins, run, version, records from sluice.preview_rewind('items', object => 'b')").await,
        ["b|1|1|5", "b|1|1|7"]
    );
    let said = rewind(&db, "to_start => true").await;
    assert_eq!(
        said,
        "pipeline items rewound to the start; what follows (so far 3 batches, 27 records) is read again by the next run, and unchanged rows are skipped"
    );
    // It showed and changed nothing, and what was undone is not counted twice.
    assert_eq!(preview(&db, "to_start => true").await, Vec::<String>::new());
}

#[tokio::test]
async fn what_earlier_rewinds_undid_is_not_counted_again() {
    let db = shop().await;
    let [a, b, c] = files(&db).await.try_into().unwrap();
    rewind(&db, "object => 'b'").await;
    assert_eq!(preview(&db, "to_start => true").await, [format!("{a}|10"), format!("{b}|5")]);
    let d = load(&mut Hand::start(&db).await, 8, "{}", &[("b", 8)]).await;
    assert_eq!(
        preview(&db, "to_start => true").await,
        [format!("{a}|10"), format!("{b}|5"), format!("{d}|8")]
    );
    // Beside the way: there b had 12 behind, 5 more than have been read since.
    assert_eq!(preview(&db, &format!("to_batch => {c}")).await, Vec::<String>::new());
    assert_eq!(preview(&db, &format!("to_batch => {b}")).await, [format!("{d}|3")]);
    rewind(&db, &format!("to_batch => {c}")).await;
    assert_eq!(
        preview(&db, "to_start => true").await,
        [format!("{a}|10"), format!("{b}|10"), format!("{c}|7")],
        "forward again"
    );
}

#[tokio::test]
async fn pages_are_counted_along_the_way_that_led_here() {
    let db = shop().await;
    let mut hand = Hand::start(&db).await;
    let mut batches = Vec::new();
    for page in 1..=5 {
        let cursor = format!(r#"{{"next": {{"page": {page}}}}}"#);
        batches.push(load(&mut hand, page, &cursor, &[]).await);
    }
    let [_, two, three, _, five] = <[String; 5]>::try_from(batches).unwrap();
    assert_eq!(preview(&db, &format!("to_batch => {three}")).await.len(), 2);
    rewind(&db, &format!("to_batch => {two}")).await;
    let mut hand = Hand::start(&db).await;
    let seven = load(&mut hand, 3, r#"{"next": {"page": 3}}"#, &[]).await;
    let eight = load(&mut hand, 4, r#"{"next": {"page": 4}}"#, &[]).await;
    assert_eq!(
        preview(&db, &format!("to_batch => {two}")).await,
        [format!("{seven}|3"), format!("{eight}|4")]
    );
    // There, more had been read than has been again.
    assert_eq!(preview(&db, &format!("to_batch => {five}")).await, Vec::<String>::new());
    assert_eq!(
        preview(&db, &format!("to_batch => {three}")).await,
        [format!("{eight}|4")],
        "of the seven records since, three were behind there, too"
    );
}

#[tokio::test]
async fn of_sweeps_that_leave_no_mark_only_the_last_counts() {
    let db = shop().await;
    for _ in 0..3 {
        let mut hand = Hand::start(&db).await;
        load(&mut hand, 4, r#"{"next": {"page": 2}}"#, &[]).await;
        load(&mut hand, 2, r#"{"done": true}"#, &[]).await;
    }
    assert_eq!(
        db.value("select string_agg(records::text, ' ') from sluice.preview_rewind('items', to_start => true)").await,
        "4 2"
    );
}

#[tokio::test]
async fn standard_input_is_not_read_again() {
    let db = shop().await;
    load(&mut Hand::start(&db).await, 4, r#"{"object": "-", "records": 4}"#, &[]).await;
    assert_eq!(preview(&db, "to_start => true").await, Vec::<String>::new());
}

#[tokio::test]
async fn time_is_the_state_after_the_last_batch_committed_by_then() {
    let db = shop().await;
    let [a, b, c] = files(&db).await.try_into().unwrap();
    let at = |batch: &str| {
        format!("to_time => (select committed_at from sluice.batches where batch_id = {batch})")
    };
    let just_before = |batch: &str| format!("{} - interval '1 microsecond'", at(batch));
    assert_eq!(preview(&db, &at(&b)).await, preview(&db, &format!("to_batch => {b}")).await);
    assert_eq!(
        preview(&db, &just_before(&b)).await,
        preview(&db, &format!("to_batch => {a}")).await
    );
    assert_eq!(preview(&db, &just_before(&a)).await, preview(&db, "to_start => true").await);
    assert_eq!(preview(&db, "to_time => now() + interval '1 day'").await, Vec::<String>::new());
    let said = rewind(&db, &at(&b)).await;
    assert!(
        said.contains(&format!(", after batch {b}; what follows (so far 1 batch, 7 records)")),
        "{said}"
    );
    assert_eq!(
        db.rows("select object, position->>'records' from sluice.source_state('items') order by 1")
            .await,
        ["a|15", "b|5"]
    );
    let said = rewind(&db, "to_time => '2000-01-01'").await;
    assert!(said.contains(", before the first batch;"), "{said}");
    assert_eq!(
        db.rows("select kind, rewound_to, note ~ '^to 20' from sluice.batches where kind = 'rewind' order by batch_id")
            .await,
        ["rewind|2|t", "rewind|0|t"]
    );
    // The time of a rewind is a time, too.
    rewind(&db, &format!("to_batch => {c}")).await;
    let first_rewind = "(select min(committed_at) from sluice.batches where kind = 'rewind')";
    rewind(&db, &format!("to_time => {first_rewind}")).await;
    assert_eq!(
        db.rows("select object, position->>'records' from sluice.source_state('items') order by 1")
            .await,
        ["a|15", "b|5"]
    );
    db.is_sound().await;
}

#[tokio::test]
async fn goals_that_rewind_refuses_are_refused() {
    let db = shop().await;
    files(&db).await;
    for (goal, message) in [
        ("", "rewind needs one goal"),
        (", to_start => true, to_time => now()", "rewind needs one goal"),
        (", to_batch => 12345", "pipeline items has no batch 12345"),
        (", object => 'c'", "pipeline items has read no object 'c'"),
    ] {
        problem(&db, &format!("select * from sluice.preview_rewind('items'{goal})"))
            .await
            .refuses(message, "");
    }
    let mut hand = Hand::start(&db).await;
    hand.load(&["bad"]).await;
    db.execute(
        "update sluice.quarantine set payload = '{\"id\": 1}'; select sluice.replay('items')",
    )
    .await;
    let replay = db.value("select batch_id from sluice.batches where kind = 'replay'").await;
    problem(&db, &format!("select sluice.rewind('items', to_batch => {replay})"))
        .await
        .refuses("is a replay, which moved no cursor", "");
}
