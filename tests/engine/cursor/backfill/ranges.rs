//! Which ranges a source knows, and what it is narrowed to.

use super::{problem, shop};
use crate::support::TestDb;

#[tokio::test]
async fn ranges_that_a_source_does_not_know_are_refused_with_those_it_knows() {
    let db = shop("").await;
    let since = "sluice.since(param => 'since', field => '/at'";
    let http = |since: &str| {
        format!("sluice.http_source(url => 'https://shop.example/', since => {since})")
    };
    let cases = [
        ("sluice.file_source('drop')".to_owned(), "", "a backfill needs a range", "objects =>"),
        (
            "sluice.file_source('drop')".to_owned(),
            ", from_mark => '1'",
            "they have names, and no marks",
            "drop/2026-02-*.csv",
        ),
        (
            "sluice.file_source('drop')".to_owned(),
            ", objects => '-'",
            r#"objects cannot be "-""#,
            "a glob",
        ),
        (
            "sluice.object_source('s3://lake/in/')".to_owned(),
            ", to_mark => '1'",
            "no range of objects",
            "s3://lake/orders/",
        ),
        (
            "sluice.http_source(url => 'https://shop.example/')".to_owned(),
            ", from_mark => '1'",
            "this source knows no ranges",
            "to_start => true",
        ),
        (http(&format!("{since})")), "", "a backfill needs a range", "values of /at"),
        (
            http(&format!("{since})")),
            ", objects => 'a'",
            "no range of an API",
            "from_mark, to_mark",
        ),
        (
            http(&format!("{since})")),
            ", to_mark => '2026-01-31'",
            "marks of the kind timestamp",
            "a moment and not a day",
        ),
        (
            http(&format!("{since})")),
            ", to_mark => '2026-02-31T00:00:00Z'",
            "marks of the kind timestamp",
            "out of range",
        ),
        (
            http(&format!("{since})")),
            ", from_mark => '2026-02-01', to_mark => '2026-01-31T00:00:00Z'",
            "ends before it begins",
            "older",
        ),
        (
            http(&format!("{since}, kind => 'unix')")),
            ", from_mark => 'x'",
            "marks of the kind unix",
            "numbers",
        ),
        (
            http(&format!("{since}, kind => 'number')")),
            ", from_mark => '10', to_mark => '9.5'",
            "ends before it begins",
            "older",
        ),
        (
            http("sluice.since(param => 'since', header => 'Date')"),
            ", to_mark => '2026-01-31T00:00:00Z'",
            "to_mark cannot be told",
            "until_param",
        ),
    ];
    for (source, range, message, hint) in cases {
        db.execute(&format!("update sluice.pipelines set source = {source}")).await;
        problem(&db, &format!("select sluice.start_backfill('items'{range})"))
            .await
            .refuses(message, hint);
    }
    assert_eq!(db.value("select count(*) from sluice.pipelines").await, "1");
}

#[tokio::test]
async fn source_is_narrowed_to_the_range() {
    let db = TestDb::new().await;
    for (source, range, narrowed) in [
        (
            "sluice.file_source('drop')",
            r#"{"objects": "old/*.csv"}"#,
            r#"{"kind": "file", "path": "old/*.csv"}"#,
        ),
        (
            "sluice.object_source('s3://lake/in/', pattern => '*.csv')",
            r#"{"objects": "2026-0[12]*.csv"}"#,
            r#"{"url": "s3://lake/in/", "kind": "object", "pattern": "2026-0[12]*.csv"}"#,
        ),
        (
            "sluice.object_source('s3://lake/in/', pattern => '*.csv')",
            r#"{"objects": "s3://lake/old/**/a?/*.csv"}"#,
            r#"{"url": "s3://lake/old/", "kind": "object", "pattern": "**/a?/*.csv"}"#,
        ),
        (
            "sluice.object_source('s3://lake/in/', pattern => '*.csv')",
            r#"{"objects": "s3://lake/old/a.csv"}"#,
            r#"{"url": "s3://lake/old/a.csv", "kind": "object"}"#,
        ),
        (
            "sluice.http_source(url => 'https://shop.example/', since => sluice.since(param => 'since', field => '/at'))",
            r#"{"from": "2026-01-01"}"#,
            r#"{"url": "https://shop.example/", "kind": "http", "range": {"from": "2026-01-01"}, "since": {"field": "/at", "param": "since"}}"#,
        ),
    ] {
        assert_eq!(
            db.value(&format!("select sluice._ranged_source({source}, '{range}')")).await,
            narrowed
        );
    }
}
