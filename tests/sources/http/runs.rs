//! The real `sluice` on an API.

use serde_json::Value;

use super::support::{page, serve};
use crate::support::web::{Answer, Web};
use crate::support::{Api, Sluice, TestDb};

pub(super) const SHOP: &str = "
  create schema shop;
  create table shop.orders (id bigint primary key, amount numeric not null, name text not null, at timestamptz not null);
  create function shop.orders_v1(doc jsonb) returns table (id bigint, amount numeric, name text, at timestamptz)
  language sql stable as $$ select (doc->>'id')::bigint, (doc->>'amount')::numeric, doc->>'name', (doc->>'at')::timestamptz $$;";

/// A pipeline named orders with this source.
pub(super) async fn define(source: &str) -> TestDb {
    let db = TestDb::new().await;
    db.execute(&format!(
        "{SHOP} select sluice.define_pipeline(name => 'orders', version => 1, transform => 'shop.orders_v1', target => 'shop.orders',
           key => '{{id}}', max_bad_ratio => 0.5, source => {source});"
    ))
    .await;
    db
}

#[tokio::test]
async fn the_example_of_the_design_runs() {
    let (web, api) = serve(Api::orders(57, 10));
    let db = define(&format!(
        "sluice.http_source(url => '{}/cursor', records => '/data', paging => sluice.cursor_paging(param => 'after', next => '/meta/next'),
           auth => sluice.bearer_auth(env => 'SHOP_TOKEN'))",
        web.url
    ))
    .await;
    let run = || {
        Sluice::on(&db)
            .env("SHOP_TOKEN", "s3cr3t")
            .args(["run", "orders", "--batch-rows", "25"])
            .run()
    };
    let done = run().exits(0);
    assert_eq!(done.summary().count("inserted"), 57);
    assert_eq!(done.summary().count("batches"), 3);
    assert_eq!(
        db.value("select count(*), sum(amount) from shop.orders").await,
        format!("57|{}.50", (0..57).map(|i| i * 7).sum::<usize>() + 28)
    );
    assert!(
        web.requests()
            .iter()
            .all(|request| request.header("authorization") == Some("Bearer s3cr3t"))
    );
    let done = run().exits(0);
    assert_eq!(done.summary().count("unchanged"), 57, "without since, every run reads all");
    db.is_sound().await;
    assert_eq!(db.value("select count(*) from sluice.quarantine").await, "0");
    drop(api);
}

#[tokio::test]
async fn retries_of_requests_are_counted() {
    let api = Api::orders(20, 10);
    let web = Web::serve(move |request| match request.number {
        1 | 3 | 4 => Answer::status(503, "busy"),
        _ => api.answer(request),
    });
    let db = define(&format!("sluice.http_source(url => '{}/links', records => '/data', paging => sluice.next_link_paging(next => '/links/next'))", web.url)).await;
    let done = Sluice::on(&db).args(["run", "orders"]).run().exits(0);
    assert_eq!((done.summary().count("retried"), done.summary().count("inserted")), (3, 20));
    assert!(done.stderr.contains("is tried again"), "{}", done.stderr);
    assert_eq!(db.value("select sum(retried) from sluice.batches").await, "3");
    let web = Web::serve(|_| Answer::status(503, "busy"));
    db.execute(&format!(
        "update sluice.pipelines set source = jsonb_set(source, '{{url}}', '\"{}\"')",
        web.url
    ))
    .await;
    let done = Sluice::on(&db).args(["run", "orders", "--retries", "1"]).run().exits(75);
    assert_eq!(web.requests().len(), 2);
    assert!(done.stderr.contains("every retry of this run is used up"), "{}", done.stderr);
}

#[tokio::test]
async fn a_pause_for_a_spent_quota_is_told() {
    let api = Api::orders(20, 10);
    let web = Web::serve(move |request| {
        let answer = api.answer(request);
        let spent = answer.header("X-RateLimit-Remaining", "0");
        spent.header("X-RateLimit-Reset", "1")
    });
    let db = define(&format!("sluice.http_source(url => '{}/links', records => '/data', paging => sluice.next_link_paging(next => '/links/next'))", web.url)).await;
    let done = Sluice::on(&db).args(["run", "orders", "-v"]).run().exits(0);
    assert_eq!(done.summary().count("inserted"), 20);
    assert!(done.stderr.contains("the quota of"), "{}", done.stderr);
}

#[tokio::test]
async fn rewind_sets_the_pages_back() {
    let (web, _) = serve(Api::orders(30, 10));
    let db = define(&format!(
        "sluice.http_source(url => '{}/page', records => '/data', paging => sluice.page_number_paging(), since => sluice.since(param => 'since', field => '/at'))",
        web.url
    ))
    .await;
    let run = || Sluice::on(&db).args(["run", "orders", "--batch-rows", "12"]).run().exits(0);
    assert_eq!(run().summary().count("inserted"), 30);
    assert_eq!(run().summary().count("unchanged"), 1, "the one at the mark");
    let first = db.value("select min(batch_id) from sluice.batches").await;
    Sluice::on(&db).args(["rewind", "orders", "--to-batch", &first]).run().exits(0);
    let cursor: Value =
        serde_json::from_str(&db.value("select cursor from sluice.etl_state").await).unwrap();
    assert_eq!((&cursor["next"]["page"], &cursor["skip"]), (&Value::from(2), &Value::from(2)));
    assert_eq!(run().summary().count("unchanged"), 18, "what follows the first batch");
    Sluice::on(&db).args(["rewind", "orders", "--to-start"]).run().exits(0);
    assert_eq!(run().summary().count("unchanged"), 30);
    Sluice::on(&db).args(["verify", "orders"]).run().exits(0);
}

#[tokio::test]
async fn a_dry_run_reads_and_leaves_nothing() {
    let (web, _) = serve(Api::orders(30, 10));
    let db =
        define(&format!("sluice.http_source(url => '{}/all', records => '/data')", web.url)).await;
    let done = Sluice::on(&db).args(["run", "orders", "--dry-run"]).run().exits(0);
    assert_eq!(done.summary().count("inserted"), 30);
    assert_eq!(db.value("select cursor from sluice.etl_state").await, "-");
}

#[tokio::test]
async fn what_was_read_before_a_failure_is_committed_and_the_next_run_goes_on() {
    let api = Api::orders(30, 10);
    let web = Web::serve(move |request| match (request.number, request.param("after")) {
        (n, Some("t20")) if n < 4 => Answer::status(404, "gone for a moment"),
        _ => api.answer(request),
    });
    let db = define(&format!("sluice.http_source(url => '{}/cursor', records => '/data', paging => sluice.cursor_paging(param => 'after', next => '/meta/next'))", web.url)).await;
    let done = Sluice::on(&db).args(["run", "orders"]).run().exits(1);
    assert_eq!(done.summary().count("inserted"), 20);
    assert!(
        done.stderr.contains("answered 404 Not Found\n  body:  gone for a moment"),
        "{}",
        done.stderr
    );
    let done = Sluice::on(&db).args(["run", "orders"]).run().exits(0);
    assert_eq!((done.summary().count("inserted"), done.summary().count("extracted")), (10, 10));
    assert_eq!(web.requests().len(), 4);
}

/// Items of orders 1 to 4, two a page; order 3 has none, and one of order 4 is none.
fn items() -> Web {
    Web::serve(|request| {
        let order: usize = request.path.split('/').nth(2).unwrap().parse().unwrap();
        let page = request.param("page").unwrap_or("1");
        Answer::json(match (order, page) {
            (3, _) => "[]".to_owned(),
            (4, "1") => r#"[{"no": 1}, {"no": "two"}]"#.to_owned(),
            (_, "1") => r#"[{"no": 1}, {"no": 2}]"#.to_owned(),
            (_, "2") => r#"[{"no": 3}]"#.to_owned(),
            _ => "[]".to_owned(),
        })
    })
}

#[tokio::test]
async fn a_source_is_read_for_each_row_of_a_query_and_meta_holds_the_row() {
    let web = items();
    let db = TestDb::new().await;
    db.execute(&format!(
        "create schema shop;
         create table shop.orders (id bigint primary key);
         insert into shop.orders select generate_series(1, 4);
         create table shop.items (order_id bigint, no integer, primary key (order_id, no));
         create function shop.items_v1(doc jsonb, meta jsonb) returns table (order_id bigint, no integer)
         language sql stable as $$ select (meta #>> '{{row,id}}')::bigint, (doc->>'no')::integer $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{{order_id,no}}', max_bad_ratio => 1, source => sluice.http_source(url => '{}/orders/{{id}}/items',
             for_each => 'select id from shop.orders order by id', paging => sluice.page_number_paging(), prefetch => 1));",
        web.url
    ))
    .await;
    let run = |more: &[&str]| {
        let args = [&["run", "items", "--batch-rows", "2"], more].concat();
        Sluice::on(&db).args(args).run().exits(0)
    };
    run(&["--max-batches", "2"]);
    let cursor = db.value("select cursor ->> 'row' from sluice.etl_state").await;
    assert_eq!(cursor, r#"{"id": 2}"#, "broken off inside of the second");
    run(&[]);
    assert_eq!(
        db.value(
            "select string_agg(order_id || '-' || no, ' ' order by order_id, no) from shop.items"
        )
        .await,
        "1-1 1-2 1-3 2-1 2-2 2-3 4-1 4-3"
    );
    assert_eq!(
        db.value("select origin from sluice.quarantine").await,
        format!(r#"{}/orders/4/items?page=1 for {{"id": 4}}"#, web.url)
    );
    let asked = web.requests().len();
    db.execute(
        r#"select sluice.amend(quarantine_id, '{"no": 2}', 'typing error') from sluice.quarantine;
           delete from shop.orders where id < 3"#,
    )
    .await;
    Sluice::on(&db).args(["replay", "items"]).run().exits(0);
    assert_eq!(
        db.value("select count(*) from shop.items where order_id = 4").await,
        "3",
        "a replay finds the row again"
    );
    run(&[]);
    let orders: Vec<String> = web.requests()[asked..].iter().map(|r| r.path.clone()).collect();
    assert!(
        orders.iter().all(|path| path.starts_with("/orders/3") || path.starts_with("/orders/4"))
    );
    db.execute("delete from shop.orders").await;
    assert_eq!(run(&[]).summary().count("extracted"), 0);
    Sluice::on(&db).args(["verify", "items"]).run().exits(0);
}

#[tokio::test]
async fn a_column_of_for_each_may_have_any_name() {
    let web = Web::serve(|request| {
        page(&format!(
            "{{\"id\": {}, \"amount\": 1, \"name\": \"a\", \"at\": \"2026-03-01\"}}",
            request.param("q").unwrap()
        ))
    });
    let db = define(&format!(
        "sluice.http_source(url => '{}/?q={{q}}', for_each => 'select 7 as q, 8 as z', records => '/data')",
        web.url
    ))
    .await;
    let done = Sluice::on(&db).args(["run", "orders"]).run().exits(0);
    assert_eq!(done.summary().count("inserted"), 1);
    assert_eq!(web.requests()[0].param("q"), Some("7"));
}

#[tokio::test]
async fn a_query_of_for_each_changes_nothing() {
    let db = define("sluice.http_source(url => 'http://127.0.0.1:9/{id}', for_each => 'delete from shop.orders returning id')").await;
    let done = Sluice::on(&db).args(["run", "orders"]).run().exits(1);
    assert!(done.stderr.contains("for_each"), "{}", done.stderr);
}
