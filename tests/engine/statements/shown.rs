//! A DBA reads every statement before it runs.

use crate::engine::{Hand, items, problem};
use crate::support::TestDb;
use crate::support::golden::assert_golden;

/// A pipeline that has all that makes statements longer.
async fn orders() -> TestDb {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.customers (customer_id bigint primary key);
         create table shop.orders (
           order_id bigint, region varchar(8), customer_id bigint not null references shop.customers,
           amount numeric(12,2) not null check (amount >= 0), updated_at timestamptz not null, gone_at timestamptz,
           primary key (order_id, region));
         create function shop.orders_v1(doc jsonb) returns table (
           order_id bigint, region text, customer_id bigint, amount numeric, updated_at timestamptz,
           sluice_reject text, sluice_deleted boolean)
         language sql stable as $$
           select (doc->>'id')::bigint, doc->>'region', (doc->>'customer')::bigint, (doc->>'amount')::numeric,
             (doc->>'updated_at')::timestamptz, case when doc->>'status' = 'draft' then 'a draft' end,
             doc->>'status' = 'deleted'
         $$;
         select sluice.define_pipeline(
           name => 'orders', version => 1, transform => 'shop.orders_v1', target => 'shop.orders',
           key => '{order_id,region}', order_by => 'updated_at', source => sluice.file_source(path => 'drop'),
           missing => 'mark', mark_column => 'gone_at', max_delete_ratio => 0.1);",
    )
    .await;
    db
}

#[tokio::test]
async fn statements_of_the_example_are_the_golden_ones() {
    let db = orders().await;
    let found = db
        .rows("select format(E'-- %s: %s\\n%s;\\n', s.step, s.runs_when, s.statement) from sluice.statements('orders') s")
        .await
        .join("\n");
    assert_golden("statements.sql", &found, "statements_of_the_example_are_the_golden_ones");
}

#[tokio::test]
async fn every_compiled_statement_is_shown() {
    let db = orders().await;
    let hidden = db
        .rows(
            "select field.key
             from sluice.pipelines p, sluice._compile(p.pipeline_id, null) c,
               lateral (
                 select key, value from jsonb_each_text(to_jsonb(c)) where key like '%\\_sql'
                 union all
                 select 'reference check', unnest(c.reference_checks)) field
             where field.value not in (select s.statement from sluice.statements('orders') s)",
        )
        .await;
    assert_eq!(hidden, ["outcomes_sql"], "that one writes nothing");
}

#[tokio::test]
async fn statements_are_of_the_version_asked_for() {
    let db = orders().await;
    db.execute(
        "create function shop.orders_v2(doc jsonb) returns table (order_id bigint, region text, customer_id bigint, amount numeric, updated_at timestamptz)
         language sql stable as $$ select 1, 'x', 1, 1, now() where false $$;
         select sluice.define_pipeline(
           name => 'orders', version => 2, transform => 'shop.orders_v2', target => 'shop.orders', activate => false,
           key => '{order_id,region}', order_by => 'updated_at', source => sluice.file_source(path => 'drop'),
           missing => 'mark', mark_column => 'gone_at', max_delete_ratio => 0.1);",
    )
    .await;
    let calls = "select coalesce(string_agg(distinct m[1], ' '), '') from sluice.statements('orders'VERSION) s,
                   regexp_matches(s.statement, 'shop.orders_v\\d', 'g') m";
    for (version, function) in
        [("", "shop.orders_v1"), (", 1", "shop.orders_v1"), (", 2", "shop.orders_v2")]
    {
        assert_eq!(db.value(&calls.replace("VERSION", version)).await, function);
    }
    assert_eq!(
        db.value("select statement = sluice.merge_sql('orders', 2) from sluice.statements('orders', 2) where step = 'merge'")
            .await,
        "t"
    );
    problem(&db, "select sluice.statements('orders', 3)")
        .await
        .refuses("pipeline orders has no version 3", "it has 1, 2");
}

/// How a transform is planned into the statement of its records.
async fn plan_of_transform(returns: &str, body: &str) -> String {
    let db = TestDb::new().await;
    items(&db, "id bigint primary key", returns, body, "key => '{id}'").await;
    let hand = Hand::start(&db).await;
    hand.stage(&["{}"]).await.unwrap();
    let statement = hand
        .session
        .query_one("select transform_sql from pg_temp.sluice_compiled", &[])
        .await
        .unwrap()
        .get::<_, String>(0)
        .replace("$1", "null::integer[]");
    let plan = hand.session.query(&format!("explain (costs off) {statement}"), &[]).await.unwrap();
    let lines: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    lines.join("\n")
}

#[tokio::test]
async fn transform_that_only_computes_is_no_join() {
    let plan = plan_of_transform("id bigint", "(doc->>'id')::bigint").await;
    assert!(!plan.contains("Nested Loop"), "{plan}");
}

/// Joined in another way, records would be tried in another order than they came in.
#[tokio::test]
async fn transform_that_reads_a_table_is_called_record_by_record() {
    let plan =
        plan_of_transform("id bigint", "i.id from shop.items i where i.id = (doc->>'id')::bigint")
            .await;
    assert!(plan.contains("Nested Loop"), "{plan}");
    assert!(!plan.contains("Join"), "{plan}");
}
