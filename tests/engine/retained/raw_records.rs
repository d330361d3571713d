//! Payloads of committed batches, kept for pipelines that ask for it.

use crate::engine::{Hand, items, problem};
use crate::support::TestDb;
use crate::support::db::rows;

/// A pipeline that retains: `n` has to be positive, records with `skip` are filtered.
pub(in crate::engine) async fn shop(options: &str) -> TestDb {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, n integer check (n > 0)",
        "id bigint, n integer",
        "(doc->>'id')::bigint, (doc->>'n')::integer where not doc ? 'skip'",
        &format!("key => '{{id}}', {options}"),
    )
    .await;
    db
}

const KEPT: &str = "select dense_rank() over (order by batch), ordinal, origin, position, payload from sluice.raw_records('items') order by batch, ordinal";

#[tokio::test]
async fn what_a_batch_loaded_or_filtered_is_kept_and_what_it_set_aside_is_in_quarantine() {
    let db = shop("retain_raw => '7 days'").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "n": 1}"#, "no json", r#"{"id": 2, "n": 0}"#, r#"{"skip": 1}"#]).await;
    hand.load(&[r#"{"id": 1,  "n": 1}"#]).await;
    assert_eq!(
        db.rows(KEPT).await,
        [
            r#"1|0|hand|1|{"id": 1, "n": 1}"#,
            r#"1|3|hand|4|{"skip": 1}"#,
            r#"2|0|hand|1|{"id": 1,  "n": 1}"#
        ]
    );
    assert_eq!(
        db.rows("select pipeline_name, last_batch - first_batch, batches, records, retained_on = (now() at time zone 'UTC')::date from sluice.retained()").await,
        ["items|1|2|3|t"]
    );
    assert_eq!(
        db.rows("select count(*) from sluice.raw_records('items', array[(select max(batch_id) from sluice.batches)])").await,
        ["1"]
    );
    // Bytes that are recognised are kept like any others.
    assert_eq!(
        hand.load(&[r#"{"id": 1,  "n": 1}"#]).await,
        "extracted=1 transformed=1 produced=1 unchanged=1"
    );
    assert_eq!(
        db.rows("select known, (select count(*) from sluice.raw_records('items', array[batch_id])) from sluice.batches order by batch_id desc limit 1").await,
        ["1|1"]
    );
}

#[tokio::test]
async fn batch_that_does_not_commit_leaves_no_payload() {
    let db = shop("retain_raw => '7 days'").await;
    db.execute("update sluice.pipelines set max_bad_ratio = 0").await;
    let mut hand = Hand::start(&db).await;
    hand.fail(&[r#"{"id": 1, "n": 1}"#, "bad"]).await.is("SL003", "");
    hand.stage(&[r#"{"id": 1, "n": 1}"#]).await.unwrap();
    hand.transform().await.unwrap();
    hand.merge().await.unwrap();
    assert_eq!(
        rows(&hand.session, "select count(*) from sluice.raw_records('items')").await,
        ["1"]
    );
    hand.session.batch_execute("rollback").await.unwrap();
    assert_eq!(db.rows(KEPT).await, Vec::<String>::new());
    assert_eq!(db.rows("select * from sluice.retained()").await, Vec::<String>::new());
}

#[tokio::test]
async fn pipeline_that_does_not_ask_keeps_nothing() {
    let db = shop("skip_known => true").await;
    Hand::start(&db).await.load(&[r#"{"id": 1, "n": 1}"#]).await;
    assert_eq!(
        db.rows("select relname from pg_class where relname ~ '^raw_[0-9c]' and relkind = 'r'")
            .await,
        ["raw_chunks"]
    );
}

#[tokio::test]
async fn large_payloads_are_split_by_bytes_and_come_back_as_they_were() {
    let db = shop("retain_raw => '7 days'").await;
    let mut hand = Hand::start(&db).await;
    let records: Vec<String> = (0..40)
        .map(|id| format!(r#"{{"id": {id}, "n": 1, "note": "{}"}}"#, "ü\\\"".repeat(2000 + id)))
        .chain((40..3000).map(|id| format!(r#"{{"id": {id}, "n": 1}}"#)))
        .collect();
    hand.load(&records).await;
    let kept = db.rows("select payload from sluice.raw_records('items') order by ordinal").await;
    assert!(kept == records);
    // Compressed, and no chunk much larger than the others.
    let sizes = "select max(octet_length(c.payloads::text)) < 200000, count(*) > 3, max(pg_column_size(c.payloads)) < 40000
                 from sluice.RAW c";
    let table = db.value("select relation from sluice._raw_tables(1)").await;
    assert_eq!(db.value(&sizes.replace("sluice.RAW", &table)).await, "t|t|t");
}

#[tokio::test]
async fn sessions_that_make_the_table_of_a_day_at_once_get_the_same_one() {
    let db = shop("retain_raw => '7 days'").await;
    let make = "insert into sluice.raw_days values (1, '2026-01-01') on conflict do nothing";
    let first = db.connect().await;
    first.batch_execute(&format!("begin; {make}")).await.unwrap();
    let second = db.connect().await;
    let waiting = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like 'insert into sluice.raw_days%')";
    let (made, ()) = tokio::join!(second.batch_execute(make), async {
        db.wait_until(waiting).await;
        first.batch_execute("commit").await.unwrap();
    });
    made.unwrap();
    assert_eq!(
        db.rows("select relation from sluice._raw_tables(1)").await,
        ["sluice.raw_1_20260101"]
    );
}

#[tokio::test]
async fn operator_retains_and_prunes_without_owning_the_engine() {
    let db = shop("retain_raw => '7 days'").await;
    db.execute(
        "do $$ begin create role retain_operator in role sluice_operator; exception when duplicate_object or unique_violation then null; end $$;
         grant usage on schema shop to retain_operator; grant all on shop.items to retain_operator;
         grant execute on function shop.items_v1(jsonb) to retain_operator;
         update sluice.pipelines set owner = 'sluice_operator'",
    )
    .await;
    let session = db.connect().await;
    session.batch_execute("set role retain_operator").await.unwrap();
    let mut hand = Hand::of(session, "items").await;
    hand.load(&[r#"{"id": 1, "n": 1}"#]).await;
    let owner = "select distinct c.relowner = n.nspowner from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'sluice' and c.relkind = 'r'";
    assert_eq!(rows(&hand.session, owner).await, ["t"]);
    assert_eq!(
        rows(&hand.session, "select payload from sluice.raw_records('items')").await,
        [r#"{"id": 1, "n": 1}"#]
    );
    hand.session.batch_execute("reset role; set role sluice_reader").await.unwrap();
    assert_eq!(rows(&hand.session, "select records from sluice.retained('items')").await, ["1"]);
    hand.session
        .batch_execute(
            "reset role; set role retain_operator; update sluice.pipelines set retain_raw = null",
        )
        .await
        .unwrap();
    assert_eq!(rows(&hand.session, "select count(*) from sluice.prune('items')").await, ["1"]);
}

#[tokio::test]
async fn time_to_keep_is_no_number_of_seconds() {
    let db = shop("retain_raw => '1 day'").await;
    for (wrong, shown) in [("'-1 day'", "'-1 days'"), ("'7'", "'00:00:07'")] {
        problem(
            &db,
            &format!(
                "select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
                   key => '{{id}}', source => sluice.file_source(path => '-'), retain_raw => {wrong})"
            ),
        )
        .await
        .refuses(&format!("retain_raw {shown} is less than an hour"), "7 days");
    }
    problem(&db, "select sluice.raw_records('nothing')")
        .await
        .refuses("pipeline nothing is not defined", "");
}
