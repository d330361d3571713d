//! Loading a past range beside the live cursor.

mod guard;
mod histories;
mod quarantine;
mod ranges;
mod retention;

use crate::engine::{Hand, items, problem};
use crate::support::TestDb;

/// The pipeline `items`, which reads files; `options` may give it an order.
async fn shop(options: &str) -> TestDb {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, n integer check (n > 0), at integer",
        "id bigint, n integer, at integer, sluice_deleted boolean",
        "(doc->>'id')::bigint, (doc->>'n')::integer, (doc->>'at')::integer, doc ? 'gone'",
        &format!("key => '{{id}}' {options}"),
    )
    .await;
    db
}

/// Starts the backfill of `drop/old*` and a run of it.
async fn start(db: &TestDb) -> Hand {
    let name = db.value("select sluice.start_backfill('items', objects => 'drop/old*')").await;
    Hand::of(db.connect().await, &name).await
}

const ROWS: &str = "select id, n from shop.items order by id";

#[tokio::test]
async fn backfills_are_listed_apart_and_verified_with_their_pipeline() {
    let db = shop("").await;
    let mut live = Hand::start(&db).await;
    live.load(&[r#"{"id": 1, "n": 1}"#]).await;
    let mut past = start(&db).await;
    past.load(&[r#"{"id": 2, "n": 1}"#, "bad"]).await;
    for view in ["status", "versions"] {
        assert_eq!(
            db.rows(&format!("select pipeline from sluice.{view}")).await,
            ["items"],
            "{view}"
        );
    }
    assert_eq!(
        db.value("select pipeline, backfill, range, state, finished_at, batches, extracted, written, quarantined from sluice.backfills").await,
        "items|items.backfill-1|drop/old*|died|-|1|2|1|1"
    );
    assert_eq!(
        db.rows("select pipeline_name, check_name from sluice.verify('items') order by 1, 2").await,
        [
            "items|books",
            "items|cursor chain",
            "items|function checksums",
            "items|lineage",
            "items|objects",
            "items|quarantine",
            "items|tombstones",
            "items.backfill-1|books",
            "items.backfill-1|cursor chain",
            "items.backfill-1|objects",
        ]
    );
    db.is_sound().await;
    db.execute("update sluice.etl_state set batch_seq = 7 where batch_seq = 1 and pipeline_id = 2")
        .await;
    assert_eq!(
        db.rows("select pipeline_name from sluice.verify('items') where not is_ok").await,
        ["items.backfill-1"]
    );
}

#[tokio::test]
async fn same_range_is_the_same_backfill_and_others_are_others() {
    let db = shop("").await;
    let start = |range: &str| format!("select sluice.start_backfill('items', objects => {range})");
    assert_eq!(db.value(&start("'a*'")).await, "items.backfill-1");
    assert_eq!(db.value(&start("'b*'")).await, "items.backfill-2");
    assert_eq!(db.value(&start("'a*'")).await, "items.backfill-1");
    // A name that is taken is passed over, one that is long is cut.
    db.execute(
        "select sluice.define_pipeline(name => x.name, version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => 'drop'))
         from (values ('items.backfill-3'), ('a' || repeat('b', 39))) x (name)",
    )
    .await;
    assert_eq!(db.value(&start("'c*'")).await, "items.backfill-4");
    assert_eq!(
        db.value("select sluice.start_backfill('a' || repeat('b', 39), objects => 'a*')").await,
        format!("a{}.backfill-1", "b".repeat(28))
    );
}

#[tokio::test]
async fn finished_backfill_starts_anew_only_when_told() {
    let db = shop("").await;
    let mut past = start(&db).await;
    past.load(&[r#"{"id": 1, "n": 1}"#]).await;
    let finish =
        |end: bool| format!("select sluice.finish_run({}, 'ok', reached_end => {end})", past.run);
    let state = "select state, finished_at is not null from sluice.backfills";
    db.execute(&finish(false)).await;
    assert_eq!(db.value(state).await, "unfinished|f");
    db.execute(&finish(true)).await;
    assert_eq!(db.value(state).await, "finished|t");
    let again = |again: bool| {
        format!("select sluice.start_backfill('items', objects => 'drop/old*', again => {again})")
    };
    let seq = "select batch_seq, cursor is null from sluice.etl_state where pipeline_id = 2";
    db.execute(&again(false)).await;
    assert_eq!(db.value(seq).await, "1|f");
    db.execute(&again(true)).await;
    assert_eq!(db.value(seq).await, "2|t");
    assert_eq!(db.value(state).await, "unfinished|f");
    // A run that was deposed meanwhile finishes nothing.
    db.execute(&finish(true)).await;
    assert_eq!(db.value(state).await, "unfinished|f");
    db.is_sound().await;
}

#[tokio::test]
async fn next_start_follows_what_the_pipeline_has_become() {
    let db = shop("").await;
    let mut past = start(&db).await;
    past.load(&[r#"{"id": 1, "n": 1}"#]).await;
    db.execute(
        "create function shop.items_v2(doc jsonb) returns table (id bigint, n integer) language sql stable as
           $$ select (doc->>'id')::bigint, 100 $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => 'drop', null_string => 'NA'), max_bad_ratio => 0.25, batch_rows => 7)",
    )
    .await;
    // The run that is going on is not disturbed.
    past.load(&[r#"{"id": 2, "n": 2}"#]).await;
    let row = db
        .value("select version, batch_rows, max_bad_ratio, source, skips_known from sluice.start_run('items.backfill-1', 'test')")
        .await;
    assert_eq!(row, r#"2|7|0.25|{"kind": "file", "path": "drop/old*", "null_string": "NA"}|f"#);
    let mut past = Hand::of(db.connect().await, "items.backfill-1").await;
    past.load(&[r#"{"id": 3, "n": 3}"#]).await;
    assert_eq!(db.rows(ROWS).await, ["1|1", "2|2", "3|100"]);
    // What a backfill has loaded with is fixed for the pipeline, too.
    db.execute(
        "create or replace function shop.items_v2(doc jsonb) returns table (id bigint, n integer) language sql stable as
           $$ select (doc->>'id')::bigint, 200 $$;
         create table shop.others (like shop.items including all)",
    )
    .await;
    for (what, message) in [
        (
            "version => 2, transform => 'shop.items_v2', target => 'shop.items'",
            "version 2 has loaded batches and cannot be changed",
        ),
        (
            "version => 3, transform => 'shop.items_v2', target => 'shop.others'",
            "cannot change its target",
        ),
    ] {
        problem(
            &db,
            &format!("select sluice.define_pipeline(name => 'items', {what}, key => '{{id}}', source => sluice.file_source(path => 'drop'))"),
        )
        .await
        .refuses(message, "");
    }
    problem(&db, "select sluice.start_run('items.backfill-1', 'test')")
        .await
        .is("SL006", "is not what version 2 was registered with");
    // A source that no longer knows the range.
    db.execute(
        "update sluice.pipelines set source = sluice.http_source(url => 'https://shop.example/orders') where backfill_of is null;
         select sluice.activate_version('items', 1)",
    )
    .await;
    problem(&db, "select sluice.start_run('items.backfill-1', 'test')")
        .await
        .refuses("this source knows no ranges", "rewind");
}

#[tokio::test]
async fn transform_is_told_the_name_of_the_pipeline() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop; create table shop.items (id bigint primary key, pipeline text);
         create function shop.items_v1(doc jsonb, meta jsonb) returns table (id bigint, pipeline text) language sql stable as
           $$ select (doc->>'id')::bigint, meta->>'pipeline' $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => 'drop'))",
    )
    .await;
    start(&db).await.load(&[r#"{"id": 1}"#]).await;
    assert_eq!(db.rows("select pipeline from shop.items").await, ["items"]);
}

#[tokio::test]
async fn pausing_the_pipeline_pauses_its_backfills() {
    let db = shop("").await;
    let mut past = start(&db).await;
    db.execute("select sluice.pause_pipeline('items')").await;
    past.fail(&[r#"{"id": 1, "n": 1}"#])
        .await
        .is("SL007", "pipeline items is paused, and its backfills with it");
    assert_eq!(db.value("select state from sluice.backfills").await, "paused");
    for sql in [
        "select sluice.start_backfill('items', objects => 'other')",
        "select sluice.start_run('items.backfill-1', 'test')",
    ] {
        problem(&db, sql).await.is("SL007", "pipeline items is paused");
    }
    db.execute("select sluice.resume_pipeline('items'), sluice.pause_pipeline('items.backfill-1')")
        .await;
    past.fail(&[r#"{"id": 1, "n": 1}"#]).await.is("SL007", "pipeline items.backfill-1 is paused");
    Hand::start(&db).await.load(&[r#"{"id": 1, "n": 1}"#]).await;
}

#[tokio::test]
async fn what_belongs_to_the_pipeline_is_refused_for_its_backfill() {
    let db = shop("").await;
    start(&db).await;
    for call in [
        "start_backfill('items.backfill-1', objects => 'a')",
        "activate_version('items.backfill-1', 1)",
        "replay('items.backfill-1')",
        "discard('items.backfill-1', reason => 'x', all_open => true)",
        "define_pipeline(name => 'items.backfill-1', version => 2, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => 'drop'))",
    ] {
        problem(&db, &format!("select sluice.{call}")).await.refuses(
            "items.backfill-1 is a backfill of pipeline items",
            "name items",
        );
    }
    // The hint of a misspelt name does not offer it either.
    let hint = problem(&db, "select sluice.replay('itmes')").await.hint;
    assert_eq!(hint, "defined are: items");
}

#[tokio::test]
async fn backfill_goes_with_its_pipeline_and_alone_only_while_it_wrote_nothing() {
    let db = shop("").await;
    start(&db).await;
    db.execute("select sluice.drop_pipeline('items.backfill-1')").await;
    let mut past = start(&db).await;
    past.load(&[r#"{"id": 1, "n": 1}"#]).await;
    problem(&db, "select sluice.drop_pipeline('items.backfill-1')")
        .await
        .refuses("backfill items.backfill-1 has written rows", "pause_pipeline");
    db.execute("select sluice.drop_pipeline('items')").await;
    for table in ["pipelines", "transforms", "etl_state", "runs", "batches"] {
        let count = format!("select count(*) from sluice.{table}");
        assert_eq!(db.value(&count).await, "0", "{table}");
    }
    past.fail(&[r#"{"id": 2, "n": 1}"#]).await.refuses("is not defined", "");
}

#[tokio::test]
async fn rules_of_the_tables_hold() {
    let db = shop("").await;
    start(&db).await;
    for (sql, rule) in [
        ("update sluice.pipelines set backfill_range = null where backfill_of is not null", "pipelines_backfills_have_a_range"),
        ("update sluice.pipelines set backfill_range = '{}' where backfill_of is null", "pipelines_backfills_have_a_range"),
        ("update sluice.pipelines set backfill_finished_at = now() where backfill_of is null", "pipelines_only_backfills_finish"),
        ("update sluice.pipelines set backfill_of = 77 where backfill_of is not null", "pipelines_backfills_belong_to_a_pipeline"),
        ("insert into sluice.pipelines (name, target, source, active_version, max_bad_ratio, backfill_of, backfill_range)
          select name || 'x', target, source, active_version, max_bad_ratio, backfill_of, backfill_range from sluice.pipelines where backfill_of is not null",
          "pipelines_backfill_range_is_unique"),
        ("insert into sluice.batches (batch_id, pipeline_id, batch_seq, kind, started_at, rewound_to) values (1, 1, 5, 'skip', now(), 1)", "batches_only_rewinds_go_back"),
        ("insert into sluice.batches (batch_id, pipeline_id, batch_seq, kind, started_at, rewound_to) values (1, 1, 5, 'rewind', now(), 5)", "batches_only_rewinds_go_back"),
    ] {
        let problem = problem(&db, sql).await;
        assert!(problem.message.contains(rule), "{sql}: {problem:?}");
    }
}

#[tokio::test]
async fn replay_backfill_and_new_pipeline_can_be_one_transaction() {
    let db = shop("").await;
    let mut live = Hand::start(&db).await;
    live.load(&[r#"{"id": 1, "n": 1}"#, "bad"]).await;
    db.execute(
        "begin;
         select * from sluice.replay('items');
         select sluice.start_backfill('items', objects => 'drop/old*');
         select sluice.define_pipeline(name => 'others', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => 'others'));
         commit",
    )
    .await;
    assert_eq!(
        db.rows("select name from sluice.pipelines order by name").await,
        ["items", "items.backfill-1", "others"]
    );
}
