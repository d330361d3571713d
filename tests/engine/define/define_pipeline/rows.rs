//! Transforms that take a row.

use super::{definition, refusal, shop};
use crate::engine::{Hand, problem};

const V1: &str = "create type shop.items_in as (id bigint, name text);
  create function shop.rows_v1(r shop.items_in) returns table (id bigint, name text)
  language sql stable as $$ select r.id, r.name $$;";

#[tokio::test]
async fn type_that_cannot_hold_fields_is_refused() {
    let db = shop().await;
    let wide: Vec<String> = (1..=301).map(|n| format!("c{n} text")).collect();
    db.execute(&format!(
        "create type shop.nothing as ();
         create type shop.reserved as (id bigint, sluice_reject text);
         create type shop.wide as ({});
         create domain shop.a_domain as shop.reserved;",
        wide.join(", ")
    ))
    .await;
    for (parameter, message, hint) in [
        ("r shop.nothing", "has no columns", "name the fields"),
        ("r shop.reserved", "has a column sluice_reject", "reserved"),
        ("r shop.wide", "has 301 columns", "f(doc jsonb)"),
        ("r shop.items", "is the target's own type", "create type"),
        ("r shop.a_domain", "does not exist", "(r some_type)"),
        ("r text", "does not exist", "shop.rows(text)"),
        ("r shop.reserved, n integer", "takes more than a record", "meta jsonb"),
        ("r shop.reserved, meta jsonb, n integer", "takes more than a record", "meta jsonb"),
    ] {
        db.execute(&format!(
            "create function shop.rows({parameter}) returns table (id bigint, name text) language sql stable as 'select 1::bigint, null'"
        ))
        .await;
        refusal(&db, &[("transform", "'shop.rows'")]).await.refuses(message, hint);
        db.execute("drop function shop.rows").await;
    }
}

#[tokio::test]
async fn function_is_found_by_its_name_or_of_several_by_its_arguments() {
    let db = shop().await;
    db.execute(V1).await;
    let taken = |transform: &'static str, version: &'static str| {
        definition(&[("transform", transform), ("version", version)])
    };
    db.execute(&taken("'shop.rows_v1'", "1")).await;
    db.execute(
        "create type shop.other as (id bigint);
         create function shop.rows_v1(r shop.other, meta jsonb) returns table (id bigint, name text)
         language sql stable as $$ select r.id, 'other' $$;",
    )
    .await;
    refusal(&db, &[("transform", "'shop.rows_v1'"), ("version", "2")])
        .await
        .refuses("does not exist", "shop.rows_v1(shop.other,jsonb)");
    db.execute(&taken("'shop.rows_v1(shop.other, jsonb)'", "2")).await;
    assert_eq!(
        db.rows(
            "select function, takes_meta, input_definition from sluice.transforms order by version"
        )
        .await,
        [
            "shop.rows_v1(shop.items_in)|f|id bigint, name text",
            "shop.rows_v1(shop.other,jsonb)|t|id bigint",
        ]
    );
    // A document goes before, as it always did.
    db.execute(
        "create function shop.rows_v1(doc jsonb) returns table (id bigint, name text)
         language sql stable as $$ select 1::bigint, 'doc' $$;",
    )
    .await;
    db.execute(&taken("'shop.rows_v1'", "3")).await;
    assert_eq!(
        db.value("select function from sluice.transforms where version = 3").await,
        "shop.rows_v1(jsonb)"
    );
}

#[tokio::test]
async fn type_that_changes_makes_another_version() {
    let db = shop().await;
    db.execute(V1).await;
    let version_1 = definition(&[("transform", "'shop.rows_v1'")]);
    db.execute(&version_1).await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#]).await;
    db.execute("alter type shop.items_in add attribute note text").await;
    let stopped = hand.fail(&[r#"{"id": 2}"#]).await;
    stopped.is("SL006", "takes rows of other columns than version 1 was registered with");
    assert_eq!(
        stopped.detail,
        "It was (id bigint, name text), now it is (id bigint, name text, note text)."
    );
    assert!(stopped.hint.contains("give the type its columns back"), "{stopped:?}");
    problem(&db, &version_1)
        .await
        .refuses("version 1 has loaded batches and cannot be changed", "name it v2");
    assert_eq!(
        db.value(
            "select detail from sluice.verify('items') where check_name = 'function checksums'"
        )
        .await,
        "version 1: shop.rows_v1(shop.items_in) is not what was registered"
    );
    db.execute("alter type shop.items_in drop attribute note").await;
    hand.load(&[r#"{"id": 2}"#]).await;
    db.execute("drop type shop.items_in cascade").await;
    hand.fail(&[r#"{"id": 3}"#]).await.is("SL006", "was dropped");
}

#[tokio::test]
async fn transform_of_built_in_types_is_repeatable() {
    let db = shop().await;
    db.execute(
        "create type shop.color as enum ('red');
         create type shop.in_1 as (id bigint, name text, at timestamptz);
         create type shop.in_2 as (id bigint, name shop.color);
         create type shop.in_3 as (id bigint, name regclass);",
    )
    .await;
    for (version, is_repeatable) in [("1", "t"), ("2", "f"), ("3", "f")] {
        db.execute(&format!(
            "create function shop.rows_v{version}(r shop.in_{version}) returns table (id bigint, name text)
             language sql stable as $$ select r.id, r.name::text $$;"
        ))
        .await;
        let transform = format!("'shop.rows_v{version}'");
        db.execute(&definition(&[("transform", &transform), ("version", version)])).await;
        assert_eq!(
            db.value(&format!(
                "select is_repeatable from sluice.transforms where version = {version}"
            ))
            .await,
            is_repeatable
        );
    }
}
