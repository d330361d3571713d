//! A version is immutable once it has loaded a batch.

use super::*;

const V1: &str =
    "create or replace function shop.items_v1(doc jsonb) returns table (id bigint, name text)
     language sql stable as $$ select (doc->>'id')::bigint, upper(doc->>'name') $$;";

#[tokio::test]
async fn version_can_be_changed_until_it_has_loaded_a_batch() {
    let db = shop().await;
    db.execute(&definition(&[])).await;
    db.execute(V1).await;
    db.execute(&definition(&[])).await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "name": "a"}"#]).await;
    assert_eq!(db.value("select name from shop.items").await, "A");
    db.execute(&V1.replace("upper", "lower")).await;
    let refused = refusal(&db, &[]).await;
    refused.refuses("version 1 has loaded batches and cannot be changed", "name it v2");
    assert!(refused.detail.contains("shop.items_v1(jsonb)"), "{refused:?}");
    db.execute(V1).await;
    db.execute(&definition(&[])).await;
}

#[tokio::test]
async fn key_order_and_function_of_a_used_version_are_fixed() {
    let db = shop().await;
    db.execute(
        "alter table shop.items add unique (name), alter column name set not null;
         create function shop.other(doc jsonb) returns table (id bigint, name text)
         language sql stable as $$ select (doc->>'id')::bigint, doc->>'name' $$;",
    )
    .await;
    db.execute(&definition(&[])).await;
    Hand::start(&db).await.load(&[r#"{"id": 1, "name": "a"}"#]).await;
    for option in [("key", "'{name}'"), ("order_by", "'name'"), ("transform", "'shop.other'")] {
        refusal(&db, &[option])
            .await
            .refuses("version 1 has loaded batches and cannot be changed", "name it v2");
    }
    // The policy is not part of the version.
    db.execute(&definition(&[("max_bad_ratio", "0.5"), ("batch_rows", "7")])).await;
    assert_eq!(db.value("select max_bad_ratio, batch_rows from sluice.pipelines").await, "0.5|7");
}

#[tokio::test]
async fn used_version_keeps_the_search_path_it_was_defined_with() {
    let db = shop().await;
    db.execute(&format!("set search_path = shop; {}", definition(&[]))).await;
    Hand::start(&db).await.load(&[r#"{"id": 1, "name": "a"}"#]).await;
    db.execute(&format!("set search_path = public; {}", definition(&[]))).await;
    assert_eq!(db.value("select search_path from sluice.transforms").await, "shop, pg_temp");
}

#[tokio::test]
async fn second_definition_changes_nothing() {
    let db = shop().await;
    db.execute(&definition(&[])).await;
    let state = "select (select jsonb_agg(to_jsonb(p) - 'updated_at') from sluice.pipelines p), (select jsonb_agg(to_jsonb(t)) from sluice.transforms t), (select jsonb_agg(to_jsonb(s)) from sluice.etl_state s)";
    let before = db.value(state).await;
    assert_eq!(db.value(&definition(&[])).await, "pipeline items: shop.items, version 1 active");
    assert_eq!(db.value(state).await, before);
}

#[tokio::test]
async fn two_definitions_at_once_are_harmless() {
    let db = shop().await;
    let sql = definition(&[]);
    let results = futures_util::future::join_all(
        (0..8).map(|_| async { db.connect().await.batch_execute(&sql).await }),
    )
    .await;
    for result in results {
        if let Err(error) = result {
            panic!("{:?}", Problem::of(&error));
        }
    }
    assert_eq!(db.value("select count(*) from sluice.transforms").await, "1");
}

#[tokio::test]
async fn target_of_a_pipeline_that_has_loaded_cannot_change() {
    let db = shop().await;
    db.execute("create table shop.others (like shop.items including all)").await;
    db.execute(&definition(&[])).await;
    db.execute(&definition(&[("target", "'shop.others'")])).await;
    Hand::start(&db).await.load(&[r#"{"id": 1}"#]).await;
    assert_eq!(db.value("select count(*) from shop.others").await, "1");
    refusal(&db, &[]).await.refuses(
        "pipeline items has loaded shop.others and cannot change its target to shop.items",
        "another pipeline",
    );
}

#[tokio::test]
async fn replaced_or_dropped_transform_stops_the_run() {
    let db = shop().await;
    db.execute(&definition(&[])).await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "name": "a"}"#]).await;
    db.execute(V1).await;
    hand.fail(&[r#"{"id": 2}"#])
        .await
        .is("SL006", "transform shop.items_v1(jsonb) is not what version 1 was registered with");
    db.execute("drop function shop.items_v1").await;
    let problem = hand.fail(&[r#"{"id": 2}"#]).await;
    problem.is("SL006", "transform shop.items_v1(jsonb) was dropped");
    assert_eq!(
        problem.hint,
        "put the registered text back, in psql: select function_text from sluice.versions_details where pipeline = 'items' and version = 1 \\gexec \
         -- or define the new text as version 2, under a new name"
    );
}

#[tokio::test]
async fn both_ways_on_from_a_replaced_transform_lead_on() {
    for way in ["back", "forward"] {
        let db = shop().await;
        db.execute(&definition(&[])).await;
        let mut hand = Hand::start(&db).await;
        hand.load(&[r#"{"id": 1, "name": "a"}"#]).await;
        db.execute(V1).await;
        let hint = hand.fail(&[r#"{"id": 2, "name": "b"}"#]).await.hint;
        if way == "back" {
            let (_, statement) = hint.split_once("in psql: ").unwrap();
            let (statement, _) = statement.split_once(r"\gexec").unwrap();
            db.execute(&db.value(statement).await).await;
        } else {
            assert!(hint.contains("as version 2, under a new name"), "{hint}");
            db.execute(&V1.replace("items_v1", "items_v2")).await;
            db.execute(&definition(&[("version", "2"), ("transform", "'shop.items_v2'")])).await;
        }
        hand.load(&[r#"{"id": 2, "name": "b"}"#]).await;
        assert_eq!(
            db.value("select version from sluice.batches where batch_seq = 2").await,
            if way == "back" { "1" } else { "2" }
        );
    }
}

#[tokio::test]
async fn version_defined_without_activation_waits() {
    let db = shop().await;
    db.execute(&definition(&[])).await;
    db.execute(&V1.replace("items_v1", "items_v2")).await;
    assert_eq!(
        db.value(&definition(&[
            ("version", "2"),
            ("transform", "'shop.items_v2'"),
            ("activate", "false")
        ]))
        .await,
        "pipeline items: shop.items, version 1 active, version 2 a candidate"
    );
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "name": "a"}"#]).await;
    assert_eq!(db.value("select name from shop.items").await, "a");
    assert_eq!(
        db.value("select sluice.activate_version('items', 2)").await,
        "pipeline items: version 2 active (was 1)"
    );
    // Even in the middle of a run, from the next batch on.
    hand.load(&[r#"{"id": 1, "name": "a"}"#]).await;
    assert_eq!(db.value("select name from shop.items").await, "A");
    db.execute("select sluice.activate_version('items', 1)").await;
    hand.load(&[r#"{"id": 1, "name": "a"}"#]).await;
    assert_eq!(db.value("select name from shop.items").await, "a");
    assert_eq!(
        db.rows("select version from sluice.batches order by batch_seq").await,
        ["1", "2", "1"]
    );
    problem(&db, "select sluice.activate_version('items', 9)")
        .await
        .refuses("pipeline items has no version 9", "it has 1, 2");
}
