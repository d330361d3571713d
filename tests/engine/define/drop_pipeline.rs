//! Forgetting a pipeline.

use crate::engine::{Hand, items_of_ids, numbers, problem};
use crate::support::TestDb;

#[tokio::test]
async fn everything_of_the_pipeline_goes_and_the_target_stays() {
    let db = items_of_ids().await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#, "bad"]).await;
    db.execute("insert into sluice.source_objects select pipeline_id, 'a', '{}', '0', true, 1 from sluice.pipelines").await;
    let said = db.value("select sluice.drop_pipeline('items')").await;
    assert!(said.contains("shop.items keeps its rows"), "{said}");
    for table in
        ["pipelines", "transforms", "etl_state", "runs", "batches", "quarantine", "source_objects"]
    {
        assert_eq!(db.value(&format!("select count(*) from sluice.{table}")).await, "0", "{table}");
    }
    assert_eq!(db.value("select count(*) from shop.items").await, "1");
    hand.fail(&[r#"{"id": 2}"#])
        .await
        .refuses("pipeline items is not defined", "no pipeline is defined yet");
    problem(&db, "select sluice.drop_pipeline('items')")
        .await
        .refuses("pipeline items is not defined", "");
}

#[tokio::test]
async fn batch_in_flight_of_a_dropped_pipeline_cannot_commit() {
    let db = items_of_ids().await;
    let hand = Hand::start(&db).await;
    hand.stage(&[r#"{"id": 1}"#]).await.unwrap();
    hand.transform().await.unwrap();
    db.execute("select sluice.drop_pipeline('items')").await;
    crate::engine::Problem::of(&hand.merge().await.unwrap_err())
        .is("SL001", "deposed: the pipeline was dropped");
}

#[tokio::test]
async fn what_waits_for_a_pipeline_that_is_dropped_says_so() {
    for call in [
        "sluice.start_run('items', 'x')",
        "sluice.rewind('items', to_start => true)",
        "sluice.skip('items', object => 'a', reason => 'x')",
        "sluice.activate_version('items', 1)",
        "sluice.set_policy('items', 'batch_rows', '5')",
        "sluice.pause_pipeline('items')",
        "sluice.resume_pipeline('items')",
        "sluice.start_backfill('items', objects => '*')",
    ] {
        let db = items_of_ids().await;
        let dropping = db.connect().await;
        dropping.batch_execute("begin; select sluice.drop_pipeline('items')").await.unwrap();
        let call = format!("select {call}");
        let (problem, ()) = tokio::join!(problem(&db, &call), async {
            db.wait_until("select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')")
                .await;
            dropping.batch_execute("commit").await.unwrap();
        });
        assert!(
            problem.message.contains("pipeline items was dropped meanwhile"),
            "{call}: {problem:?}"
        );
    }
}

#[tokio::test]
async fn name_can_be_defined_anew_and_does_not_inherit() {
    let db = items_of_ids().await;
    Hand::start(&db).await.load(&[r#"{"id": 1}"#]).await;
    db.execute(
        "select sluice.drop_pipeline('items');
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items', key => '{id}', source => sluice.file_source(path => '-'))",
    )
    .await;
    assert_eq!(db.value("select batch_seq, cursor from sluice.etl_state").await, "0|-");
    assert_eq!(
        Hand::start(&db).await.load(&[r#"{"id": 1}"#]).await,
        "extracted=1 transformed=1 produced=1 updated=1"
    );
    // Rows of the ledger that went are no sign of tampering.
    assert_eq!(db.value("select bool_and(is_ok) from sluice.verify('items')").await, "t");
}

const ANEW: &str = "select sluice.drop_pipeline('items');
    select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
      key => '{id}', source => sluice.file_source(path => '-'))";

const ROWS: &str = "select is_ok, detail from sluice.verify('items', deep => true)
    where check_name in ('lineage', 'row hashes')";

async fn loaded_once() -> TestDb {
    let db = TestDb::new().await;
    numbers(&db, "").await;
    let records = [r#"{"id": 1, "n": 1}"#, r#"{"id": 2, "n": 2}"#];
    Hand::start(&db).await.load(&records).await;
    db
}

#[tokio::test]
async fn a_first_load_trusts_no_hash_of_a_batch_it_does_not_know() {
    let db = loaded_once().await;
    db.execute("update shop.items set n = 7 where id = 1").await;
    db.execute(ANEW).await;
    let unchecked = "not checked: 2 rows of dropped pipelines (items)";
    assert_eq!(
        db.rows(ROWS).await,
        [
            format!("-|{unchecked}"),
            format!("-|rows: 0, none was edited behind the tool's back; {unchecked}")
        ]
    );
    let mut hand = Hand::start(&db).await;
    let record = r#"{"id": 1, "n": 1}"#;
    assert_eq!(hand.load(&[record]).await, "extracted=1 transformed=1 produced=1 updated=1");
    assert_eq!(db.value("select n from shop.items where id = 1").await, "1");
    // By now it is known.
    assert_eq!(hand.load(&[record]).await, "extracted=1 transformed=1 produced=1 unchanged=1");
    assert_eq!(
        db.rows(ROWS).await,
        [
            "-|not checked: 1 rows of dropped pipelines (items)",
            "-|rows: 1, none was edited behind the tool's back; not checked: 1 rows of dropped pipelines (items)"
        ]
    );
}

#[tokio::test]
async fn rows_of_a_pipeline_that_was_dropped_are_no_tampering_to_the_one_that_stays() {
    let db = loaded_once().await;
    db.execute("select sluice.define_pipeline(name => 'other', version => 1, transform => 'shop.items_v1', target => 'shop.items', key => '{id}', source => sluice.file_source(path => '-'))")
        .await;
    let mut other = Hand::of(db.connect().await, "other").await;
    other.load(&[r#"{"id": 3, "n": 3}"#]).await;
    Hand::start(&db).await.load(&[r#"{"id": 4, "n": 4}"#]).await;
    db.execute("select sluice.drop_pipeline('items')").await;
    let lineage = "select is_ok, detail from sluice.verify('other') where check_name = 'lineage'";
    assert_eq!(db.value(lineage).await, "-|not checked: 3 rows of dropped pipelines (items)");
    // A session that has compiled the statements before trusts those rows no more.
    assert_eq!(
        other.load(&[r#"{"id": 4, "n": 4}"#, r#"{"id": 3, "n": 3}"#]).await,
        "extracted=2 transformed=2 produced=2 updated=1 unchanged=1"
    );
    assert_eq!(db.value(lineage).await, "-|not checked: 2 rows of dropped pipelines (items)");
}

#[tokio::test]
async fn a_copy_of_a_table_brings_no_hash_that_counts_and_no_number_that_comes_again() {
    let db = loaded_once().await;
    db.execute(
        "create table shop.copy (like shop.items including all);
         insert into shop.copy select id, n, sluice_hash, 1000 from shop.items;
         select sluice.define_pipeline(name => 'copy', version => 1, transform => 'shop.items_v1', target => 'shop.copy', key => '{id}', source => sluice.file_source(path => '-'))",
    )
    .await;
    let mut copy = Hand::of(db.connect().await, "copy").await;
    assert_eq!(
        copy.load(&[r#"{"id": 1, "n": 1}"#]).await,
        "extracted=1 transformed=1 produced=1 updated=1"
    );
    assert_eq!(
        db.value("select min(batch_id) > 1000 from sluice.batches join sluice.pipelines using (pipeline_id) where name = 'copy'").await,
        "t"
    );
    assert_eq!(
        db.value("select detail from sluice.verify('copy') where check_name = 'lineage'").await,
        "not checked: 1 rows of batches before this ledger"
    );
}

#[tokio::test]
async fn a_table_cannot_use_up_the_numbers_of_batches() {
    let db = loaded_once().await;
    let define = "select sluice.define_pipeline(name => 'copy', version => 1, transform => 'shop.items_v1', target => 'shop.copy', key => '{id}', source => sluice.file_source(path => '-'))";
    db.execute(
        "create table shop.copy (like shop.items including all);
         insert into shop.copy select id, n, sluice_hash, 9223372036854775807 from shop.items",
    )
    .await;
    problem(&db, define).await.refuses(
        "target shop.copy names batch 9223372036854775807 in sluice_batch",
        "update shop.copy set sluice_batch = null",
    );
    db.execute("update shop.copy set sluice_batch = null, sluice_hash = null").await;
    db.execute(define).await;
    assert_eq!(db.value("select last_value < 1000 from sluice.batch_id").await, "t");
}
