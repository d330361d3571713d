//! Which records an operation on quarantine is about.

use super::replay::{BY_ARRIVAL, shop};
use crate::engine::{Hand, problem};
use crate::support::TestDb;

/// `items` with the open records 1 and 2, and `others` with the open record 3.
async fn two_pipelines() -> TestDb {
    let (db, mut hand) = shop(BY_ARRIVAL).await;
    hand.load(&["a", "b"]).await;
    db.execute(
        "create table shop.others (id bigint primary key);
         create function shop.others_v1(doc jsonb) returns table (id bigint) language sql stable as $$ select (doc->>'id')::bigint $$;
         select sluice.define_pipeline(name => 'others', version => 1, transform => 'shop.others_v1', target => 'shop.others', key => '{id}',
           source => sluice.file_source(path => '-'), max_bad_ratio => 1)",
    )
    .await;
    let mut hand = Hand::of(db.connect().await, "others").await;
    hand.load(&["c"]).await;
    db
}

const OPERATIONS: [&str; 3] = [
    "select sluice.find_quarantined('items', filter => $f${}$f$)",
    "select sluice.replay('items', filter => $f${}$f$)",
    "select sluice.discard('items', reason => 'x', filter => $f${}$f$)",
];

/// As `quote_literal` has it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[tokio::test]
async fn filter_is_one_expression_that_leaves_no_brackets() {
    let db = two_pipelines().await;
    for filter in [
        "1=1) or (1=1",
        "true)) or ((true",
        "true] or array[true",
        "true) union select id from sluice.quarantine_open_details where (true",
        "true) -- and (false",
        "true /*",
        "true, true",
        "true; delete from sluice.quarantine",
        "select true",
        "pipeline = $1",
        "count(*) > 0",
        "generate_series(1, 2) = 1",
        "'text'",
        "id",
        "(true",
        "'open",
        "$$open",
        "",
        " -- nothing",
    ] {
        for operation in OPERATIONS {
            problem(&db, &operation.replace("{}", filter)).await.refuses(
                &format!("filter {} cannot be used", quoted(filter)),
                "a condition on the columns of sluice.quarantine_open_details",
            );
        }
    }
    assert_eq!(db.value("select count(*) from sluice.quarantine_open").await, "3");
}

#[tokio::test]
async fn filter_finds_records_of_its_pipeline_only() {
    let db = two_pipelines().await;
    for (filter, found) in [
        ("true", vec!["1", "2"]),
        ("true or pipeline = 'others'", vec!["1", "2"]),
        ("pipeline = 'others'", vec![]),
        ("payload = 'b' -- the second", vec!["2"]),
        ("id in (select max(id) from sluice.quarantine_open where pipeline = 'items')", vec!["2"]),
        ("quarantine_open_details.id = 1", vec!["1"]),
    ] {
        assert_eq!(db.rows(&OPERATIONS[0].replace("{}", filter)).await, found, "{filter}");
    }
    assert_eq!(db.rows("select sluice.find_quarantined('items', '{2}', 'true')").await, ["2"]);
}

#[tokio::test]
async fn ids_of_no_record_of_the_pipeline_are_named() {
    let db = two_pipelines().await;
    for (ids, named) in [
        ("{3}", "3"),
        ("{1,99,3}", "99, 3"),
        ("{1,null}", "null"),
        ("{11,12,13,14,15,16,17}", "11, 12, 13, 14, 15 and 2 more"),
    ] {
        for operation in [
            "select sluice.find_quarantined('items', '{}')",
            "select sluice.replay('items', quarantine_ids => '{}')",
            "select sluice.discard('items', '{}', 'x')",
            "select sluice.discard('items', '{}', 'x', 'true')",
        ] {
            problem(&db, &operation.replace("{}", ids)).await.refuses(
                &format!("pipeline items has no quarantined record {named}"),
                "sluice.quarantine_open where pipeline = 'items'",
            );
        }
    }
    // What was closed meanwhile is no mistake: it is safe to repeat.
    for left in ["1", "0"] {
        assert_eq!(db.value("select sluice.discard('items', '{1}', 'x')").await, left);
    }
    assert_eq!(db.rows("select sluice.find_quarantined('items', '{1,2}')").await, ["2"]);
}
