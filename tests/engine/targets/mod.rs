//! One record, rows of several targets: orders and their lines.

mod books;
mod candidate;
mod compare;
mod define;
mod deliver;
mod missing;
mod moves;
mod newer;
mod replace;
mod whole;

use crate::engine::Hand;
use crate::support::TestDb;

/// The tables and transforms; `{at}` of a record orders it, `lines` are its lines.
const TABLES: &str = "
create schema shop;
create table shop.orders (
  order_id bigint primary key, amount numeric(12,2) not null check (amount >= 0), at bigint not null);
create table shop.lines (
  order_id bigint not null references shop.orders, line_no integer, sku varchar(8) not null,
  qty integer not null check (qty > 0), primary key (order_id, line_no));
create function shop.orders_v1(doc jsonb)
returns table (order_id bigint, amount numeric, at bigint, sluice_deleted boolean) language sql stable as $$
  select (doc->>'id')::bigint, coalesce(doc->>'amount', '1')::numeric, (doc->>'at')::bigint, doc ? 'gone'
  where not doc ? 'skip' $$;
create function shop.lines_v1(doc jsonb)
returns table (order_id bigint, line_no integer, sku text, qty integer) language sql stable as $$
  select coalesce(doc->>'of', doc->>'id')::bigint, (l->>'no')::integer, l->>'sku', coalesce(l->>'qty', '1')::integer
  from jsonb_array_elements(doc->'lines') l $$;";

const LINES: &str = "transform => 'shop.lines_v1', target => 'shop.lines', key => '{order_id,line_no}', \
                     parent => '{order_id}'";

/// The definition; `also` follows what names the lines, `options` is more of the pipeline.
fn definition(also: &str, options: &str) -> String {
    format!(
        "select sluice.define_pipeline(name => 'orders', version => 1, transform => 'shop.orders_v1',
           target => 'shop.orders', key => '{{order_id}}', source => sluice.file_source(path => '-'),
           max_bad_ratio => 1, also => array[sluice.also_target({LINES}, {also})] {options});"
    )
}

/// A shop whose lines are replaced, and a loader.
async fn shop() -> (TestDb, Hand) {
    shop_with("children => 'replace'", ", order_by => 'at'").await
}

async fn shop_with(also: &str, options: &str) -> (TestDb, Hand) {
    let db = TestDb::new().await;
    db.execute(TABLES).await;
    db.execute(&definition(also, options)).await;
    let hand = Hand::of(db.connect().await, "orders").await;
    (db, hand)
}

/// A record of an order with lines, by their numbers; the SKU of each tells the time.
fn order(id: i64, at: i64, lines: &[i64]) -> String {
    let lines: Vec<String> =
        lines.iter().map(|no| format!(r#"{{"no": {no}, "sku": "s{at}"}}"#)).collect();
    format!(r#"{{"id": {id}, "at": {at}, "lines": [{}]}}"#, lines.join(", "))
}

/// The same with more fields.
fn order_with(id: i64, at: i64, lines: &[i64], more: &str) -> String {
    order(id, at, lines).replacen('{', &format!("{{{more}, "), 1)
}

const ORDERS: &str = "select order_id, at from shop.orders order by 1";
const LINES_THERE: &str = "select order_id, line_no, sku from shop.lines order by 1, 2";

async fn orders_are(db: &TestDb, orders: &[&str], lines: &[&str]) {
    assert_eq!(db.rows(ORDERS).await, orders);
    assert_eq!(db.rows(LINES_THERE).await, lines);
    is_sound(db).await;
}

async fn is_sound(db: &TestDb) {
    let broken = db.rows("select * from sluice.verify(deep => true) where is_ok is not true").await;
    assert_eq!(broken, Vec::<String>::new());
}
