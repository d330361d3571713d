//! A record loads into all targets, or into none.

use super::{TABLES, definition, is_sound, order, order_with, orders_are, shop, shop_with};
use crate::engine::Hand;
use crate::support::TestDb;

const OPEN: &str = "select sqlstate, coalesce(\"constraint\", \"column\", message) from sluice.quarantine_open_details";

#[tokio::test]
async fn rows_of_a_record_go_to_every_target() {
    let (db, mut hand) = shop().await;
    assert_eq!(
        hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[]), order(3, 1, &[7])]).await,
        "extracted=3 transformed=3 produced=6 inserted=6"
    );
    orders_are(&db, &["1|1", "2|1", "3|1"], &["1|1|s1", "1|2|s1", "3|7|s1"]).await;
    assert_eq!(
        hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[]), order(3, 1, &[7])]).await,
        "extracted=3 transformed=3 produced=6 unchanged=6"
    );
}

#[tokio::test]
async fn a_record_with_a_bad_line_waits_with_all_of_its_rows() {
    let (db, mut hand) = shop().await;
    let bad = [
        order(1, 1, &[1]).replace("s1", "far too long"),
        order_with(2, 1, &[1], r#""amount": -1"#),
        order(3, 1, &[1, 2]).replacen("\"s1\"", "\"s1\", \"qty\": 0", 1),
        order(4, 1, &[1, 2]).replacen("\"s1\"", "\"s1\", \"qty\": \"two\"", 1),
        order(5, 1, &[3]),
    ];
    assert_eq!(
        hand.load(&bad).await,
        "extracted=5 transformed=1 quarantined=4 produced=2 inserted=2"
    );
    assert_eq!(
        db.rows(OPEN).await,
        ["22001|sku", "23514|orders_amount_check", "23514|lines_qty_check", "22P02|qty",]
    );
    orders_are(&db, &["5|1"], &["5|3|s1"]).await;
}

#[tokio::test]
async fn a_line_that_fails_in_the_merge_takes_its_order_back() {
    let (db, mut hand) = shop().await;
    db.execute("alter table shop.lines add unique (order_id, sku)").await;
    hand.load(&[order(1, 1, &[1])]).await;
    assert_eq!(
        hand.load(&[
            order(1, 2, &[1, 2]), // one SKU twice
            order(2, 2, &[1]),
            order(3, 2, &[1, 2, 3]),
        ])
        .await,
        "extracted=3 transformed=1 quarantined=2 produced=2 inserted=2"
    );
    orders_are(&db, &["1|1", "2|2"], &["1|1|s1", "2|1|s2"]).await;
    db.execute("alter table shop.lines drop constraint lines_order_id_sku_key").await;
    db.execute("select from sluice.replay('orders')").await;
    orders_are(
        &db,
        &["1|2", "2|2", "3|2"],
        &["1|1|s2", "1|2|s2", "2|1|s2", "3|1|s2", "3|2|s2", "3|3|s2"],
    )
    .await;
}

#[tokio::test]
async fn a_line_of_an_order_that_its_record_does_not_make_is_a_fault() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1])]).await;
    assert_eq!(
        hand.load(&[
            order_with(2, 2, &[1], r#""of": 1"#),
            order_with(3, 2, &[1], r#""skip": true"#),
            order_with(4, 2, &[], r#""skip": true"#),
        ])
        .await,
        "extracted=3 filtered=1 quarantined=2"
    );
    let messages =
        db.rows("select distinct sqlstate, message from sluice.quarantine_open_details").await;
    assert_eq!(
        messages,
        [
            "SL100|a row of shop.lines without its parent: the record makes no row of shop.orders with this order_id"
        ]
    );
    orders_are(&db, &["1|1"], &["1|1|s1"]).await;
}

#[tokio::test]
async fn a_target_that_swallows_rows_fails_the_batch_by_name() {
    let (db, mut hand) = shop().await;
    db.execute(
        "create function shop.swallow() returns trigger language plpgsql as $$ begin return null; end $$;
         create trigger swallow before delete on shop.lines for each row execute function shop.swallow();",
    )
    .await;
    hand.load(&[order(1, 1, &[1, 2])]).await;
    let problem = hand.fail(&[order(1, 2, &[1])]).await;
    problem.is("SL004", "1 rows were to be deleted from shop.lines, but 0 were");
    assert_eq!(problem.detail, "before row triggers: swallow");
    orders_are(&db, &["1|1"], &["1|1|s1", "1|2|s1"]).await;
}

/// The first target refers to a row of the second one: neither can be written first, unless it is checked last.
#[tokio::test]
async fn tables_that_refer_to_each_other_load_by_deferrable_constraints() {
    let db = TestDb::new().await;
    db.execute(&TABLES.replace("at bigint not null);", "at bigint not null, first_line integer);"))
        .await;
    db.execute(
        "alter table shop.orders add foreign key (order_id, first_line) references shop.lines deferrable;
         create or replace function shop.first_line(doc jsonb) returns integer language sql stable as
           $$ select (doc#>>'{lines,0,no}')::integer $$;
         drop function shop.orders_v1;
         create function shop.orders_v1(doc jsonb)
         returns table (order_id bigint, amount numeric, at bigint, first_line integer) language sql stable as $$
           select (doc->>'id')::bigint, 1, (doc->>'at')::bigint, coalesce((doc->>'first')::integer,
             (doc#>>'{lines,0,no}')::integer) $$;",
    )
    .await;
    db.execute(&definition("children => 'replace'", ", order_by => 'at'")).await;
    let mut hand = Hand::of(db.connect().await, "orders").await;
    assert_eq!(
        hand.load(&[
            order(1, 1, &[5, 6]),
            order_with(2, 1, &[7], r#""first": 8"#), // no such line
            order(3, 1, &[]),
        ])
        .await,
        "extracted=3 transformed=2 quarantined=1 produced=4 inserted=4"
    );
    hand.load(&[order(1, 2, &[6])]).await;
    orders_are(&db, &["1|2", "3|1"], &["1|6|s2"]).await;
}

#[tokio::test]
async fn transforms_that_take_a_row_make_rows_of_every_target() {
    let (db, _) = shop().await;
    db.execute(
        "select sluice.drop_pipeline('orders');
         create type shop.record as (id text, at text, lines text);
         create function shop.orders_v2(r shop.record) returns table (order_id bigint, amount numeric, at bigint)
         language sql stable as $$ select r.id::bigint, 2, r.at::bigint $$;
         create function shop.lines_v2(r shop.record) returns table (order_id bigint, line_no integer, sku text, qty integer)
         language sql stable as $$
           select r.id::bigint, (l->>'no')::integer, l->>'sku', 1 from jsonb_array_elements(r.lines::jsonb) l $$;",
    )
    .await;
    db.execute(&definition("children => 'replace'", "").replace("_v1", "_v2")).await;
    let mut hand = Hand::of(db.connect().await, "orders").await;
    assert_eq!(
        hand.load(&[order(1, 1, &[1]), r#"{"id": 2, "at": 1, "lines": "["}"#.to_owned()]).await,
        "extracted=2 transformed=1 quarantined=1 produced=2 inserted=2"
    );
    orders_are(&db, &["1|1"], &["1|1|s1"]).await;
}

/// Rows of both pipelines are in temporary tables of the same names, in turns.
#[tokio::test]
async fn a_session_serves_pipelines_of_one_and_of_several_targets_in_turns() {
    let (db, orders) = shop_with("children => 'replace'", ", order_by => 'at'").await;
    db.execute(
        "create table shop.notes (id bigint primary key);
         create function shop.notes_v1(doc jsonb) returns table (id bigint) language sql stable as
           $$ select (doc->>'id')::bigint $$;
         select sluice.define_pipeline(name => 'notes', version => 1, transform => 'shop.notes_v1', target => 'shop.notes',
           key => '{id}', source => sluice.file_source(path => '-'));",
    )
    .await;
    let mut hand = orders;
    for round in 1..=3 {
        hand = Hand::of(hand.session, "orders").await;
        hand.load(&[order(round, round, &[1])]).await;
        hand = Hand::of(hand.session, "notes").await;
        hand.load(&[format!(r#"{{"id": {round}}}"#)]).await;
    }
    assert_eq!(db.value("select count(*) from shop.notes").await, "3");
    assert_eq!(db.value("select count(*) from shop.lines").await, "3");
    is_sound(&db).await;
}
