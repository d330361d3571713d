//! What a definition may say of further targets.

use super::{LINES, TABLES, definition, is_sound, order, orders_are, shop};
use crate::engine::{Hand, problem};
use crate::support::TestDb;

async fn tables() -> TestDb {
    let db = TestDb::new().await;
    db.execute(TABLES).await;
    db
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let db = tables().await;
    db.execute(
        "create table shop.notes (id bigint primary key, order_id bigint, text text);
         create function shop.notes_v1(doc jsonb) returns table (id bigint, order_id bigint, text text)
         language sql stable as $$ select 1::bigint, 1::bigint, 'x' $$;
         create function shop.notes_v2(doc jsonb) returns table (id bigint, text text)
         language sql stable as $$ select 1::bigint, 'x' $$;
         create type shop.record as (id text);
         create function shop.notes_v3(r shop.record) returns table (id bigint, order_id bigint, text text)
         language sql stable as $$ select 1::bigint, 1::bigint, 'x' $$;",
    )
    .await;
    let notes = "transform => 'shop.notes_v1', target => 'shop.notes', key => '{id}', parent => '{order_id}'";
    for (also, message, hint) in [
        (
            LINES.replace("{order_id,line_no}", "{line_no}"),
            "target shop.lines has no unique index on exactly its key (line_no)",
            "primary key",
        ),
        (LINES.replace("{order_id,line_no}", "{}"), "target shop.lines has no key", "key => "),
        (
            LINES.replace("parent => '{order_id}'", "parent => '{order_id,line_no}'"),
            "parent of shop.lines is (order_id, line_no), and the key of shop.orders is (order_id)",
            "in its order",
        ),
        (
            LINES.replace("parent => '{order_id}'", "parent => '{line_no}'"),
            "line_no of shop.lines is integer, and order_id of shop.orders, its parent, bigint",
            "the same type",
        ),
        (
            format!("{LINES}, children => 'drop'"),
            "children of shop.lines cannot be 'drop'",
            "keep what",
        ),
        (
            LINES.replace("lines_v1", "prices_v1"),
            "transform shop.prices_v1 does not exist",
            "create function",
        ),
        (
            LINES.replace("'shop.lines'", "'shop.orders'"),
            "target shop.orders is named twice",
            "one transform",
        ),
        (
            notes.replace("v1", "v2"),
            "transform shop.notes_v2(jsonb) does not return order_id, which names the parent",
            "return the order_id of the row of shop.orders",
        ),
        (
            notes.replace("v1", "v3"),
            "transform shop.notes_v3(shop.record) takes something else than shop.orders_v1(jsonb)",
            "all transforms of a pipeline",
        ),
        (
            format!("{notes}, children => 'replace'"),
            "target shop.notes has no index by which the children of a parent are found",
            "create index on shop.notes (order_id)",
        ),
    ] {
        let sql = definition("", "").replace(&format!("{LINES}, "), &also);
        problem(&db, &sql).await.refuses(message, hint);
    }
    let not_made = definition("", "").replace("sluice.also_target(", "jsonb_build_object('x', (");
    let sql = not_made.replace(&format!("{LINES}, )]"), "1))]");
    problem(&db, &sql).await.refuses("also cannot be {\"x\": 1}", "sluice.also_target(");
    let sql = definition("children => 'keep'", ", missing => 'delete'");
    problem(&db, &sql).await.refuses(
        "missing => 'delete' does not go with shop.lines, which keeps its children",
        "children => 'replace'",
    );
}

#[tokio::test]
async fn a_table_of_children_belongs_to_one_pipeline() {
    let (db, _) = shop().await;
    let lines_alone = "select sluice.define_pipeline(name => 'lines', version => 1, transform => 'shop.lines_v1',
      target => 'shop.lines', key => '{order_id,line_no}', source => sluice.file_source(path => '-'))";
    problem(&db, lines_alone).await.refuses(
        "pipeline lines: target shop.lines is loaded by pipeline orders, too, where one of them loads it as children",
        "sluice.drop_pipeline('orders')",
    );
    db.execute("select sluice.drop_pipeline('orders')").await;
    db.execute(lines_alone).await;
    problem(&db, &definition("children => 'replace'", "")).await.refuses(
        "pipeline orders: target shop.lines is loaded by pipeline lines, too",
        "sluice.drop_pipeline('lines')",
    );
}

#[tokio::test]
async fn a_version_that_has_loaded_keeps_its_targets_and_another_may_have_others() {
    let db = tables().await;
    let alone =
        definition("", "").replace(&format!(", also => array[sluice.also_target({LINES}, )]"), "");
    let both = definition("children => 'replace'", ", order_by => 'at'");
    db.execute(&alone.replace(");", ", order_by => 'at');")).await;
    let mut hand = Hand::of(db.connect().await, "orders").await;
    hand.load(&[order(1, 1, &[1])]).await;
    let refused = problem(&db, &both).await;
    refused.refuses(
        "pipeline orders: version 1 has loaded batches and cannot be changed",
        "name it v2",
    );
    assert_eq!(
        refused.detail,
        "Its further targets (also) differ, or the text of one of their transforms."
    );

    let second = both.replace("version => 1", "version => 2");
    assert_eq!(
        db.value(&second).await,
        "pipeline orders: shop.orders and shop.lines, version 1 → 2 active"
    );
    assert_eq!(
        db.value(&second).await,
        "pipeline orders: shop.orders and shop.lines, version 2 active"
    );
    hand.load(&[order(1, 1, &[1]), order(2, 1, &[1, 2])]).await;
    orders_are(&db, &["1|1", "2|1"], &["1|1|s1", "2|1|s1", "2|2|s1"]).await;

    db.execute("select sluice.activate_version('orders', 1)").await;
    hand.load(&[order(2, 2, &[])]).await;
    orders_are(&db, &["1|1", "2|2"], &["1|1|s1", "2|1|s1", "2|2|s1"]).await;
}

#[tokio::test]
async fn a_transform_of_a_further_target_that_was_replaced_stops_the_batch() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1])]).await;
    db.execute(
        "create or replace function shop.lines_v1(doc jsonb)
         returns table (order_id bigint, line_no integer, sku text, qty integer) language sql stable as $$
           select 1::bigint, 1, 'x', 1 $$",
    )
    .await;
    hand.fail(&[order(1, 2, &[1])]).await.is(
        "SL006",
        "pipeline orders: transform shop.lines_v1(jsonb) is not what version 1 was registered with",
    );
    let found =
        "select detail from sluice.verify('orders') where check_name = 'function checksums'";
    assert_eq!(db.value(found).await, "version 1: shop.lines_v1(jsonb) is not what was registered");
}

#[tokio::test]
async fn the_definition_as_it_is_printed_makes_the_same_pipeline() {
    let (db, _) = shop().await;
    let printed = db.value("select sluice.definition('orders')").await;
    let other = TestDb::new().await;
    other.execute(TABLES).await;
    other.execute(&format!("begin; {printed} commit")).await;
    assert_eq!(other.value("select sluice.definition('orders')").await, printed);
    assert!(
        printed.contains("sluice.also_target(transform => 'shop.lines_v1', target => 'shop.lines', key => '{order_id,line_no}', parent => '{order_id}', children => 'replace')"),
        "{printed}"
    );
    assert!(printed.contains("FUNCTION shop.lines_v1"), "{printed}");
    assert_eq!(
        db.value("select also #>> '{0,target}' from sluice.versions_details").await,
        "shop.lines"
    );
}

#[tokio::test]
async fn rows_of_a_pipeline_that_was_dropped_prove_nothing_in_any_target() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1, 2])]).await;
    let said = db.value("select sluice.drop_pipeline('orders')").await;
    assert!(
        said.ends_with("shop.orders keeps its rows and its columns sluice_hash and sluice_batch; shop.lines keeps its rows and its columns sluice_hash and sluice_batch"),
        "{said}"
    );
    db.execute(&definition("children => 'replace'", ", order_by => 'at'")).await;
    let mut hand = Hand::of(db.connect().await, "orders").await;
    assert_eq!(
        hand.load(&[order(1, 1, &[1, 2])]).await,
        "extracted=1 transformed=1 produced=3 updated=3"
    );
    is_sound(&db).await;
}

#[tokio::test]
async fn doctor_names_rights_that_are_missing_on_any_target() {
    let (db, _) = shop().await;
    db.execute(
        "create role also_loader; grant sluice_operator to also_loader; grant usage on schema shop to also_loader;
         grant select, insert, update, delete on shop.orders to also_loader;
         grant execute on all functions in schema shop to also_loader;
         update sluice.pipelines set owner = 'also_loader'",
    )
    .await;
    let session = db.connect().await;
    session.batch_execute("set role also_loader").await.unwrap();
    let rows = session
        .query(
            r#"select detail, next from sluice.doctor() where "check" = 'pipeline orders' and verdict = 'fail'"#,
            &[],
        )
        .await
        .unwrap();
    let found: Vec<(&str, &str)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(
        found,
        [(
            "not all of select, insert, update, delete on shop.lines",
            "grant select, insert, update, delete on shop.lines to also_loader"
        )]
    );
    session
        .batch_execute("reset role; drop owned by also_loader; drop role also_loader")
        .await
        .unwrap();
}
