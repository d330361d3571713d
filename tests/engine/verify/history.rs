//! Whatever happens by the engine's own ways leaves nothing for verify to find.

use crate::engine::{Hand, items};
use crate::support::TestDb;
use std::fmt::Write as _;

/// A record of one of twenty keys: new, changed, the same again, older, deleted, or bad.
fn record(random: &mut fastrand::Rng) -> String {
    let id = random.u8(1..=20);
    let at = random.u8(1..=60);
    match random.u8(0..12) {
        0 => format!(r#"{{"id": {id}, "n": 0, "at": {at}}}"#),
        1 => format!(r#"{{"id": {id}, "n": "x{}", "at": {at}}}"#, random.u8(0..3)),
        2 => format!(r#"{{"id": {id}, "parent": 99, "n": 1, "at": {at}}}"#),
        3 => format!(r#"{{"id": {id}, "at": {at}, "gone": true}}"#),
        4 => r#"{"skip": true}"#.to_owned(),
        5 => "rubbish".to_owned(),
        _ => format!(
            r#"{{"id": {id}, "n": {}, "at": {at}, "two": {}}}"#,
            random.u8(1..4),
            random.bool()
        ),
    }
}

/// Something that a person does. It may be refused; it may not leave a trace then.
fn intervention(random: &mut fastrand::Rng) -> String {
    match random.u8(0..9) {
        0 => "select * from sluice.replay('items')".to_owned(),
        1 => format!(
            "select * from sluice.replay('items', version => {}, overwrite_unsure => true, batch_rows => 3)",
            random.u8(1..=2)
        ),
        2 => "select sluice.amend(id, regexp_replace(payload, '\"x.\"|: 0', ': 3'), 'mended') from sluice.quarantine_open_details where random() < 0.5".to_owned(),
        3 => "select sluice.discard('items', array(select id from sluice.quarantine_open where random() < 0.3), 'rubbish')".to_owned(),
        4 => "select sluice.retry_orphans('items')".to_owned(),
        5 => "insert into shop.parents values (99) on conflict do nothing".to_owned(),
        6 => "select sluice.rewind('items', to_start => true)".to_owned(),
        7 => "select sluice.rewind('items', to_batch => (select max(batch_id) - 2 from sluice.batches where batch_seq is not null))".to_owned(),
        _ => format!("select sluice.activate_version('items', {})", random.u8(1..=2)),
    }
}

async fn shop(order_by: &str) -> TestDb {
    let db = TestDb::new().await;
    db.execute("create schema shop; create table shop.parents (id bigint primary key)").await;
    items(
        &db,
        "id bigint primary key, n integer check (n > 0), at integer, parent bigint references shop.parents, note text",
        "id bigint, n integer, at integer, parent bigint, sluice_deleted boolean",
        "i, (doc->>'n')::integer, (doc->>'at')::integer, (doc->>'parent')::bigint, doc ? 'gone'
           from generate_series((doc->>'id')::bigint, (doc->>'id')::bigint + (doc @> '{\"two\": true}')::integer) i where not doc ? 'skip'",
        &format!("key => '{{id}}'{order_by}"),
    )
    .await;
    db.execute(&format!(
        "create function shop.items_v2(doc jsonb) returns table (id bigint, n integer, at integer, note text, sluice_deleted boolean) language sql stable as $$
           select (doc->>'id')::bigint, (doc->>'n')::integer, (doc->>'at')::integer, 'two', doc ? 'gone' where not doc ? 'skip' $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
           source => sluice.file_source(path => '-'), max_bad_ratio => 1, activate => false, key => '{{id}}'{order_by})"
    ))
    .await;
    db
}

/// `SLUICE_SEED` repeats a failure.
#[tokio::test]
async fn a_long_random_history_verifies_clean() {
    let seed = crate::support::seed();
    println!("SLUICE_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    for order_by in ["", ", order_by => 'at'"] {
        let db = shop(order_by).await;
        let mut told = String::new();
        let mut hand = Hand::start(&db).await;
        for step in 0..80 {
            if random.u8(0..3) == 0 {
                let sql = intervention(&mut random);
                let outcome = db.connect().await.batch_execute(&sql).await;
                let _ = writeln!(told, "{step} {sql} {:?}", outcome.is_ok());
                // A rewind deposes the run.
                hand = Hand::start(&db).await;
            } else {
                let records: Vec<String> =
                    (0..random.u8(1..8)).map(|_| record(&mut random)).collect();
                let books = hand.load(&records).await;
                let _ = writeln!(told, "{step} {records:?} {books}");
            }
            if step % 10 == 9 {
                let found = db
                    .rows("select check_name, detail from sluice.verify('items', deep => true) where is_ok is not true")
                    .await;
                assert!(found.is_empty(), "SLUICE_SEED={seed} {found:?}\n{told}");
            }
        }
        let kinds = db.value("select count(distinct kind) from sluice.batches").await;
        assert_eq!(kinds, "3", "too quiet to prove anything: SLUICE_SEED={seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn loads_that_go_on_meanwhile_are_seen_whole_or_not_at_all() {
    let db = shop("").await;
    let mut hand = Hand::start(&db).await;
    let loads = tokio::spawn(async move {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..60 {
            let records: Vec<String> = (0..10).map(|_| record(&mut random)).collect();
            hand.load(&records).await;
        }
    });
    let mut seen = std::collections::BTreeSet::new();
    while !loads.is_finished() {
        let found = db
            .rows("select check_name, is_ok, detail from sluice.verify('items', deep => true) where not is_ok or check_name = 'cursor chain'")
            .await;
        assert_eq!(found.len(), 1, "{found:?}");
        seen.extend(found);
    }
    loads.await.unwrap();
    assert!(seen.len() > 2, "never in the middle: {seen:?}");
}
