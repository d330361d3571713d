//! Errors that do not say whose fault they are: input functions raise what they like, and so does broken code.

use crate::engine::{Hand, items, problem};
use crate::support::TestDb;

const GOOD: &str = r#"{"id": 1, "v": null}"#;

/// A table whose column `v` is of a type, filled by a cast.
async fn of_type(name: &str) -> TestDb {
    let db = TestDb::new().await;
    let extension = ["ltree", "hstore"].contains(&name);
    if extension {
        db.execute(&format!("create extension {name}")).await;
    }
    items(
        &db,
        &format!("id bigint primary key, v {name}"),
        &format!("id bigint, v {name}"),
        &format!("(doc->>'id')::bigint, (doc->>'v')::{name}"),
        "key => '{id}'",
    )
    .await;
    db
}

#[tokio::test]
async fn value_that_its_type_refuses_is_the_records_fault_whatever_the_sqlstate() {
    for (kind, value, code) in [
        ("ltree", "bad path!", "42601"),
        ("tsquery", "a &", "42601"),
        ("jsonpath", "$.a[", "42601"),
        ("hstore", "a=>", ""),
        ("regclass", "shop.Nowhere", "42P01"),
        ("regclass", "nowhere.at_all", ""),
        ("regprocedure", "nope(integer)", "42883"),
        ("regtype", "nope", "42704"),
        ("regconfig", "klingon", "42704"),
        ("regnamespace", "nowhere", "3F000"),
        ("xml", "<a", "2200N"),
    ] {
        let db = of_type(kind).await;
        let mut hand = Hand::start(&db).await;
        let bad = format!(r#"{{"id": 2, "v": "{value}"}}"#);
        assert_eq!(
            hand.load(&[GOOD, &bad, r#"{"id": 3}"#]).await,
            "extracted=3 transformed=2 quarantined=1 produced=2 inserted=2",
            "{kind}"
        );
        let fault = db.rows("select sqlstate, column_name, position from sluice.quarantine").await;
        assert!(fault[0].starts_with(code) && fault[0].ends_with("|v|2"), "{kind}: {fault:?}");
    }
}

/// A batch, a replay and a small batch later: what the version has done before tells it apart.
#[tokio::test]
async fn few_records_are_judged_by_what_the_version_has_done_before() {
    let db = of_type("tsquery").await;
    let mut hand = Hand::start(&db).await;
    let bad = r#"{"id": 2, "v": "a &"}"#;
    // Nothing is known yet: perhaps it is the transform.
    let refused = hand.fail(&[bad]).await;
    refused.is("42601", "tsquery");
    assert!(refused.hint.contains("every record"), "{refused:?}");
    hand.load(&[GOOD]).await;
    assert_eq!(hand.load(&[bad]).await, "extracted=1 quarantined=1");
    assert_eq!(db.rows("select replayed, quarantined from sluice.replay('items')").await, ["0|1"]);
    // A batch of many that all fail is the transform's, whatever it has done before.
    let many: Vec<String> = (10..30).map(|id| format!(r#"{{"id": {id}, "v": "a &"}}"#)).collect();
    hand.fail(&many).await.is("42601", "tsquery");
}

/// A transform that calls what is not there, for all records or for some.
#[tokio::test]
async fn broken_code_is_no_records_fault_even_where_others_pass() {
    for (broken, code) in [
        ("perform shop.nowhere(1)", "42883"),
        ("perform from shop.nowhere", "42P01"),
        ("perform nowhere from shop.items", "42703"),
        ("perform 1::shop.nowhere", "42704"),
    ] {
        let db = TestDb::new().await;
        db.execute(&format!(
            "create schema shop;
             create table shop.items (id bigint primary key);
             create function shop.items_v1(doc jsonb) returns table (id bigint) language plpgsql stable as $$ begin
               if doc->>'kind' = 'new' then {broken}; end if;
               return query select (doc->>'id')::bigint;
             end $$;
             select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
               source => sluice.file_source(path => '-'), key => '{{id}}', max_bad_ratio => 1)"
        ))
        .await;
        let mut hand = Hand::start(&db).await;
        hand.fail(&[GOOD, r#"{"id": 2, "kind": "new"}"#]).await.is(code, "nowhere");
    }
}

#[tokio::test]
async fn code_that_raises_for_every_record_fails_the_run_and_for_some_only_those() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.items (id bigint primary key, v text);
         create function shop.items_v1(doc jsonb) returns table (id bigint, v text) language plpgsql stable as $$ begin
           if doc->>'v' is not null then raise exception using errcode = doc->>'v', message = 'library error'; end if;
           return query select (doc->>'id')::bigint, doc->>'v';
         end $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           source => sluice.file_source(path => '-'), key => '{id}', max_bad_ratio => 1)",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    let record = |id: i64, code: &str| format!(r#"{{"id": {id}, "v": "{code}"}}"#);
    for code in ["XX000", "38000", "U0001", "21000", "0A000"] {
        let all: Vec<String> = (0..300).map(|id| record(id, code)).collect();
        let refused = hand.fail(&all).await;
        refused.is(code, "library error");
        assert!(refused.hint.contains("every record"), "{refused:?}");
        let mut some = all[..150].to_vec();
        some.push(GOOD.to_owned());
        some.rotate_right(1);
        hand.session.batch_execute("begin").await.unwrap();
        hand.session.batch_execute("rollback").await.unwrap();
        assert!(
            hand.load(&some).await.starts_with("extracted=151 transformed=1 quarantined=150"),
            "{code}"
        );
    }
    // Never a record's, whoever passes.
    for code in ["40001", "53100", "57014", "08006", "42501", "XX001", "55P03"] {
        hand.fail(&[GOOD.to_owned(), record(5, code)]).await.is(code, "library error");
    }
}

/// The merge raises, too: a generated column, an index expression, a trigger.
#[tokio::test]
async fn value_that_the_target_refuses_in_the_merge_is_the_records_fault() {
    let db = TestDb::new().await;
    db.execute("create extension ltree").await;
    items(
        &db,
        "id bigint primary key, v text, path ltree generated always as (text2ltree(v)) stored",
        "id bigint, v text",
        "(doc->>'id')::bigint, doc->>'v'",
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    let bad = |id: i64| format!(r#"{{"id": {id}, "v": "bad path!"}}"#);
    hand.fail(&[bad(2), bad(3)]).await.is("42601", "");
    assert_eq!(
        hand.load(&[GOOD.to_owned(), bad(2), bad(3)]).await,
        "extracted=3 transformed=1 quarantined=2 produced=1 inserted=1"
    );
    assert_eq!(
        hand.load(&[r#"{"id": 1, "v": "a.b"}"#.to_owned(), bad(4)]).await,
        "extracted=2 transformed=1 quarantined=1 produced=1 updated=1"
    );
    problem(&db, "select 'bad path!'::ltree").await.is("42601", "");
}

/// What would read or write values by the settings of a session has settings of its own.
#[tokio::test]
async fn result_does_not_depend_on_locale_arrays_xml_or_text_search_settings() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, v text",
        "id bigint, v text",
        "(doc->>'id')::bigint, concat_ws('|', to_char(1234.5, '9G999D9'), to_char(date '2024-03-01', 'TMMonth'), 1234.5::money,
           '{null}'::text[], xmlserialize(content xmlelement(name a, '\\x00'::bytea) as text), to_tsvector('the runs'), (null = null) is null,
           '2024-01-01 00:00 EST'::timestamptz)",
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#]).await;
    let before = db.value("select v from shop.items").await;
    hand.session
        .batch_execute(
            "set array_nulls = off; set xmlbinary = hex; set xmloption = document; set transform_null_equals = on;
             set default_text_search_config = 'pg_catalog.english'; set timezone_abbreviations = 'Australia';
             do $$ declare v text; begin
               foreach v in array '{lc_numeric,lc_monetary,lc_time}'::text[] loop
                 begin perform set_config(v, 'de_DE.UTF-8', false); exception when others then null; end;
               end loop;
             end $$",
        )
        .await
        .unwrap();
    assert_eq!(
        hand.load(&[r#"{"id": 1, "again": true}"#]).await,
        "extracted=1 transformed=1 produced=1 unchanged=1"
    );
    assert_eq!(db.value("select v from shop.items").await, before);
}
