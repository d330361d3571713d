//! What can be a target.

use super::*;

#[tokio::test]
async fn missing_target_is_refused() {
    let db = shop().await;
    for target in ["'shop.nothing'", "''", "'shop.'", "'a.b.c.d'", "'we ird'", "null"] {
        refusal(&db, &[("target", target)])
            .await
            .refuses("does not exist", "create the table first");
    }
}

#[tokio::test]
async fn only_tables_without_rules_are_targets() {
    let db = shop().await;
    db.execute(
        "create view shop.a_view as select id, name from shop.items;
         create materialized view shop.a_matview as select id, name from shop.items;
         create sequence shop.a_sequence;
         create table shop.ruled (like shop.items including all);
         create unlogged table shop.forgetful (like shop.items including all);
         create rule quiet as on delete to shop.ruled do instead nothing;",
    )
    .await;
    for (target, message) in [
        ("'shop.a_view'", "target shop.a_view is not a table"),
        ("'shop.a_matview'", "target shop.a_matview is not a table"),
        ("'shop.a_sequence'", "target shop.a_sequence is not a table"),
        ("'shop.items_pkey'", "target shop.items_pkey is not a table"),
        ("'shop.ruled'", "target shop.ruled has rewrite rules"),
        ("'shop.forgetful'", "target shop.forgetful is unlogged"),
    ] {
        refusal(&db, &[("target", target)]).await.refuses(message, "");
    }
    // A temporary table would be gone with the session that made it.
    problem(
        &db,
        &format!(
            "create temporary table fleeting (like shop.items including all); {}",
            definition(&[("target", "'fleeting'")])
        ),
    )
    .await
    .refuses("is temporary", "");
}

#[tokio::test]
async fn column_the_target_lacks_is_refused() {
    let db = shop().await;
    db.execute("alter table shop.items rename name to title").await;
    refusal(&db, &[])
        .await
        .refuses("target shop.items has no column name", "its columns are id, title, updated_at");
}

#[tokio::test]
async fn generated_and_identity_columns_are_not_loaded() {
    for column in
        ["name text generated always as ('x') stored", "name bigint generated always as identity"]
    {
        let db = TestDb::new().await;
        db.execute(&format!(
            "create schema shop; create table shop.items (id bigint primary key, {column});
             create function shop.items_v1(doc jsonb) returns table (id bigint, name text) language sql as 'select 1::bigint, null';"
        ))
        .await;
        refusal(&db, &[])
            .await
            .refuses("column name of target shop.items is generated", "leave it out");
    }
}

#[tokio::test]
async fn required_column_that_nobody_fills_is_refused() {
    let db = shop().await;
    db.execute("alter table shop.items add column price numeric not null").await;
    refusal(&db, &[])
        .await
        .refuses("column price of target shop.items is not null, has no default", "default");
    db.execute("alter table shop.items alter column price set default 0").await;
    db.execute(&definition(&[])).await;
}

#[tokio::test]
async fn reserved_columns_are_refused_unless_they_are_what_they_say() {
    let db = shop().await;
    for (number, column) in [
        "sluice_hash bytea",
        "sluice_batch bigint",
        "sluice_reject boolean",
        "sluice_deleted text",
        "sluice_other text",
    ]
    .iter()
    .enumerate()
    {
        db.execute(&format!(
            "create function shop.bad_{number}(doc jsonb) returns table (id bigint, {column}) language plpgsql as 'begin return; end'"
        ))
        .await;
        refusal(&db, &[("transform", &format!("'shop.bad_{number}'"))])
            .await
            .refuses(&format!("the transform returns {column}"), "reserved");
    }
    db.execute("alter table shop.items add column sluice_hash text").await;
    refusal(&db, &[])
        .await
        .refuses("target shop.items has a column sluice_hash of type text", "rename it");
}

#[tokio::test]
async fn transform_returning_the_target_s_own_row_type_is_refused() {
    // Adding the bookkeeping columns would change its result type under its feet.
    let db = shop().await;
    db.execute("create function shop.items_v2(doc jsonb) returns setof shop.items language sql as 'select 1::bigint, null::text, null::timestamptz'")
        .await;
    refusal(&db, &[("transform", "'shop.items_v2'")])
        .await
        .refuses("shop.items_v2", "returns table");
    assert_eq!(
        db.value("select count(*) from pg_attribute where attrelid = 'shop.items'::regclass and attname like 'sluice%'").await,
        "0"
    );
}

#[tokio::test]
async fn bookkeeping_columns_are_added_once_and_aloud() {
    let db = shop().await;
    let (session, notices) = db.connect_hearing().await;
    session.batch_execute(&definition(&[])).await.unwrap();
    let first = std::mem::take(&mut *notices.lock().unwrap()).join("\n");
    assert!(first.contains("added column sluice_hash bytea to shop.items"), "{first}");
    assert!(first.contains("added column sluice_batch bigint to shop.items"), "{first}");
    session.batch_execute(&definition(&[])).await.unwrap();
    assert_eq!(notices.lock().unwrap().join("\n"), "");
    assert_eq!(
        db.rows("select attname from pg_attribute where attrelid = 'shop.items'::regclass and attnum > 0 order by attnum").await,
        ["id", "name", "updated_at", "sluice_hash", "sluice_batch"]
    );
}

#[tokio::test]
async fn definer_who_may_not_alter_the_target_is_told_what_to_ask_for() {
    let db = shop().await;
    db.execute(
        "do $$ begin if not exists (select from pg_roles where rolname = 'engine_definer') then create role engine_definer in role sluice_operator; end if; exception when duplicate_object or unique_violation then null; end $$;
         grant usage on schema shop to engine_definer; grant select, insert, update, delete on shop.items to engine_definer;",
    )
    .await;
    problem(&db, &format!("set role engine_definer; {}", definition(&[]))).await.refuses(
        "engine_definer may not add column sluice_hash to target shop.items",
        "alter table shop.items add column sluice_hash bytea, add column sluice_batch bigint",
    );
}

#[tokio::test]
async fn losing_a_bookkeeping_column_stops_the_next_batch_until_defined_again() {
    let db = shop().await;
    db.execute(&definition(&[])).await;
    let mut hand = Hand::start(&db).await;
    db.execute("alter table shop.items drop column sluice_hash").await;
    hand.fail(&[r#"{"id": 1}"#])
        .await
        .refuses("target shop.items has lost its bookkeeping columns", "sluice apply");
    db.execute(&definition(&[])).await;
    hand.load(&[r#"{"id": 1}"#]).await;
}
