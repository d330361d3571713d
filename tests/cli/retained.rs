//! `reload`, `compare`, `why` and `prune` on the command line.

use crate::support::{Sluice, TestDb};
use serde_json::{Value, json};

/// A batch of two records under version 1, and a candidate that doubles `n` and takes no 7.
async fn loaded() -> TestDb {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.items (id bigint primary key, n integer not null);
         create function shop.items_v1(doc jsonb) returns table (id bigint, n integer) language sql stable as $$
           select (doc->>'id')::bigint, (doc->>'n')::integer $$;
         create function shop.items_v2(doc jsonb) returns table (id bigint, n integer) language sql stable as $$
           select (doc->>'id')::bigint, nullif((doc->>'n')::integer, 7) * 2 $$;
         select sluice.define_pipeline(name => 'items', version => v, transform => 'shop.items_v' || v, target => 'shop.items', key => '{id}',
           activate => v = 1, source => sluice.file_source(path => '-', format => 'ndjson'), max_bad_ratio => 0.5, retain_raw => '7 days')
         from generate_series(1, 2) v",
    )
    .await;
    Sluice::on(&db)
        .args(["run", "items"])
        .run_with_input(b"{\"id\":1,\"n\":1}\n{\"id\":2,\"n\":7}\n")
        .exits(0);
    db
}

fn json_of(db: &TestDb, args: &[&str]) -> Value {
    let done = Sluice::on(db).args(args).args(["--json"]).run().exits(0);
    serde_json::from_str(&done.stdout).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

#[tokio::test]
async fn reports_are_json_for_machines() {
    let db = loaded().await;
    let facts = json_of(&db, &["why", "items", r#"{"id": 2}"#]);
    assert_eq!(facts["source"], "-:2");
    assert_eq!(facts["payload"], r#"{"id":2,"n":7}"#);
    let compared = json_of(&db, &["compare", "items", "1", "2", "--samples", "0"]);
    assert_eq!(
        compared,
        json!([
            {"outcome_a": "unchanged", "outcome_b": "quarantined 23502", "is_same": false, "records": 1, "sample": null},
            {"outcome_a": "unchanged", "outcome_b": "update", "is_same": false, "records": 1, "sample": null},
        ])
    );
    let reloaded = json_of(&db, &["reload", "items", "--batches", "1..", "--version", "2"]);
    assert_eq!(reloaded[0]["updated"], 1);
    assert_eq!(reloaded[0]["quarantined"], 1);
    db.execute("insert into sluice.raw_days values (1, '2026-01-01')").await;
    let pruned = json_of(&db, &["prune"]);
    assert_eq!(pruned[0]["retained_on"], "2026-01-01");
    assert_eq!(pruned[0]["pipeline_name"], "items");
    assert_eq!(json_of(&db, &["prune", "items"]), json!([]));
}

#[tokio::test]
async fn dry_reload_tells_what_would_change_and_changes_nothing() {
    let db = loaded().await;
    let done = Sluice::on(&db)
        .args(["reload", "items", "--batches", "1", "--version", "2"])
        .args(["--dry-run"])
        .run()
        .exits(0);
    assert!(done.stdout.starts_with("would update id=1: n 1 → 2\n"), "{done:?}");
    assert_eq!(db.rows("select id, n from shop.items order by id").await, ["1|1", "2|7"]);
    assert_eq!(db.value("select count(*) from sluice.batches").await, "1");
    assert_eq!(db.value("select count(*) from sluice.quarantine").await, "0");
    // Half of the records are bad: no more than a run may set aside; a quarter is refused.
    let done = Sluice::on(&db)
        .args(["reload", "items", "--batches", "1", "--version", "2"])
        .args(["--max-bad-ratio", "0.25"])
        .run()
        .exits(3);
    assert!(done.stderr.contains("50.0% of records are bad (limit 25%)\n  most:"), "{done:?}");
    assert_eq!(db.value("select count(*) from sluice.batches").await, "1");
}

#[tokio::test]
async fn keys_and_batches_that_are_none_exit_with_2() {
    let db = loaded().await;
    for (args, message) in [
        (&["why", "items", "{id: 1}"][..], "a JSON object such as"),
        (&["why", "items", r#"{"x": 1}"#], "x is not part of it, id is missing"),
        (&["reload", "items", "--batches", "1-2"], "a range such as 812..830"),
        (&["reload", "items", "--batches", "77"], "pipeline items has no batch 77"),
        (&["compare", "items", "1", "3"], "pipeline items has no version 3"),
        (&["compare", "items", "1"], "<VERSION_B>"),
    ] {
        let done = Sluice::on(&db).args(args).run().exits(2);
        assert!(done.stderr.contains(message), "{done:?}");
    }
}
