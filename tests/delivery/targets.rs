//! Rows of several targets, through `sluice deliver`: each to where it goes, in an order in which tables that refer to
//! each other can take them.

use super::receiver::{Receiver, RetryError};
use crate::support::sluice::Done;
use crate::support::web::Answer;
use crate::support::{Sluice, TestDb};
use tempfile::TempDir;

const TABLES: &str = "
create schema shop;
create table shop.orders (id bigint primary key, n bigint);
create table shop.lines (id bigint references shop.orders, no bigint, sku text, primary key (id, no));
create function shop.orders_v1(doc jsonb) returns table (id bigint, n bigint, sluice_deleted boolean)
language sql stable as $$ select (doc->>'id')::bigint, (doc->>'n')::bigint, doc ? 'gone' $$;
create function shop.lines_v1(doc jsonb) returns table (id bigint, no bigint, sku text)
language sql stable as $$ select (doc->>'id')::bigint, no, sku
  from jsonb_array_elements_text(doc->'lines') with ordinality l (sku, no) $$;";

pub(super) struct Shop {
    pub(super) db: TestDb,
    pub(super) folder: TempDir,
}

impl Shop {
    /// `orders`, `lines`: where the rows of each go.
    pub(super) async fn new(orders: &str, lines: &str) -> Self {
        Self::with(TABLES, "{id,no}", orders, lines).await
    }

    /// `tables`: with their transforms; `key`: that of the lines.
    pub(super) async fn with(tables: &str, key: &str, orders: &str, lines: &str) -> Self {
        let shop = Shop { db: TestDb::new().await, folder: TempDir::new().unwrap() };
        shop.db.execute(tables).await;
        shop.db
            .execute(&format!(
                "select sluice.define_pipeline(name => 'orders', version => 1, transform => 'shop.orders_v1',
                   target => 'shop.orders', key => '{{id}}', deliver => {orders},
                   source => sluice.file_source(path => '{}/*.ndjson', settle_seconds => 0),
                   also => array[sluice.also_target(transform => 'shop.lines_v1', target => 'shop.lines',
                     key => '{key}', parent => '{{id}}', children => 'replace', deliver => {lines})])",
                shop.folder.path().display()
            ))
            .await;
        shop
    }

    pub(super) fn load(&self, name: &str, records: &[&str]) {
        let file = self.folder.path().join(format!("{name}.ndjson"));
        std::fs::write(file, records.join("\n") + "\n").unwrap();
        Sluice::on(&self.db).args(["run", "orders"]).run().exits(0);
    }

    pub(super) fn deliver(&self, there: &TestDb, args: &[&str]) -> Done {
        Sluice::on(&self.db).args(["deliver", "orders"]).args(args).env("CRM_DB", &there.url).run()
    }
}

pub(super) fn http(receiver: &Receiver, path: &str) -> String {
    format!("sluice.http_delivery(url => '{}/items/{path}', method => 'PUT')", receiver.url())
}

pub(super) fn table(name: &str) -> String {
    format!(
        "sluice.postgres_delivery(connection => sluice.connection(env => 'CRM_DB'), \"table\" => '{name}')"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_target_has_its_own_endpoint_and_its_own_summary() {
    let receiver = Receiver::with(|request, _| {
        (request.path.contains("lines") && request.body.contains("bad"))
            .then(|| RetryError::Refuse(Answer::status(422, "no such sku")))
    });
    let lines = http(&receiver, "lines-{id}-{no}");
    let shop = Shop::new(&http(&receiver, "orders-{id}"), &lines).await;
    shop.load("1", &[r#"{"id": 1, "n": 1, "lines": ["a", "bad"]}"#]);
    let done = shop.deliver(&shop.db, &[]).exits(0);
    let summaries: Vec<&str> = done.stdout.lines().collect();
    assert!(
        summaries[0].starts_with("orders delivered sent=1 ") && !summaries[0].contains("target="),
        "{summaries:?}"
    );
    assert!(
        summaries[1].starts_with("orders delivered sent=1 filtered=0 superseded=0 dead=1 ")
            && summaries[1].ends_with(" target=shop.lines"),
        "{summaries:?}"
    );
    let mut applied = receiver.applied();
    applied.sort();
    assert_eq!(
        applied,
        [r#"lines-1-1: PUT {"id": 1, "no": 1, "sku": "a"}"#, r#"orders-1: PUT {"n": 1, "id": 1}"#]
    );
    // One of them alone.
    let args = ["--target", "shop.lines", "--all-rows", "--json"];
    let done = shop.deliver(&shop.db, &args).exits(0);
    assert_eq!(done.stdout.lines().count(), 1, "{done:?}");
    assert!(done.stdout.contains(r#""target":"shop.lines""#), "{done:?}");
    assert!(receiver.applied().iter().all(|row| row.starts_with("lines")));
    let done = shop.deliver(&shop.db, &["--target", "shop.line"]).exits(2);
    assert!(
        done.stderr.contains("has no target shop.line") && done.stderr.contains("shop.lines"),
        "{done:?}"
    );
    let dead = Sluice::on(&shop.db).args(["deliveries", "orders", "--dead", "--json"]);
    let dead = dead.run().exits(0).stdout;
    assert!(dead.contains(r#""target":"shop.lines""#), "{dead}");
}

/// Where lines refer to their orders there, an order goes there before its lines and leaves after them.
#[tokio::test(flavor = "multi_thread")]
async fn tables_that_refer_to_each_other_take_orders_before_lines_and_lose_lines_before_orders() {
    let there = TestDb::empty().await;
    there
        .execute(
            "create schema crm;
             create table crm.orders (id bigint primary key, n bigint);
             create table crm.lines (id bigint references crm.orders, no bigint, sku text, primary key (id, no))",
        )
        .await;
    let shop = Shop::new(&table("crm.orders"), &table("crm.lines")).await;
    let two = r#"{"id": 2, "n": 1, "lines": ["c"]}"#;
    shop.load("1", &[r#"{"id": 1, "n": 1, "lines": ["a", "b"]}"#, two]);
    shop.deliver(&there, &[]).exits(0);
    shop.load("2", &[r#"{"id": 1, "gone": true, "lines": []}"#]);
    shop.load("3", &[r#"{"id": 3, "n": 1, "lines": ["d"]}"#]);
    let done = shop.deliver(&there, &[]).exits(0);
    assert!(!done.stdout.contains("dead=1"), "{done:?}");
    let counts: Vec<&str> = done.stdout.lines().map(|line| &line[..24]).collect();
    assert_eq!(counts, ["orders delivered sent=2 ", "orders delivered sent=3 "]);
    let rows = "select id, no, sku from crm.lines join crm.orders using (id) order by 1";
    assert_eq!(there.rows(rows).await, ["2|1|c", "3|1|d"]);
    assert_eq!(there.value("select count(*) from crm.orders").await, "2");
}
