//! What the definition of a candidate says, which must wait for its activation.

use super::{LINES_THERE, definition, order, order_with, shop, shop_with};
use crate::engine::{Hand, problem};
use crate::support::TestDb;

const ORDERS_GO: &str =
    ", order_by => 'at', deliver => sluice.http_delivery(url => 'https://crm.example/orders')";
const LINES_GO: &str = "children => 'replace', \
                        deliver => sluice.http_delivery(url => 'https://crm.example/lines')";
const STATES: &str =
    "select target, key->>'order_id', state from sluice.deliveries_details order by id";
const URLS: &str =
    "select p.deliver->>'url', p.also_deliver->'shop.lines'->>'url' from sluice.pipelines p";
const ACTIVATE: &str = "select sluice.activate_version('orders', 2)";

/// The same as version 2, not active.
fn second(also: &str, options: &str) -> String {
    definition(also, &format!("{options}, activate => false"))
        .replace("version => 1", "version => 2")
}

#[tokio::test]
async fn a_candidate_changes_no_delivery_until_it_is_activated_and_the_way_back_brings_them_back() {
    let (db, mut hand) = shop_with(LINES_GO, ORDERS_GO).await;
    hand.load(&[order(1, 1, &[1])]).await;
    let elsewhere = ORDERS_GO.replace("crm", "new");
    let candidate = second("children => 'replace'", &elsewhere);
    let waits = "when version 2 is activated: deliver of shop.lines kind \"http\" → none, \
                 deliver of shop.lines url \"https://crm.example/lines\" → none, \
                 deliver url \"https://crm.example/orders\" → \"https://new.example/orders\"";
    for _ in 0..2 {
        let said = db.value(&candidate).await;
        assert!(said.ends_with(waits), "{said}");
    }
    hand.load(&[order(2, 1, &[1])]).await;
    let unsent = [
        "shop.orders|1|unsent",
        "shop.lines|1|unsent",
        "shop.orders|2|unsent",
        "shop.lines|2|unsent",
    ];
    assert_eq!(db.rows(STATES).await, unsent);
    let printed = db.rows("select sluice.definition('orders', 2)").await.join("\n");
    assert!(printed.contains("https://new.example") && !printed.contains("/lines'"), "{printed}");
    db.execute(&format!("begin; {printed} commit")).await;
    assert_eq!(db.rows(URLS).await, ["https://crm.example/orders|https://crm.example/lines"]);

    let said = db.value(ACTIVATE).await;
    assert!(
        said.starts_with("pipeline orders: version 2 active (was 1); deliver of shop.lines"),
        "{said}"
    );
    hand.load(&[order(3, 1, &[1])]).await;
    assert_eq!(
        db.rows(STATES).await,
        [
            "shop.orders|1|unsent",
            "shop.lines|1|discarded",
            "shop.orders|2|unsent",
            "shop.lines|2|discarded",
            "shop.orders|3|unsent"
        ]
    );
    assert_eq!(db.rows(URLS).await, ["https://new.example/orders|-"]);
    db.execute("select sluice.activate_version('orders', 1)").await;
    hand.load(&[order(4, 1, &[1])]).await;
    assert_eq!(db.rows(STATES).await[5..], ["shop.orders|4|unsent", "shop.lines|4|unsent"]);
    assert_eq!(db.rows(URLS).await, ["https://crm.example/orders|https://crm.example/lines"]);
}

#[tokio::test]
async fn what_only_a_candidate_delivers_begins_with_its_activation() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1])]).await;
    db.execute(
        "create function shop.line_body_v1(r shop.lines) returns jsonb language sql stable as $$ select to_jsonb(r.sku) $$",
    )
    .await;
    let also = LINES_GO.replace("/lines'", "/lines', body => 'shop.line_body_v1'");
    db.execute(&second(&also, ", order_by => 'at'")).await;
    problem(&db, "select * from sluice.delivering_targets('orders')")
        .await
        .refuses("delivers nowhere", "deliver");
    db.execute(ACTIVATE).await;
    hand.load(&[order(2, 1, &[1])]).await;
    assert_eq!(db.rows(STATES).await, ["shop.lines|2|unsent"]);
    let claimed =
        "select d.body from sluice.start_delivery('orders', 'test', target => 'shop.lines') s,
        lateral sluice.claim_deliveries('orders', s.epoch, target => 'shop.lines') d";
    assert_eq!(db.rows(claimed).await, [r#""s1""#]);
}

/// Not when it is activated, by somebody else in the middle of the night.
#[tokio::test]
async fn where_a_candidate_delivers_is_checked_when_it_is_defined() {
    let (db, _hand) = shop_with(LINES_GO, ORDERS_GO).await;
    problem(&db, &second(&LINES_GO.replace("/lines", "/{sku}"), ORDERS_GO))
        .await
        .refuses("{sku} in the url of deliver", "order_id, line_no");
    let body = LINES_GO.replace("/lines'", "/lines', body => 'shop.none'");
    problem(&db, &second(&body, ORDERS_GO))
        .await
        .refuses("the body function shop.none(shop.lines)", "create function");
}

#[tokio::test]
async fn deliveries_that_were_ended_elsewhere_stay_so_when_a_version_that_says_the_same_is_activated()
 {
    let (db, mut hand) = shop_with(LINES_GO, ORDERS_GO).await;
    db.execute("select sluice.set_policy('orders', 'deliver', 'none')").await;
    db.execute(&second(LINES_GO, ORDERS_GO)).await;
    assert_eq!(db.value(ACTIVATE).await, "pipeline orders: version 2 active (was 1)");
    hand.load(&[order(1, 1, &[1])]).await;
    assert!(db.rows(STATES).await.is_empty());
}

/// Of an older version that was made the active one again.
#[tokio::test]
async fn the_definition_of_the_active_version_says_where_it_delivers_although_there_is_a_newer_one()
{
    let (db, mut hand) = shop_with(LINES_GO, ORDERS_GO).await;
    db.execute(&second(LINES_GO, ORDERS_GO)).await;
    let said = db.value(&definition(LINES_GO, &ORDERS_GO.replace("crm", "new"))).await;
    assert!(
        said.ends_with(
            r#"deliver url "https://crm.example/orders" → "https://new.example/orders""#
        ),
        "{said}"
    );
    hand.load(&[order(1, 1, &[])]).await;
    assert_eq!(db.rows(STATES).await, ["shop.orders|1|unsent"]);
}

#[tokio::test]
async fn a_version_with_another_key_waits_until_what_was_noted_by_the_old_one_is_sent() {
    let (db, mut hand) = shop_with(LINES_GO, ", order_by => 'at'").await;
    db.execute("create unique index on shop.lines (line_no)").await;
    hand.load(&[order(1, 1, &[1])]).await;
    let by_number =
        second(LINES_GO, ", order_by => 'at'").replace("{order_id,line_no}", "{line_no}");
    db.execute(&by_number).await;
    let refused = problem(&db, ACTIVATE).await;
    refused.refuses(
        "deliveries of shop.lines wait under the key (line_no, order_id), and version 2 has the key (line_no)",
        "sluice deliver orders",
    );
    db.execute("select sluice.set_policy('orders', 'deliver', 'none')").await;
    db.execute(ACTIVATE).await;
    // Nor is where it goes told by a column that is no key any more.
    let url = LINES_GO.replace("/lines", "/lines/{order_id}");
    let third = definition(&url, ", order_by => 'at'").replace("version => 1", "version => 3");
    db.execute(&third).await;
    let fourth =
        third.replace("version => 3", "version => 4").replace("{order_id,line_no}", "{line_no}");
    problem(&db, &fourth).await.refuses("{order_id} in the url of deliver", "line_no");
}

#[tokio::test]
async fn a_candidate_does_not_let_the_active_version_delete_parents_whose_children_it_keeps() {
    let (db, _hand) = shop_with("children => 'keep'", ", order_by => 'at'").await;
    let deletes = ", order_by => 'at', missing => 'delete'";
    problem(&db, &second("children => 'replace'", deletes))
        .await
        .refuses("does not go with shop.lines, which keeps its children", "replace");
    // Together with the version that replaces them it may.
    db.execute(
        &second("children => 'replace'", deletes).replace("activate => false", "activate => true"),
    )
    .await;
    problem(&db, "select sluice.activate_version('orders', 1)")
        .await
        .refuses("does not go with shop.lines, which keeps its children", "replace");
}

#[tokio::test]
async fn a_candidate_does_not_change_the_target_of_the_active_version() {
    let db = TestDb::new().await;
    let define = |version: i32, target: &str, more: &str| {
        format!(
            "create table if not exists shop.{target} (id bigint primary key);
             select sluice.define_pipeline(name => 'x', version => {version}, transform => 'shop.x_v1',
               target => 'shop.{target}', key => '{{id}}', source => sluice.file_source(path => 'x') {more})"
        )
    };
    db.execute(
        "create schema shop;
         create function shop.x_v1(doc jsonb) returns table (id bigint) language sql as $$ select 1::bigint $$",
    )
    .await;
    db.execute(&define(1, "a", "")).await;
    problem(&db, &define(2, "b", ", activate => false"))
        .await
        .refuses("version 2 cannot be a candidate for shop.b", "activate => true");
    db.execute(&define(2, "b", "")).await;
}

/// Lines name two orders, and the candidate takes the other one for their parent.
#[tokio::test]
async fn an_erasure_asks_the_active_version_which_lines_belong_to_an_order() {
    let db = TestDb::new().await;
    db.execute(super::TABLES).await;
    db.execute(
        "alter table shop.lines add other_id bigint;
         create index on shop.lines (other_id);
         drop function shop.lines_v1(jsonb);
         create function shop.lines_v1(doc jsonb)
         returns table (order_id bigint, line_no integer, sku text, qty integer, other_id bigint) language sql stable as $$
           select (doc->>'id')::bigint, (l->>'no')::integer, l->>'sku', 1, (doc->>'other')::bigint
           from jsonb_array_elements(doc->'lines') l $$;",
    )
    .await;
    db.execute(&definition(LINES_GO, ", order_by => 'at'")).await;
    let mut hand = Hand::of(db.connect().await, "orders").await;
    hand.load(&[order_with(1, 1, &[1], r#""other": 2"#), order_with(2, 1, &[1], r#""other": 1"#)])
        .await;
    db.execute(
        &second(LINES_GO, ", order_by => 'at'")
            .replace("parent => '{order_id}'", "parent => '{other_id}'"),
    )
    .await;
    let erased = "select place, erased from sluice.erase('orders', '1', reason => 'request 17', rows => true)
        where place like '%lines' or place = 'deliveries'";
    assert_eq!(db.rows(erased).await, ["deliveries|1", "rows of shop.lines|1"]);
    assert_eq!(db.rows(LINES_THERE).await, ["2|1|s1"]);
    let left = "select key->>'order_id', operation, state from sluice.deliveries order by id";
    assert_eq!(db.rows(left).await, ["2|upsert|unsent", "1|delete|unsent"]);
}
