//! The hash of a row: the same for the same values, whoever computes it, and for no others.

use crate::engine::{Hand, items};
use crate::support::TestDb;

const TABLE: &str = "id bigint primary key, ts timestamptz, d date, iv interval, f float8, b bytea, t text, n numeric, j jsonb, tr tstzrange, a timestamptz[], m shop.mood, c shop.pair, dm shop.amount";
const RETURNS: &str = "id bigint, ts timestamptz, d date, iv interval, f float8, b bytea, t text, n numeric, j jsonb, tr tstzrange, a timestamptz[], m shop.mood, c shop.pair, dm shop.amount";
const SELECT: &str = "(doc->>'id')::bigint, '2024-03-10 02:30:00+01'::timestamptz, '2024-02-01'::date, '1 day 02:03'::interval, 0.1::float8 + 0.2::float8, '\\x00ff'::bytea, 'größe',
  1.10, doc, '[2024-01-01 00:00+00,2024-02-01 00:00+00)'::tstzrange, array['2024-01-01 00:00+00'::timestamptz], 'ok'::shop.mood, row(1.5::float8, '2024-01-01 00:00+00'::timestamptz)::shop.pair, 7::shop.amount";

/// What a session may have set before it calls the engine.
pub(in crate::engine) const HOSTILE: &[&str] = &[
    "set timezone = 'Pacific/Apia'",
    "set datestyle = 'German, DMY'",
    "set intervalstyle = 'iso_8601'",
    "set extra_float_digits = -15",
    "set bytea_output = 'escape'",
    "set client_encoding = 'LATIN1'",
    "set standard_conforming_strings = off; set escape_string_warning = off",
    "set lc_monetary = 'C'; set xmlbinary = 'hex'; set xmloption = 'document'; set quote_all_identifiers = on; set array_nulls = off",
    "create schema hostile;
         create function hostile.sha256(bytea) returns bytea language sql as $$ select '\\x00'::bytea $$;
         create function hostile.substr(bytea, integer, integer) returns bytea language sql as $$ select '\\x00'::bytea $$;
         create function hostile.glue(bytea, bytea) returns bytea language sql as $$ select '\\x00'::bytea $$;
         create operator hostile.|| (leftarg = bytea, rightarg = bytea, function = hostile.glue);
         create temporary table items (x integer); create temporary table pipelines (x integer); create temporary table pg_class (x integer); create temporary table pg_attribute (x integer);
         set search_path = hostile, pg_temp, pg_catalog",
];

pub(in crate::engine) async fn wide() -> TestDb {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop; create type shop.mood as enum ('sad', 'ok'); create type shop.pair as (f float8, ts timestamptz); create domain shop.amount as numeric(9, 2);",
    )
    .await;
    items(&db, TABLE, RETURNS, SELECT, "key => '{id}'").await;
    db
}

#[tokio::test]
async fn session_settings_and_shadowing_objects_do_not_change_the_hash() {
    let db = wide().await;
    Hand::start(&db).await.load(&[r#"{"id": 1}"#]).await;
    for hostile in HOSTILE {
        let session = db.connect().await;
        session.batch_execute(hostile).await.unwrap();
        let mut hand = Hand::of(session, "items").await;
        assert_eq!(
            hand.load(&[r#"{"id": 1}"#]).await,
            "extracted=1 transformed=1 produced=1 unchanged=1",
            "{hostile}"
        );
    }
}

#[tokio::test]
async fn hostile_search_path_of_a_definition_does_not_change_the_hash() {
    let db = wide().await;
    Hand::start(&db).await.load(&[r#"{"id": 1}"#]).await;
    db.execute(
        "create schema hostile;
         create function hostile.glue(bytea, bytea) returns bytea language sql as $$ select '\\x00'::bytea $$;
         create operator hostile.|| (leftarg = bytea, rightarg = bytea, function = hostile.glue);
         create function hostile.equal(bigint, bigint) returns boolean language sql as $$ select false $$;
         create operator hostile.= (leftarg = bigint, rightarg = bigint, function = hostile.equal);
         set search_path = hostile, pg_catalog;
         select sluice.define_pipeline(name => 'other', version => 1, transform => 'shop.items_v1', target => 'shop.items', key => '{id}',
           source => sluice.file_source(path => '-'))",
    )
    .await;
    assert_eq!(
        Hand::of(db.connect().await, "other").await.load(&[r#"{"id": 1}"#]).await,
        "extracted=1 transformed=1 produced=1 unchanged=1"
    );
}

#[tokio::test]
async fn values_that_differ_hash_differently() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, a text, b text, c jsonb",
        "id bigint, a text, b text, c jsonb",
        "(doc->>'id')::bigint, doc->>'a', doc->>'b', doc->'c'",
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    // One row under many guises: each next one has to count as a change.
    for values in [
        r#""a": "ab", "b": "c""#,
        r#""a": "a", "b": "bc""#,
        r#""a": "abc", "b": """#,
        r#""a": "abc", "b": null"#,
        r#""a": null, "b": "abc""#,
        r#""a": "", "b": "abc""#,
        r#""a": "", "b": """#,
        r#""b": """#,
        r#""a": """#,
        r#""a": "null""#,
        "",
        r#""c": null"#,
        r#""c": {}"#,
        r#""c": "{}""#,
        r#""c": 1"#,
        r#""c": "1""#,
        r#""a": "ABC""#,
        r#""a": "abc""#,
        r#""a": "abc ""#,
        r#""a": "a\u0301""#,
        r#""a": "\u00e1""#,
    ] {
        let comma = if values.is_empty() { "" } else { ", " };
        let record = format!(r#"{{"id": 1{comma}{values}}}"#);
        let books = hand.load(&[&record]).await;
        assert!(books.ends_with("inserted=1") || books.ends_with("updated=1"), "{values}: {books}");
        assert!(hand.load(&[&record]).await.ends_with("unchanged=1"), "{values}");
    }
}

#[tokio::test]
async fn another_set_of_columns_is_another_hash() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, a text, b text",
        "id bigint, a text",
        "(doc->>'id')::bigint, doc->>'x'",
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "x": "same"}"#]).await;
    let mut hashes = vec![db.value("select sluice_hash from shop.items").await];
    for (version, column) in [(2, "b"), (3, "a"), (4, "b, a")] {
        let count = column.split(',').count();
        db.execute(&format!(
            "create function shop.items_v{version}(doc jsonb) returns table (id bigint, {columns}) language sql stable as $$ select (doc->>'id')::bigint{values} $$;
             select sluice.define_pipeline(name => 'items', version => {version}, transform => 'shop.items_v{version}', target => 'shop.items', key => '{{id}}',
               source => sluice.file_source(path => '-'), max_bad_ratio => 1)",
            columns = column.split(", ").map(|name| format!("{name} text")).collect::<Vec<_>>().join(", "),
            values = ", doc->>'x'".repeat(count),
        ))
        .await;
        assert!(hand.load(&[r#"{"id": 1, "x": "same"}"#]).await.ends_with("updated=1"), "{column}");
        hashes.push(db.value("select sluice_hash from shop.items").await);
    }
    // The version of the function is no part of it, the columns are.
    assert_eq!(hashes[0], hashes[2]);
    assert!(hashes[1] != hashes[0] && hashes[3] != hashes[0] && hashes[3] != hashes[1]);
    for hash in hashes {
        assert!(hash.starts_with("\\x01") && hash.len() == 2 + 2 * 17, "{hash}");
    }
}

#[tokio::test]
async fn order_of_the_columns_in_the_transform_does_not_matter() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, a text, b text",
        "id bigint, a text, b text",
        "(doc->>'id')::bigint, 'a', 'b'",
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1}"#]).await;
    db.execute(
        "create function shop.items_v2(doc jsonb) returns table (b text, a text, id bigint) language sql stable as $$ select 'b', 'a', (doc->>'id')::bigint $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items', key => '{id}', source => sluice.file_source(path => '-'))",
    )
    .await;
    assert!(hand.load(&[r#"{"id": 1}"#]).await.ends_with("unchanged=1"));
}

/// The algorithm is written down: a row hashed by an older release is still the same row.
#[tokio::test]
async fn hash_of_a_known_row_is_known() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, name text, price numeric(8, 2), seen timestamptz",
        "id bigint, name text, price numeric, seen timestamptz",
        "(doc->>'id')::bigint, doc->>'name', (doc->>'price')::numeric, (doc->>'seen')::timestamptz",
        "key => '{id}'",
    )
    .await;
    Hand::start(&db)
        .await
        .load(&[r#"{"id": 1, "name": "größe", "price": 12.5, "seen": "2024-01-01T00:00:00Z"}"#])
        .await;
    assert_eq!(db.value("select sluice_hash from shop.items").await, KNOWN);
    assert_eq!(
        db.value(
            "select '\\x01'::bytea || substr(sha256(record_send(row(substr(sha256('id,name,price,seen'), 1, 8),
               id, name, price, seen))), 1, 16) from shop.items"
        )
        .await,
        KNOWN
    );
}

const KNOWN: &str = "\\x01c4b8f2f214c389ae0d831d63a038b8ee";
