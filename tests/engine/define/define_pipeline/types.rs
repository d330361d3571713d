//! Types are Postgres' own business; the engine only asks early.

use super::*;

#[tokio::test]
async fn incompatible_type_is_refused_with_the_cast_to_write() {
    let db = shop().await;
    for (number, (column, message, hint)) in [
        (
            "id text",
            "column \"id\" is of type bigint but expression is of type text",
            "(...)::bigint",
        ),
        ("id jsonb", "but expression is of type jsonb", "(...)::bigint"),
        (
            "id bigint, updated_at text",
            "column \"updated_at\" is of type timestamp with time zone",
            "(...)::timestamp with time zone",
        ),
    ]
    .iter()
    .enumerate()
    {
        db.execute(&format!(
            "create function shop.bad_{number}(doc jsonb) returns table ({column}) language plpgsql as 'begin return; end'"
        ))
        .await;
        refusal(&db, &[("transform", &format!("'shop.bad_{number}'"))])
            .await
            .refuses(message, hint);
    }
}

#[tokio::test]
async fn values_of_every_kind_of_type_arrive_or_are_quarantined_as_an_insert_would() {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create domain shop.short as varchar(3);
         create domain shop.positive as integer not null check (value > 0);
         create domain shop.nested as shop.short check (value <> 'no');
         create type shop.mood as enum ('sad', 'ok');
         create type shop.pair as (a integer, b timestamptz);
         create collation shop.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);",
    )
    .await;
    items(
        &db,
        "id text collate shop.nocase primary key, v varchar(3), c char(3), b bit(3), vb bit varying(3), n numeric(5, 2), s shop.short, p shop.positive,
         ne shop.nested, m shop.mood, a integer[], va varchar(3)[], pr shop.pair, ts timestamp(0)",
        "id text, v text, c text, b varbit, vb varbit, n numeric, s text, p integer, ne text, m shop.mood, a integer[], va text[], pr shop.pair, ts timestamp",
        "doc->>'id', doc->>'v', doc->>'c', (doc->>'b')::varbit, (doc->>'vb')::varbit, (doc->>'n')::numeric, doc->>'s', coalesce((doc->>'p')::integer, 1),
         doc->>'ne', (doc->>'m')::shop.mood, (doc->>'a')::integer[], (doc->>'va')::text[], (doc->>'pr')::shop.pair, (doc->>'ts')::timestamp",
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    let good = r#"{"id": "a", "v": "abc", "c": "x", "b": "101", "vb": "1", "n": 1.239, "s": "abc", "p": 5, "ne": "yes", "m": "ok", "a": "{1,2}", "va": "{abc,d}", "pr": "(1,2024-01-01)", "ts": "2024-01-01 00:00:01.6"}"#;
    assert_eq!(hand.load(&[good]).await, "extracted=1 transformed=1 produced=1 inserted=1");
    assert_eq!(
        db.value("select id, v, c, b, vb, n, s, p, ne, m, a, va, (pr).a, ts from shop.items").await,
        "a|abc|x  |101|1|1.24|abc|5|yes|ok|{1,2}|{abc,d}|1|2024-01-01 00:00:02"
    );
    // 'A' is 'a' in this collation.
    assert_eq!(
        hand.load(&[good.replace("\"a\", \"v\"", "\"A\", \"v\"")]).await,
        "extracted=1 transformed=1 produced=1 updated=1"
    );
    for (column, value, code) in [
        ("v", "\"abcd\"", "22001"),
        ("c", "\"abcd\"", "22001"),
        ("b", "\"1011\"", "22026"),
        ("b", "\"10\"", "22026"),
        ("vb", "\"1011\"", "22001"),
        ("n", "1000", "22003"),
        ("s", "\"abcd\"", "22001"),
        ("p", "0", "23514"),
        ("ne", "\"no\"", "23514"),
        ("ne", "\"abcd\"", "22001"),
        ("m", "\"glad\"", "22P02"),
        ("a", "\"{x}\"", "22P02"),
        ("va", "\"{abcd}\"", "22001"),
        ("pr", "\"(x,)\"", "22P02"),
    ] {
        assert_eq!(
            hand.load(&[format!(r#"{{"id": "q", "{column}": {value}}}"#)]).await,
            "extracted=1 quarantined=1",
            "{column} {value}"
        );
        assert_eq!(
            db.value(
                "select sqlstate, \"column\" from sluice.quarantine_open_details order by id desc limit 1"
            )
            .await,
            format!("{code}|{column}"),
            "{column} {value}"
        );
    }
    // Blanks beyond the length are cut, as the standard wants it.
    hand.load(&[r#"{"id": "blank", "v": "ab   ", "c": "ab   "}"#]).await;
    assert_eq!(db.value("select v, c from shop.items where id = 'blank'").await, "ab |ab ");
}
