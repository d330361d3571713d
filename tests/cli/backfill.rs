//! `sluice backfill` on files, a bucket and an API.

use std::fs;
use std::path::Path;

use super::{Sluice, TestDb};
use crate::support::sluice::Done;
use crate::support::web::Web;
use crate::support::{Api, Store};

const SHOP: &str = "
  create schema shop;
  create table shop.items (id bigint primary key, n integer not null check (n > 0));
  create function shop.items_v1(doc jsonb) returns table (id bigint, n integer) language sql stable as
    $$ select (doc->>'id')::bigint, (doc->>'n')::integer $$;";

async fn shop(source: &str, more: &str) -> TestDb {
    let db = TestDb::new().await;
    db.execute(&format!(
        "{SHOP} select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{{id}}', source => {source}, max_bad_ratio => 0.5 {more})"
    ))
    .await;
    db
}

fn lines(ids: std::ops::Range<u32>, n: u32) -> String {
    ids.map(|id| format!("{{\"id\":{id},\"n\":{n}}}\n")).collect()
}

/// Runs `sluice` in `folder`.
fn sluice(db: &TestDb, folder: &Path, args: &[&str]) -> Done {
    Sluice::on(db).current_dir(folder).args(args).run()
}

const ROWS: &str = "select n, count(*) from shop.items group by n order by n";

#[tokio::test]
async fn files_are_loaded_beside_the_live_pipeline() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("drop")).unwrap();
    fs::create_dir_all(at("old")).unwrap();
    fs::write(at("drop/1.ndjson"), lines(0..10, 3)).unwrap();
    fs::write(at("old/a1.ndjson"), lines(5..20, 1)).unwrap();
    fs::write(at("old/a2.ndjson"), lines(15..20, 2) + "{\"id\":99,\"n\":0}\n").unwrap();
    fs::write(at("old/b.ndjson"), "no json\n").unwrap();
    let db = shop("sluice.file_source('drop')", "").await;
    let run = |args: &[&str]| sluice(&db, folder.path(), args);
    run(&["run", "items"]).exits(0);
    let cursor = db.value("select cursor from sluice.etl_state").await;

    let backfill = ["backfill", "items", "--objects", "old/a*.ndjson"];
    let done =
        run(&[&backfill[..], &["--batch-rows", "12", "--max-batches", "1"]].concat()).exits(0);
    let summary = done.summary();
    assert_eq!((summary.pipeline.as_str(), summary.outcome.as_str()), ("items.backfill-1", "ok"));
    assert_eq!((summary.count("inserted"), summary.count("stale")), (7, 5));
    let list = run(&["backfill", "items"]).exits(0).stdout;
    assert!(list.contains("items.backfill-1  old/a*.ndjson  unfinished"), "{list}");

    // The live pipeline goes on meanwhile.
    fs::write(at("drop/2.ndjson"), lines(18..22, 4)).unwrap();
    assert_eq!(run(&["run", "--all"]).exits(0).summary().count("extracted"), 4);
    let summary = run(&backfill).exits(0).summary();
    assert_eq!((summary.count("extracted"), summary.count("quarantined")), (9, 1));
    // 0..10 and 18..22 are the live ones; of the others the later file counts.
    assert_eq!(db.rows(ROWS).await, ["1|5", "2|3", "3|10", "4|4"]);
    let list = run(&["backfill", "items"]).exits(0).stdout;
    assert!(list.contains("items.backfill-1  old/a*.ndjson  finished"), "{list}");

    let again = run(&backfill).exits(0);
    assert_eq!(again.summary().count("extracted"), 0);
    assert!(
        again.stderr.contains("notice: items.backfill-1 came to the end of this range"),
        "{}",
        again.stderr
    );
    let again = run(&[&backfill[..], &["--again"]].concat()).exits(0);
    assert_eq!((again.summary().count("extracted"), again.summary().count("inserted")), (21, 0));
    assert_eq!(db.rows(ROWS).await, ["1|5", "2|3", "3|10", "4|4"]);

    // Nothing of all this moved the live cursor, and its bad record is in the one quarantine.
    let state = "select cursor from sluice.etl_state join sluice.pipelines using (pipeline_id) where name = 'items'";
    assert_ne!(db.value(state).await, cursor, "2.ndjson was read");
    assert!(db.value(state).await.contains("drop/2.ndjson"));
    let seen = run(&["quarantine", "items"]).exits(0).stdout;
    assert!(seen.contains("old/a2.ndjson:6"), "{seen}");
    for command in ["status", "quarantine", "versions", "replay"] {
        let done = run(&[command, "items.backfill-1"]).exits(2);
        assert!(
            done.stderr.contains("items.backfill-1 is a backfill of pipeline items"),
            "{command}: {}",
            done.stderr
        );
    }
    let status = run(&["status"]).exits(0).stdout;
    assert!(!status.contains("backfill"), "{status}");
    let doctor = run(&["doctor"]).exits(0).stdout;
    assert!(!doctor.contains("backfill"), "{doctor}");
    db.is_sound().await;
}

#[tokio::test]
async fn dry_run_shows_what_would_happen_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.ndjson"), lines(0..3, 1) + "{\"id\":9,\"n\":0}\n").unwrap();
    let db = shop("sluice.file_source('drop')", "").await;
    let done =
        sluice(&db, folder.path(), &["backfill", "items", "--objects", "a.ndjson", "--dry-run"])
            .exits(0);
    assert_eq!(done.summary().count("inserted"), 3);
    assert!(done.stdout.contains("would quarantine 1 × 23514"), "{}", done.stdout);
    assert_eq!(db.rows("select name from sluice.pipelines").await, ["items"]);
    assert_eq!(db.value("select count(*) from shop.items").await, "0");
}

#[tokio::test]
async fn objects_are_loaded_by_a_pattern_or_a_url() {
    let store = Store::public();
    for (key, ids) in [("in/1", 0..2), ("old/a/1", 2..4), ("old/b/1", 4..6)] {
        store.put(&format!("{key}.ndjson"), lines(ids, 1));
    }
    let db = shop(
        &format!(
            "sluice.object_source('s3://lake/in/', endpoint => '{}', allow_http => true, anonymous => true)",
            store.endpoint()
        ),
        "",
    )
    .await;
    for (objects, inserted) in [("s3://lake/old/*/1.ndjson", 4), ("1*", 2)] {
        let done =
            sluice(&db, Path::new("."), &["backfill", "items", "--objects", objects]).exits(0);
        assert_eq!(done.summary().count("inserted"), inserted, "{objects}");
    }
    assert_eq!(
        sluice(&db, Path::new("."), &["run", "items"]).exits(0).summary().count("unchanged"),
        2,
        "the live pipeline reads its own all the same"
    );
    db.is_sound().await;
}

#[tokio::test]
async fn range_of_an_api_is_loaded_beside_its_live_cursor() {
    let mut api = Api::orders(50, 10);
    api.records = (0..50)
        .map(|i| {
            format!(
                r#"{{"id": {i}, "n": 1, "at": "2026-01-{:02}T{:02}:00:00Z"}}"#,
                1 + i / 24,
                i % 24
            )
        })
        .collect();
    let web = Web::serve(move |request| api.answer(request));
    let db = shop(
        &format!(
            "sluice.http_source(url => '{}/cursor', records => '/data', paging => sluice.cursor_paging(param => 'after', next => '/meta/next'),
               since => sluice.since(param => 'since', field => '/at', start => '2026-01-02T20:00:00Z'))",
            web.url
        ),
        "",
    )
    .await;
    let run = |args: &[&str]| sluice(&db, Path::new("."), args).exits(0).summary();
    assert_eq!(run(&["run", "items"]).count("inserted"), 6);
    let backfill = [
        "backfill",
        "items",
        "--from",
        "2026-01-01T10:00:00Z",
        "--to",
        "2026-01-01T23:30:00Z",
        "--batch-rows",
        "5",
    ];
    let done = run(&[&backfill[..], &["--max-batches", "1"]].concat());
    assert_eq!(done.count("inserted"), 5);
    assert_eq!(run(&["run", "items"]).count("unchanged"), 1);
    assert_eq!(run(&backfill).count("inserted"), 9);
    let asked = web.requests().len();
    assert_eq!(run(&backfill).count("extracted"), 0);
    assert_eq!(web.requests().len(), asked, "it has come to its end");
    assert_eq!(
        db.rows("select name, cursor from sluice.etl_state join sluice.pipelines using (pipeline_id) order by 1").await,
        [
            r#"items|{"done": true, "mark": "2026-01-03T01:00:00Z"}"#,
            r#"items.backfill-1|{"done": true}"#
        ]
    );
    assert_eq!(
        db.value("select min(id), max(id), count(*) from shop.items where id < 30").await,
        "10|23|14"
    );
    db.is_sound().await;
}

#[tokio::test]
async fn what_is_no_backfill_is_a_usage_error() {
    let db = shop("sluice.file_source('drop')", "").await;
    let run = |args: &[&str]| sluice(&db, Path::new("."), args);
    let done = run(&["backfill", "items", "--from", "1"]).exits(2);
    assert!(
        done.stderr.contains("they have names, and no marks")
            && done.stderr.contains("next:  objects =>"),
        "{}",
        done.stderr
    );
    run(&["backfill", "items", "--from", "1", "--objects", "a"]).exits(2);
    run(&["backfill", "items", "--again"]).exits(2);
    run(&["backfill", "items", "--objects", "a", "--again", "--dry-run"]).exits(2);
    db.execute("select sluice.pause_pipeline('items')").await;
    let done = run(&["backfill", "items", "--objects", "a"]).exits(1);
    assert!(done.stderr.contains("pipeline items is paused"), "{}", done.stderr);
    let list = run(&["backfill", "items"]).exits(0).stdout;
    assert_eq!(list, "no backfill yet; --from and --to, or --objects, begin one\n");
}
