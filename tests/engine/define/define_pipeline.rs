//! What `define_pipeline` refuses, and what it takes.

mod again;
mod identifiers;
mod key;
mod rows;
mod source;
mod target;
mod types;
mod versions;

use crate::engine::{Hand, Problem, items, problem};
use crate::support::TestDb;

/// A call with a good table and transform, changed by `options` that come later.
async fn shop() -> TestDb {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.items (id bigint primary key, name text, updated_at timestamptz);
         create function shop.items_v1(doc jsonb) returns table (id bigint, name text)
         language sql stable as $$ select (doc->>'id')::bigint, doc->>'name' $$;",
    )
    .await;
    db
}

/// A definition; `options` replace the defaults of the same name.
fn definition(options: &[(&str, &str)]) -> String {
    let mut arguments = vec![
        ("name", "'items'"),
        ("version", "1"),
        ("transform", "'shop.items_v1'"),
        ("target", "'shop.items'"),
        ("key", "'{id}'"),
        ("source", "sluice.file_source(path => '-')"),
    ];
    for option in options {
        arguments.retain(|argument| argument.0 != option.0);
        arguments.push(*option);
    }
    let arguments: Vec<_> =
        arguments.iter().map(|(name, value)| format!("{name} => {value}")).collect();
    format!("select sluice.define_pipeline({})", arguments.join(", "))
}

async fn refusal(db: &TestDb, options: &[(&str, &str)]) -> Problem {
    problem(db, &definition(options)).await
}

#[tokio::test]
async fn names_versions_ratios_and_sizes_out_of_range_are_refused() {
    let db = shop().await;
    for (option, value, message) in [
        ("name", "'Items'", "pipeline name 'Items' is not allowed"),
        ("name", "'9lives'", "pipeline name '9lives' is not allowed"),
        ("name", "'a b'", "pipeline name 'a b' is not allowed"),
        ("name", "''", "pipeline name '' is not allowed"),
        ("name", "repeat('x', 41)", "is not allowed"),
        ("name", "E'x\\n'", "is not allowed"),
        ("name", "null", "pipeline name null is not allowed"),
        ("version", "0", "version 0 is not a positive number"),
        ("version", "-1", "version -1 is not a positive number"),
        ("version", "null", "is not a positive number"),
        ("max_bad_ratio", "1.01", "max_bad_ratio 1.01 is not between 0 and 1"),
        ("max_bad_ratio", "-0.1", "max_bad_ratio -0.1 is not between"),
        ("max_bad_ratio", "'NaN'", "max_bad_ratio NaN is not between"),
        ("batch_rows", "0", "batch_rows and batch_bytes have to be positive"),
        ("batch_bytes", "-5", "batch_rows and batch_bytes have to be positive"),
    ] {
        refusal(&db, &[(option, value)]).await.refuses(message, "");
    }
}

#[tokio::test]
async fn missing_transform_is_refused_and_its_namesakes_listed() {
    let db = shop().await;
    db.execute(
        "create function shop.parse(doc json) returns table (id bigint) language sql as 'select 1::bigint';
         create function public.parse(doc text, n integer) returns table (id bigint) language sql as 'select 1::bigint';",
    )
    .await;
    let refused = refusal(&db, &[("transform", "'shop.parse'")]).await;
    refused.refuses("transform shop.parse does not exist", "shop.parse(json)");
    refused.refuses("", "parse(text,integer)");
    for name in ["'nothing'", "''", "'a.b.c.d'", "'shop.'", "null", "'we ird'"] {
        refusal(&db, &[("transform", name)]).await.refuses("does not exist", "create function");
    }
}

#[tokio::test]
async fn transform_that_is_no_set_returning_function_is_refused() {
    let db = shop().await;
    db.execute(
        "create function shop.scalar(doc jsonb) returns bigint language sql as 'select 1::bigint';
         create procedure shop.proc(doc jsonb) language sql as 'select 1';
         create aggregate shop.agg(jsonb) (sfunc = pg_catalog.jsonb_concat, stype = jsonb);
         create function shop.anonymous(doc jsonb) returns setof record language sql as 'select 1';
         create function shop.single(doc jsonb, out id bigint, out name text) language sql as 'select 1::bigint, null';",
    )
    .await;
    for name in ["scalar", "proc", "agg", "anonymous"] {
        let refused = refusal(&db, &[("transform", &format!("'shop.{name}'"))]).await;
        refused.refuses(name, "");
    }
    // One row for each record is a table too.
    db.execute(&definition(&[("transform", "'shop.single'")])).await;
}

#[tokio::test]
async fn definer_s_search_path_resolves_unqualified_names() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create schema rates;
         create table shop.items (id bigint primary key, price numeric);
         create table rates.rate (factor numeric);
         insert into rates.rate values (2);
         set search_path = shop, rates;
         create function items_v1(doc jsonb) returns table (id bigint, price numeric) language sql stable as $$
           select (doc->>'id')::bigint, (doc->>'price')::numeric * (select factor from rate) $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'items_v1', target => 'items',
           key => '{id}', source => sluice.file_source(path => '-'));",
    )
    .await;
    assert_eq!(
        db.value("select target || ' ' || search_path from sluice.pipelines join sluice.transforms using (pipeline_id)").await,
        "shop.items shop, rates, pg_temp"
    );
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "price": 2.5}"#]).await;
    assert_eq!(db.value("select price from shop.items").await, "5.0");
}

#[tokio::test]
async fn transform_is_not_run_by_its_definition() {
    // Immutable parts of it would be computed by the planner, for a record that is null.
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create function shop.price(value text) returns numeric language plpgsql immutable as $$
         begin
           if value is null then raise exception 'a price is needed'; end if;
           return value::numeric;
         end $$;",
    )
    .await;
    items(
        &db,
        "id bigint primary key, price numeric",
        "id bigint, price numeric",
        "(doc->>'id')::bigint, shop.price(doc->>'price')",
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&[r#"{"id": 1, "price": "3"}"#, r#"{"id": 2}"#]).await,
        "extracted=2 transformed=1 quarantined=1 produced=1 inserted=1"
    );
}

#[tokio::test]
async fn plpgsql_out_columns_setof_type_and_meta_all_transform() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create type shop.item as (id bigint, name text);
         create table shop.items (id bigint primary key, name text, seen text);
         create function shop.f_plpgsql(doc jsonb) returns table (id bigint, name text) language plpgsql as $$
           begin return query select (doc->>'id')::bigint, doc->>'name'; end $$;
         create function shop.f_out(doc jsonb, out id bigint, out name text) returns setof record language sql as $$
           select (doc->>'id')::bigint, doc->>'name' $$;
         create function shop.f_type(doc jsonb) returns setof shop.item language sql as $$
           select (doc->>'id')::bigint, doc->>'name' $$;
         create function shop.f_meta(doc jsonb, meta jsonb) returns table (id bigint, name text, seen text) language sql as $$
           select (doc->>'id')::bigint, doc->>'name', concat_ws(' ', meta->>'origin', meta->>'position', meta->>'pipeline', meta->>'version',
             meta ? 'batch', meta->>'run_started_at' is not null) $$;",
    )
    .await;
    for (number, function) in ["plpgsql", "out", "type", "meta"].iter().enumerate() {
        let name = format!("by-{function}");
        db.execute(&definition(&[
            ("name", &format!("'{name}'")),
            ("transform", &format!("'shop.f_{function}'")),
        ]))
        .await;
        let mut hand = Hand::of(db.connect().await, &name).await;
        assert_eq!(
            hand.load(&[format!(r#"{{"id": {number}, "name": "{function}"}}"#)]).await,
            "extracted=1 transformed=1 produced=1 inserted=1"
        );
    }
    assert_eq!(
        db.rows("select id, name, seen from shop.items order by id").await,
        ["0|plpgsql|-", "1|out|-", "2|type|-", "3|meta|hand 1 by-meta 1 t t"]
    );
}

#[tokio::test]
async fn target_in_the_engine_s_own_schema_is_refused() {
    let db = TestDb::new().await;
    db.execute(
        "create table sluice.mine (id bigint primary key);
         create function public.mine_v1(doc jsonb) returns table (id bigint) language sql stable as $$ select 1::bigint $$",
    )
    .await;
    let error = db
        .connect()
        .await
        .batch_execute(
            "select sluice.define_pipeline(name => 'mine', version => 1, transform => 'public.mine_v1', target => 'sluice.mine',
               key => '{id}', source => sluice.file_source(path => 'x'))",
        )
        .await
        .unwrap_err();
    let error = pgsluice::error::Error::from(error);
    assert_eq!(error.sqlstate(), Some("SL005"));
    assert_eq!(error.message(), "pipeline mine: target sluice.mine is in the engine's own schema");
}
