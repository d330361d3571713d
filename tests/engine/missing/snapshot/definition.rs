//! What `define_pipeline` makes of it.

use super::{TABLE, problem};
use crate::engine::support::items_sql;
use crate::support::TestDb;

async fn refuses(table: &str, options: &str, message: &str, hint: &str) {
    let db = TestDb::new().await;
    let sql = items_sql(
        table,
        "id bigint, n bigint",
        "(doc->>'id')::bigint, (doc->>'n')::bigint",
        &format!("key => '{{id}}', {options}"),
    );
    problem(&db, &sql).await.refuses(message, hint);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    for (options, message, hint) in [
        ("missing => 'drop'", "missing cannot be 'drop'", "keep rows"),
        ("missing => 'mark'", "'mark' needs a mark_column", "mark_column =>"),
        (
            "missing => 'delete', mark_column => 'n'",
            "mark_column n goes with missing => 'mark'",
            "timestamptz",
        ),
        ("mark_column => 'n'", "mark_column n goes with missing => 'mark'", "timestamptz"),
        ("max_delete_ratio => 1.5", "max_delete_ratio 1.5 is not between 0 and 1", "0.02"),
        (
            "missing => 'mark', mark_column => 'gone'",
            "no column gone",
            "add column gone timestamptz",
        ),
        (
            "missing => 'mark', mark_column => 'n'",
            "mark_column n is a column that loads write",
            "leave it out",
        ),
    ] {
        refuses(TABLE, options, message, hint).await;
    }
    for column in [
        "text",
        "timestamp",
        "timestamptz not null default now()",
        "boolean generated always as (true) stored",
    ] {
        refuses(
            &format!("{TABLE}, gone {column}"),
            "missing => 'mark', mark_column => 'gone'",
            "mark_column gone cannot hold a mark",
            "timestamptz column that may be null",
        )
        .await;
    }
}

#[tokio::test]
async fn keys_whose_equality_shows_in_no_bytes_are_refused() {
    for (key, value) in [
        ("interval", "(doc->>'id')::interval"),
        ("jsonb", "doc->'id'"),
        ("integer[]", "array[1]"),
        ("text collate shop.loose", "doc->>'id'"),
        ("shop.loose_text", "doc->>'id'"),
    ] {
        let db = TestDb::new().await;
        db.execute(
            "create schema shop; create collation shop.loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false);
             create domain shop.loose_text as text collate shop.loose",
        )
        .await;
        let returned = key.split(" collate").next().unwrap();
        let sql = items_sql(
            &format!("id {key} primary key"),
            &format!("id {returned}"),
            value,
            "key => '{id}', missing => 'delete'",
        );
        let deletes = items_sql(
            &format!("id {key} primary key"),
            &format!("id {returned}, sluice_deleted boolean"),
            &format!("{value}, false"),
            "key => '{id}'",
        );
        for (sql, what) in [(sql, "missing => 'delete'"), (deletes, "sluice_deleted")] {
            let problem = problem(&db, &sql).await;
            problem.refuses(
                "in which equal values may have different bytes",
                "deterministic collation",
            );
            problem.refuses(&format!("{what} does not go with key column id"), "");
        }
    }
}

#[tokio::test]
async fn keys_of_ranges_that_are_written_in_one_way_are_told_apart_by_their_bytes() {
    for key in ["int4range", "int8range", "daterange", "tsrange", "tstzrange"] {
        let db = TestDb::new().await;
        let sql = items_sql(
            &format!("id {key} primary key"),
            &format!("id {key}, sluice_deleted boolean"),
            &format!("(doc->>'id')::{key}, false"),
            "key => '{id}', missing => 'delete'",
        );
        db.execute(&sql).await;
    }
}

#[tokio::test]
async fn since_is_refused_as_it_never_asks_for_everything() {
    let db = TestDb::new().await;
    let sql = items_sql(TABLE, "id bigint, n bigint", "1, 2", "key => '{id}', missing => 'delete'").replace(
        "sluice.file_source(path => '-')",
        "sluice.http_source(url => 'https://shop.example', since => sluice.since(param => 'since', field => '/at'))",
    );
    problem(&db, &sql).await.refuses("does not go with since", "leave since out");
}

/// A mark column that a version returns all of a sudden is noticed where it would do harm.
#[tokio::test]
async fn a_mark_column_that_was_dropped_stops_the_end_of_the_read() {
    let (db, mut hand) = super::shop(
        &format!("{TABLE}, gone boolean"),
        "missing => 'mark', mark_column => 'gone', max_delete_ratio => 1",
    )
    .await;
    super::read(&mut hand, &super::puts([1, 2])).await;
    hand.load(&super::puts([1])).await;
    db.execute("alter table shop.items drop column gone").await;
    super::try_finish(&mut hand, None)
        .await
        .unwrap_err()
        .refuses("no column gone", "add column gone");
}
