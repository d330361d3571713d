//! The real `sluice` on an API.

use serde_json::Value;

use super::support::serve;
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
        db.value("select count(*), sum(amount) from shop.orders")
            .await,
        format!("57|{}.50", (0..57).map(|i| i * 7).sum::<usize>() + 28)
    );
    assert!(
        web.requests()
            .iter()
            .all(|request| request.header("authorization") == Some("Bearer s3cr3t"))
    );
    let done = run().exits(0);
    assert_eq!(
        done.summary().count("unchanged"),
        57,
        "without since, every run reads all"
    );
    assert_eq!(
        db.rows("select * from sluice.verify() where not is_ok")
            .await,
        Vec::<String>::new()
    );
    assert_eq!(
        db.value("select count(*) from sluice.quarantine").await,
        "0"
    );
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
    assert_eq!(
        (
            done.summary().count("retried"),
            done.summary().count("inserted")
        ),
        (3, 20)
    );
    assert!(done.stderr.contains("is tried again"), "{}", done.stderr);
    assert_eq!(
        db.value("select sum(retried) from sluice.batches").await,
        "3"
    );
    let web = Web::serve(|_| Answer::status(503, "busy"));
    db.execute(&format!(
        "update sluice.pipelines set source = jsonb_set(source, '{{url}}', '\"{}\"')",
        web.url
    ))
    .await;
    let done = Sluice::on(&db)
        .args(["run", "orders", "--retries", "1"])
        .run()
        .exits(75);
    assert_eq!(web.requests().len(), 2);
    assert!(
        done.stderr.contains("every retry of this run is used up"),
        "{}",
        done.stderr
    );
}

#[tokio::test]
async fn rewind_sets_the_pages_back() {
    let (web, _) = serve(Api::orders(30, 10));
    let db = define(&format!(
        "sluice.http_source(url => '{}/page', records => '/data', paging => sluice.page_number_paging(), since => sluice.since(param => 'since', field => '/at'))",
        web.url
    ))
    .await;
    let run = || {
        Sluice::on(&db)
            .args(["run", "orders", "--batch-rows", "12"])
            .run()
            .exits(0)
    };
    assert_eq!(run().summary().count("inserted"), 30);
    assert_eq!(run().summary().count("unchanged"), 1, "the one at the mark");
    let first = db.value("select min(batch_id) from sluice.batches").await;
    Sluice::on(&db)
        .args(["rewind", "orders", "--to-batch", &first])
        .run()
        .exits(0);
    let cursor: Value =
        serde_json::from_str(&db.value("select cursor from sluice.etl_state").await).unwrap();
    assert_eq!(
        (&cursor["next"]["page"], &cursor["skip"]),
        (&Value::from(2), &Value::from(2))
    );
    assert_eq!(
        run().summary().count("unchanged"),
        18,
        "what follows the first batch"
    );
    Sluice::on(&db)
        .args(["rewind", "orders", "--to-start"])
        .run()
        .exits(0);
    assert_eq!(run().summary().count("unchanged"), 30);
    Sluice::on(&db).args(["verify", "orders"]).run().exits(0);
}

#[tokio::test]
async fn a_dry_run_reads_and_leaves_nothing() {
    let (web, _) = serve(Api::orders(30, 10));
    let db = define(&format!(
        "sluice.http_source(url => '{}/all', records => '/data')",
        web.url
    ))
    .await;
    let done = Sluice::on(&db)
        .args(["run", "orders", "--dry-run"])
        .run()
        .exits(0);
    assert_eq!(done.summary().count("inserted"), 30);
    assert_eq!(db.value("select cursor from sluice.etl_state").await, "-");
}

#[tokio::test]
async fn what_was_read_before_a_failure_is_committed_and_the_next_run_goes_on() {
    let api = Api::orders(30, 10);
    let web = Web::serve(
        move |request| match (request.number, request.param("after")) {
            (n, Some("t20")) if n < 4 => Answer::status(404, "gone for a moment"),
            _ => api.answer(request),
        },
    );
    let db = define(&format!("sluice.http_source(url => '{}/cursor', records => '/data', paging => sluice.cursor_paging(param => 'after', next => '/meta/next'))", web.url)).await;
    let done = Sluice::on(&db).args(["run", "orders"]).run().exits(1);
    assert_eq!(done.summary().count("inserted"), 20);
    assert!(
        done.stderr
            .contains("answered 404 Not Found\n  body:  gone for a moment"),
        "{}",
        done.stderr
    );
    let done = Sluice::on(&db).args(["run", "orders"]).run().exits(0);
    assert_eq!(
        (
            done.summary().count("inserted"),
            done.summary().count("extracted")
        ),
        (10, 10)
    );
    assert_eq!(web.requests().len(), 4);
}
