//! Two versions over the same records.

use crate::engine::retained::raw_records::shop;
use crate::engine::{Hand, problem};
use crate::support::TestDb;
use crate::support::db::rows;

/// Defines version `version`, which is not active.
async fn define(db: &TestDb, version: u32, returns: &str, select: &str) {
    db.execute(&format!(
        "create function shop.items_v{version}(doc jsonb) returns table ({returns}) language sql stable as $$ select {select} $$;
         select sluice.define_pipeline(name => 'items', version => {version}, transform => 'shop.items_v{version}', target => 'shop.items', key => '{{id}}',
           source => sluice.file_source(path => '-'), max_bad_ratio => 1, retain_raw => '7 days', activate => false)"
    ))
    .await;
}

/// Two batches under version 1; one record in quarantine.
async fn loaded() -> TestDb {
    let db = shop("retain_raw => '7 days'").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[
        r#"{"id": 1, "n": 1}"#,
        r#"{"id": 2, "n": "2,5"}"#,
        r#"{"id": 3, "n": 3}"#,
        r#"{"id": 4, "skip": true}"#,
        r#"{"id": 5, "n": 5}"#,
    ])
    .await;
    hand.load(&[r#"{"id": 1, "n": 10}"#, r#"{"id": 6, "n": 6}"#]).await;
    db
}

/// All that a comparison must not touch.
const TRACES: &str = "select md5(string_agg(x, ';')) from (
    select (select string_agg(i::text || i.xmin || i.ctid, ',' order by id) from shop.items i)
    union all select (select string_agg(b::text || xmin, ',' order by batch_id) from sluice.batches b)
    union all select (select string_agg(q::text || xmin || xmax, ',' order by quarantine_id) from sluice.quarantine q)
    union all select (select string_agg(t::text || xmin, ',' order by version) from sluice.transforms t)
    union all select (select string_agg(r::text, ',') from sluice.retained() r)) t (x)";

#[tokio::test]
async fn every_pair_of_outcomes_is_a_line_with_samples() {
    let db = loaded().await;
    define(
        &db,
        2,
        "id bigint, n integer",
        "(doc->>'id')::bigint, case doc->>'id' when '3' then -3 else replace(doc->>'n', ',', '')::integer * case doc->>'id' when '6' then 1 else 2 end end where doc->>'id' <> '5'",
    )
    .await;
    let before = db.value(TRACES).await;
    assert_eq!(
        db.rows(
            "select * from sluice.compare('items', 1, 2) order by outcome_a, outcome_b, is_same"
        )
        .await,
        [
            r#"filtered|insert|f|1|hand:4 id=4: n - → null"#,
            r#"quarantined 22P02|insert|f|1|hand:2 n: invalid input syntax for type integer: "2,5""#,
            // An older record of a key that came again since.
            r#"stale|stale|f|1|hand:1 id=1: n 1 → 2"#,
            r#"unchanged|filtered|f|1|hand:5 id=5: n 5 → -"#,
            r#"unchanged|quarantined 23514|f|1|hand:3 n: new row for relation "items" violates check constraint "items_n_check""#,
            "unchanged|unchanged|t|1|-",
            r#"unchanged|update|f|1|hand:1 id=1: n 10 → 20"#,
        ]
    );
    assert_eq!(db.value(TRACES).await, before);
    // The other way round.
    assert_eq!(
        db.rows("select outcome_a, outcome_b, records from sluice.compare('items', 2, 1) where outcome_a like 'q%'").await,
        ["quarantined 23514|unchanged|1"]
    );
    assert_eq!(
        db.rows("select position, outcome_a, outcome_b, error_a, error_b is null, changes, payload from sluice.compare_records('items', 1, 2) where batch is null or outcome_b = 'update' order by 1").await,
        [
            r#"1|unchanged|update|-|t|[{"key": {"id": 1}, "changes": {"n": {"a": 10, "b": 20}}}]|{"id": 1, "n": 10}"#,
            r#"2|quarantined 22P02|insert|n: invalid input syntax for type integer: "2,5"|t|-|{"id": 2, "n": "2,5"}"#,
        ]
    );
    assert_eq!(db.value(TRACES).await, before);
    assert_eq!(
        db.value("select first_used_at is null from sluice.transforms where version = 2").await,
        "t"
    );
    db.execute("select sluice.activate_version('items', 2)").await;
    Hand::start(&db).await.load(&[r#"{"id": 8, "n": "1,0"}"#]).await;
}

#[tokio::test]
async fn last_batches_and_samples_limit_what_is_looked_at_and_shown() {
    let db = loaded().await;
    define(&db, 2, "id bigint, n integer", "(doc->>'id')::bigint, 7").await;
    let count = |last: u32| {
        let sql = format!(
            "select sum(records) from sluice.compare('items', 1, 2, last_batches => {last})"
        );
        let db = &db;
        async move { db.value(&sql).await }
    };
    assert_eq!(
        [count(0).await, count(1).await, count(2).await, count(20).await],
        ["1", "3", "7", "7"]
    );
    let samples = |samples: i32| {
        let sql = format!(
            "select sum(cardinality(string_to_array(sample, E'\\n'))) from sluice.compare('items', 1, 2, samples => {samples}) where outcome_a = 'unchanged'"
        );
        let db = &db;
        async move { db.value(&sql).await }
    };
    assert_eq!(
        [samples(0).await, samples(1).await, samples(3).await, samples(9).await],
        ["-", "1", "3", "4"]
    );
}

#[tokio::test]
async fn column_that_only_one_version_returns_is_a_difference() {
    let db = loaded().await;
    define(&db, 2, "id bigint", "(doc->>'id')::bigint").await;
    define(
        &db,
        3,
        "n integer, id bigint",
        "(doc->>'n')::integer, (doc->>'id')::bigint where not doc ? 'skip'",
    )
    .await;
    assert_eq!(
        db.rows("select changes from sluice.compare_records('items', 1, 2) where batch is not null and position = 1 and payload like '%10%'").await,
        [r#"[{"key": {"id": 1}, "changes": {"n": {"a": 10}}}]"#]
    );
    // The order of the columns is none.
    assert_eq!(
        db.rows("select * from sluice.compare_records('items', 1, 3)").await,
        Vec::<String>::new()
    );
    assert_eq!(
        db.rows("select outcome_a, outcome_b, records from sluice.compare('items', 1, 3) where not is_same or outcome_a <> outcome_b").await,
        Vec::<String>::new()
    );
}

#[tokio::test]
async fn records_of_many_rows_are_compared_row_by_row() {
    let db = TestDb::new().await;
    crate::engine::items(
        &db,
        "id bigint primary key, n integer, gone boolean",
        "id bigint, n integer",
        "e.n::bigint, e.v::integer from jsonb_array_elements_text(doc) with ordinality e (v, n)",
        "key => '{id}', retain_raw => '7 days'",
    )
    .await;
    Hand::start(&db).await.load(&["[1, 2, 3]"]).await;
    define(
        &db,
        2,
        "id bigint, n integer, sluice_deleted boolean",
        "e.n::bigint, e.v::integer * case e.n when 2 then 10 else 1 end, e.n = 3 from jsonb_array_elements_text(doc) with ordinality e (v, n) order by e.n desc",
    )
    .await;
    assert_eq!(
        db.rows("select outcome_a, outcome_b, is_same, sample from sluice.compare('items', 1, 2)")
            .await,
        [r#"unchanged|delete+unchanged+update|f|hand:1 id=2: n 2 → 20"#]
    );
}

#[tokio::test]
async fn comparison_in_the_middle_of_a_batch_leaves_the_batch_alone() {
    let db = loaded().await;
    define(&db, 2, "id bigint, n integer", "(doc->>'id')::bigint, 7").await;
    let mut hand = Hand::start(&db).await;
    hand.stage(&[r#"{"id": 9, "n": 9}"#]).await.unwrap();
    hand.transform().await.unwrap();
    let sql = "select sum(records) from sluice.compare('items', 1, 2)";
    assert_eq!(rows(&hand.session, sql).await, ["7"]);
    assert_eq!(rows(&hand.session, sql).await, ["7"]);
    assert_eq!(hand.merge().await.unwrap(), "extracted=1 transformed=1 produced=1 inserted=1");
    hand.session.batch_execute("commit").await.unwrap();
    hand.seq += 1;
    assert_eq!(db.value("select n from shop.items where id = 9").await, "9");
    // The same session goes on with a version that was not compared.
    assert_eq!(
        hand.load(&[r#"{"id": 9, "n": 9}"#]).await,
        "extracted=1 transformed=1 produced=1 unchanged=1"
    );
}

#[tokio::test]
async fn what_cannot_be_compared_is_refused() {
    let db = shop("retain_raw => '7 days'").await;
    problem(&db, "select sluice.compare('items', 1, 1)").await.refuses(
        "pipeline items has no records to compare over",
        "nothing is retained yet: the payloads of batches to come are kept for 7 days",
    );
    Hand::start(&db).await.load(&[r#"{"id": 1, "n": 1}"#]).await;
    for (sql, message) in [
        ("select sluice.compare('items', 1, 2)", "pipeline items has no version 2"),
        ("select sluice.compare('nothing', 1, 2)", "pipeline nothing is not defined"),
        ("select sluice.compare('items', 1, 1, -1)", "last_batches -1 is negative"),
    ] {
        problem(&db, sql).await.refuses(message, "");
    }
    define(&db, 2, "id bigint, n integer", "(doc->>'id')::bigint, 7").await;
    db.execute("create or replace function shop.items_v2(doc jsonb) returns table (id bigint, n integer) language sql stable as $$ select 1::bigint, 8 $$").await;
    problem(&db, "select sluice.compare('items', 1, 2)")
        .await
        .is("SL006", "is not what version 2 was registered with");
    assert_eq!(
        db.rows("select * from sluice.compare_records('items', 1, 1)").await,
        Vec::<String>::new()
    );
}

/// Where a few records tell nothing of whose fault it is, a run would stop. A comparison shows what it finds.
#[tokio::test]
async fn version_that_fails_on_all_records_of_a_few_is_a_difference_or_is_named() {
    let db = loaded().await;
    // Two records are in the last batch, one in quarantine: all of them fail.
    define(
        &db,
        2,
        "id bigint, n integer",
        "(doc->>'id')::bigint, length(((doc->>'id') || ' &')::tsquery::text)",
    )
    .await;
    assert_eq!(
        db.rows("select outcome_a, outcome_b, records, sample from sluice.compare('items', 1, 2, last_batches => 1, samples => 1)")
            .await,
        [
            r#"unchanged|quarantined 42601|2|hand:1 n: no operand in tsquery: "1 &""#,
            r#"quarantined 22P02|quarantined 42601|1|hand:2 n: no operand in tsquery: "2 &""#,
        ]
    );
    db.execute(
        "create function shop.items_v3(doc jsonb) returns table (id bigint, n integer) language plpgsql stable as $$
           begin return query select (doc->>'id')::bigint, shop.nothing(doc); end $$;
         select sluice.define_pipeline(name => 'items', version => 3, transform => 'shop.items_v3', target => 'shop.items', key => '{id}',
           source => sluice.file_source(path => '-'), activate => false)",
    )
    .await;
    for (sql, of) in [
        ("select sluice.compare('items', 1, 3, last_batches => 1)", "batch 2"),
        ("select sluice.compare('items', 3, 1, last_batches => 0)", "open quarantine"),
    ] {
        let refused = problem(&db, sql).await;
        refused
            .is("42883", &format!("version 3 cannot run over {of}: function shop.nothing(jsonb)"));
        assert!(refused.hint.contains("compare again"), "{refused:?}");
    }
}
