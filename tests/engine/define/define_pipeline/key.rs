//! The key has to be a key.

use super::*;

#[tokio::test]
async fn key_without_an_exactly_matching_unique_index_is_refused() {
    for (table, key) in [
        ("id bigint not null", "{id}"),
        ("id bigint not null, name text not null, primary key (id, name)", "{id}"),
        ("id bigint primary key, name text not null", "{id,name}"),
        ("id bigint primary key, name text not null", "{id,id}"),
        ("id bigint not null, unique (id) deferrable", "{id}"),
        ("id bigint not null, unique (id) deferrable initially deferred", "{id}"),
        ("id bigint not null, exclude using btree (id with =)", "{id}"),
    ] {
        let db = TestDb::new().await;
        db.execute(&format!(
            "create schema shop; create table shop.items ({table});
             alter table shop.items add column if not exists name text;
             create function shop.items_v1(doc jsonb) returns table (id bigint, name text) language sql as 'select 1::bigint, null';"
        ))
        .await;
        refusal(&db, &[("key", &format!("'{key}'"))])
            .await
            .refuses("target shop.items has no unique index on exactly its key", "add primary key");
    }
}

#[tokio::test]
async fn partial_expression_and_invalid_indexes_are_no_keys() {
    let db = shop().await;
    db.execute(
        "alter table shop.items drop constraint items_pkey, alter column id set not null;
         create unique index on shop.items (id) where id > 0;
         create unique index on shop.items (name, (id + 1));
         create unique index on shop.items (id) include (name) where name is not null;
         create index on shop.items (id);",
    )
    .await;
    let message = "target shop.items has no unique index on exactly its key (id)";
    refusal(&db, &[]).await.refuses(message, "not partial");
    // An index whose concurrent build failed.
    db.execute("insert into shop.items (id) values (-1), (-1)").await;
    let session = db.connect().await;
    assert!(
        session
            .batch_execute("create unique index concurrently broken on shop.items (id)")
            .await
            .is_err()
    );
    db.execute("delete from shop.items").await;
    assert_eq!(
        db.value("select indisvalid from pg_index where indexrelid = 'shop.broken'::regclass")
            .await,
        "f"
    );
    refusal(&db, &[]).await.refuses(message, "has to be valid");
    // Columns that an index merely includes do not count.
    db.execute("drop index shop.broken; create unique index on shop.items (id) include (name)")
        .await;
    db.execute(&definition(&[])).await;
}

#[tokio::test]
async fn nullable_key_is_refused() {
    let db = shop().await;
    db.execute("alter table shop.items drop constraint items_pkey; alter table shop.items alter column id drop not null, add unique (id)")
        .await;
    refusal(&db, &[])
        .await
        .refuses("key column id of target shop.items may be null", "set not null");
}

#[tokio::test]
async fn missing_or_nameless_keys_are_refused() {
    let db = shop().await;
    for key in ["null", "'{}'", "'{null}'", "'{id,null}'"] {
        refusal(&db, &[("key", key)]).await.refuses("pipeline items has no key", "");
    }
    refusal(&db, &[("key", "'{no_such}'")])
        .await
        .refuses("target shop.items has no column no_such", "its columns are id, name");
    refusal(&db, &[("key", "'{updated_at}'")])
        .await
        .refuses("the transform does not return updated_at, which is a key column", "add it");
}

#[tokio::test]
async fn order_by_has_to_be_returned_and_to_have_an_order() {
    let db = shop().await;
    refusal(&db, &[("order_by", "'updated_at'")]).await.refuses(
        "the transform does not return updated_at, which is the order_by column",
        "add it",
    );
    db.execute(
        "alter table shop.items add column raw json;
         create function shop.items_v2(doc jsonb) returns table (id bigint, raw json) language sql as $$ select (doc->>'id')::bigint, doc::json $$;",
    )
    .await;
    refusal(&db, &[("transform", "'shop.items_v2'"), ("order_by", "'raw'")])
        .await
        .refuses("order_by column raw", "");
}

#[tokio::test]
async fn key_lost_after_definition_stops_the_next_batch() {
    let db = shop().await;
    db.execute(&definition(&[])).await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#]).await;
    db.execute("alter table shop.items drop constraint items_pkey").await;
    hand.fail(&[r#"{"id": 2}"#])
        .await
        .refuses("target shop.items has no unique index on exactly its key (id)", "");
    db.execute("alter table shop.items add primary key (id)").await;
    hand.load(&[r#"{"id": 2}"#]).await;
}

#[tokio::test]
async fn identity_always_column_can_be_the_key() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint generated always as identity primary key, name text",
        "id bigint, name text",
        "(doc->>'id')::bigint, doc->>'name'",
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 7, "name": "a"}"#]).await;
    let books = hand.load(&[r#"{"id": 7, "name": "b"}"#]).await;
    assert_eq!(books, "extracted=1 transformed=1 produced=1 updated=1");
    assert_eq!(db.value("select id, name from shop.items").await, "7|b");
}

#[tokio::test]
async fn composite_key_and_partitioned_target_load() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.items (day date, id bigint, name text, primary key (id, day)) partition by range (day);
         create table shop.items_2024 partition of shop.items for values from ('2024-01-01') to ('2025-01-01');
         create table shop.items_2025 partition of shop.items for values from ('2025-01-01') to ('2026-01-01');
         create function shop.items_v1(doc jsonb) returns table (id bigint, day date, name text) language sql stable as $$
           select (doc->>'id')::bigint, (doc->>'day')::date, doc->>'name' $$;",
    )
    .await;
    db.execute(&definition(&[("key", "'{day,id}'"), ("max_bad_ratio", "1")])).await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&[
            r#"{"id": 1, "day": "2024-05-05", "name": "a"}"#,
            r#"{"id": 1, "day": "2025-05-05", "name": "b"}"#,
            r#"{"id": 1, "day": "1999-05-05", "name": "no partition"}"#,
        ])
        .await,
        "extracted=3 transformed=2 quarantined=1 produced=2 inserted=2"
    );
    assert_eq!(
        hand.load(&[r#"{"id": 1, "day": "2024-05-05", "name": "c"}"#]).await,
        "extracted=1 transformed=1 produced=1 updated=1"
    );
    assert_eq!(
        db.rows("select tableoid::regclass, name from shop.items order by day").await,
        ["shop.items_2024|c", "shop.items_2025|b"]
    );
}

/// The engine looks names up in `pg_catalog` alone, where `citext = citext` would
/// quietly become `text = text`.
#[tokio::test]
async fn key_is_compared_by_the_operators_of_its_own_type() {
    let db = TestDb::new().await;
    let session = db.connect().await;
    // A type as extensions make them. Domains apart, only they bring operators of their own.
    session.batch_execute(NOCASE).await.unwrap();
    items(
        &db,
        "code public.nocase primary key, version public.nocase, name text",
        "code text, version text, name text",
        "doc->>'code', doc->>'version', doc->>'name'",
        "key => '{code}', order_by => 'version'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&[
            r#"{"code": "abc", "version": "b", "name": "1"}"#,
            r#"{"code": "ABC", "version": "C", "name": "2"}"#,
        ])
        .await,
        "extracted=2 transformed=2 produced=2 inserted=1 superseded=1"
    );
    assert_eq!(
        hand.load(&[r#"{"code": "Abc", "version": "d", "name": "3"}"#]).await,
        "extracted=1 transformed=1 produced=1 updated=1"
    );
    assert_eq!(
        hand.load(&[r#"{"code": "aBC", "version": "A", "name": "4"}"#]).await,
        "extracted=1 transformed=1 produced=1 stale=1"
    );
    // The key is written as the record has it now.
    assert_eq!(db.value("select code, name from shop.items").await, "Abc|3");
}

const NOCASE: &str = "
  create type public.nocase;
  create function public.nocase_in(cstring) returns public.nocase language internal immutable strict as 'textin';
  create function public.nocase_out(public.nocase) returns cstring language internal immutable strict as 'textout';
  create type public.nocase (input = public.nocase_in, output = public.nocase_out, like = text, category = 'S', collatable = true);
  create cast (public.nocase as text) without function as implicit;
  create cast (text as public.nocase) without function as assignment;
  create function public.nocase_cmp(a public.nocase, b public.nocase) returns integer language sql immutable strict
    as 'select pg_catalog.bttextcmp(lower(a::text), lower(b::text))';
  create function public.nocase_eq(a public.nocase, b public.nocase) returns boolean language sql immutable strict as 'select lower(a::text) = lower(b::text)';
  create function public.nocase_lt(a public.nocase, b public.nocase) returns boolean language sql immutable strict as 'select lower(a::text) < lower(b::text)';
  create function public.nocase_le(a public.nocase, b public.nocase) returns boolean language sql immutable strict as 'select lower(a::text) <= lower(b::text)';
  create function public.nocase_gt(a public.nocase, b public.nocase) returns boolean language sql immutable strict as 'select lower(a::text) > lower(b::text)';
  create function public.nocase_ge(a public.nocase, b public.nocase) returns boolean language sql immutable strict as 'select lower(a::text) >= lower(b::text)';
  create operator public.= (leftarg = public.nocase, rightarg = public.nocase, function = public.nocase_eq, commutator = operator(public.=), restrict = eqsel, join = eqjoinsel, merges);
  create operator public.< (leftarg = public.nocase, rightarg = public.nocase, function = public.nocase_lt, commutator = operator(public.>));
  create operator public.<= (leftarg = public.nocase, rightarg = public.nocase, function = public.nocase_le);
  create operator public.> (leftarg = public.nocase, rightarg = public.nocase, function = public.nocase_gt, commutator = operator(public.<));
  create operator public.>= (leftarg = public.nocase, rightarg = public.nocase, function = public.nocase_ge);
  create operator class public.nocase_ops default for type public.nocase using btree as
    operator 1 public.<, operator 2 public.<=, operator 3 public.=, operator 4 public.>=, operator 5 public.>,
    function 1 public.nocase_cmp(public.nocase, public.nocase);";
