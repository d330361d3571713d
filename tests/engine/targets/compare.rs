//! Two versions over the same records, in all of their targets.

use super::{definition, order, shop_with};
use crate::engine::Hand;
use crate::support::TestDb;

/// Orders 1 to 3 under version 1, and version 2, whose lines of an order are those that `select` makes.
async fn with_version_2(select: &str, also: &str) -> (TestDb, Hand) {
    let (db, mut hand) =
        shop_with("children => 'replace'", ", order_by => 'at', retain_raw => '7 days'").await;
    hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[1]), order(3, 1, &[])]).await;
    db.execute(&format!(
        "create function shop.lines_v2(doc jsonb) returns table (order_id bigint, line_no integer, sku text, qty integer)
         language sql stable as $$ {select} $$"
    ))
    .await;
    let second = definition(also, ", order_by => 'at', activate => false")
        .replace("version => 1", "version => 2")
        .replace("lines_v1", "lines_v2");
    db.execute(&second).await;
    (db, hand)
}

const SAME: &str =
    "select (doc->>'id')::bigint, (l->>'no')::integer, l->>'sku', coalesce(l->>'qty', '1')::integer
    from jsonb_array_elements(doc->'lines') l";
const COMPARED: &str = "select outcome_a, outcome_b, is_same, records, sample
    from sluice.compare('orders', 1, 2) order by 1, 2, 3";
/// All that a comparison must not touch.
const TRACES: &str = "select (select sum(hashtext(o::text || o.xmin)) from shop.orders o),
    (select sum(hashtext(l::text || l.xmin)) from shop.lines l), (select count(*) from sluice.batches)";

#[tokio::test]
async fn rows_of_every_target_are_laid_side_by_side() {
    let select =
        SAME.replace("l->>'sku'", "case doc->>'id' when '2' then 'other' else l->>'sku' end");
    let (db, _hand) = with_version_2(&select, "children => 'replace'").await;
    let before = db.value(TRACES).await;
    assert_eq!(
        db.rows(COMPARED).await,
        [
            "unchanged|unchanged|t|2|-",
            r#"unchanged|update|f|1|hand:2 shop.lines line_no=1 order_id=2: sku "s1" → "other""#
        ]
    );
    assert_eq!(
        db.rows("select changes from sluice.compare_records('orders', 1, 2)").await,
        [
            r#"[{"key": {"line_no": 1, "order_id": 2}, "target": "shop.lines", "changes": {"sku": {"a": "s1", "b": "other"}}}]"#
        ]
    );
    assert_eq!(db.value(TRACES).await, before);
}

#[tokio::test]
async fn lines_that_would_leave_their_order_are_deletes() {
    let select = format!("{SAME} where (l->>'no')::integer <> 2");
    let (db, _hand) = with_version_2(&select, "children => 'replace'").await;
    assert_eq!(
        db.rows(COMPARED).await,
        [
            "unchanged|delete+unchanged+update|f|1|hand:1 shop.lines line_no=2 order_id=1: qty 1 → -, sku \"s1\" → -",
            "unchanged|unchanged|t|2|-"
        ]
    );
    // Kept, they are no more than not made.
    let (db, _hand) = with_version_2(&select, "children => 'keep'").await;
    assert_eq!(
        db.rows(COMPARED).await,
        [
            "unchanged|unchanged|f|1|hand:1 shop.lines line_no=2 order_id=1: qty 1 → -, sku \"s1\" → -",
            "unchanged|unchanged|t|2|-"
        ]
    );
}

#[tokio::test]
async fn a_line_that_is_bad_takes_its_record_along_and_a_version_without_the_target_has_none() {
    let select = SAME.replace("l->>'sku'", "repeat(l->>'sku', (doc->>'id')::integer * 4)");
    let (db, mut hand) = with_version_2(&select, "children => 'replace'").await;
    hand.load(&[order(4, 1, &[1]).replace("s1", "far too long")]).await;
    assert_eq!(
        db.rows(COMPARED).await,
        [
            "quarantined 22001|quarantined 22001|t|1|-",
            "unchanged|quarantined 22001|f|1|hand:2 sku: value too long for type character varying(8)",
            "unchanged|unchanged|t|1|-",
            "unchanged|update|f|1|hand:1 shop.lines line_no=1 order_id=1: sku \"s1\" → \"s1s1s1s1\"; \
             shop.lines line_no=2 order_id=1: sku \"s1\" → \"s1s1s1s1\""
        ]
    );
    db.execute(
        "select sluice.define_pipeline(name => 'orders', version => 3, transform => 'shop.orders_v1',
           target => 'shop.orders', key => '{order_id}', source => sluice.file_source(path => '-'),
           order_by => 'at', activate => false)",
    )
    .await;
    let compared = COMPARED.replace("1, 2)", "1, 3)");
    assert_eq!(
        db.rows(&compared).await,
        [
            "quarantined 22001|insert|f|1|hand:1 sku: value too long for type character varying(8)",
            "unchanged|unchanged|f|2|hand:1 shop.lines line_no=1 order_id=1: qty 1 → -, sku \"s1\" → -; \
             shop.lines line_no=2 order_id=1: qty 1 → -, sku \"s1\" → -\nhand:2 shop.lines line_no=1 order_id=2: \
             qty 1 → -, sku \"s1\" → -",
            "unchanged|unchanged|t|1|-"
        ]
    );
}

#[tokio::test]
async fn rows_are_compared_with_those_of_their_own_target() {
    let (db, _) = shop_with("children => 'keep'", "").await;
    let define = |version: i32, a: &str, more: &str| {
        format!(
            "create function shop.p_v{version}(doc jsonb) returns table (id bigint, a text) language sql immutable
               as $$ select (doc->>'id')::bigint, {a} $$;
             select sluice.define_pipeline(name => 'pc', version => {version}, transform => 'shop.p_v{version}', target => 'shop.p',
               key => '{{id}}', also => array[sluice.also_target(transform => 'shop.c_v1', target => 'shop.c', key => '{{id}}',
                 parent => '{{id}}')], source => sluice.file_source(path => 'pc'), retain_raw => '7 days' {more})"
        )
    };
    db.execute(
        "create table shop.p (id bigint primary key, a text);
         create table shop.c (id bigint primary key, b text);
         create function shop.c_v1(doc jsonb) returns table (id bigint, b text) language sql immutable
           as $$ select (doc->>'id')::bigint, doc->>'b' $$",
    )
    .await;
    db.execute(&define(1, "doc->>'a'", "")).await;
    let mut hand = Hand::of(db.connect().await, "pc").await;
    hand.load(&[r#"{"id": 1, "a": "x", "b": "y"}"#]).await;
    db.execute(&define(2, "upper(doc->>'a')", ", activate => false")).await;
    assert_eq!(
        db.rows("select changes from sluice.compare_records('pc', 1, 2)").await,
        [r#"[{"key": {"id": 1}, "changes": {"a": {"a": "x", "b": "X"}}}]"#]
    );
}
