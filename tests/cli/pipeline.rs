//! `sluice show`, `set`, `pause`, `resume` and `drop`.

use crate::support::{Sluice, TestDb};

async fn items_db() -> TestDb {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.items (id bigint primary key);
         create function shop.items_v1(doc jsonb) returns table (id bigint) language sql stable as $$ select (doc->>'id')::bigint $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => '-'));",
    )
    .await;
    db
}

#[tokio::test]
async fn what_show_prints_can_be_applied_as_it_is() {
    let db = items_db().await;
    let shown = Sluice::on(&db).args(["show", "items"]).run().exits(0);
    let file = tempfile::NamedTempFile::with_suffix(".sql").unwrap();
    std::fs::write(file.path(), &shown.stdout).unwrap();
    let before = db.value("select to_jsonb(p) from sluice.pipelines p").await;
    let applied = Sluice::on(&db).args(["apply"]).args([file.path()]).run().exits(0);
    assert!(applied.stdout.ends_with("version 1 active\n"), "{}", applied.stdout);
    assert_eq!(db.value("select to_jsonb(p) from sluice.pipelines p").await, before);
    Sluice::on(&db).args(["show", "items", "--version", "7"]).run().exits(2);
}

#[tokio::test]
async fn policies_are_set_together_or_not_at_all() {
    let db = items_db().await;
    let done = Sluice::on(&db)
        .args(["set", "items", "max_bad_ratio=0.25", "retain_raw=7 days"])
        .run()
        .exits(0);
    assert!(done.stdout.contains("retain_raw none → 7 days"), "{}", done.stdout);
    let refused =
        Sluice::on(&db).args(["set", "items", "batch_rows=5", "max_bad_ratio=2"]).run().exits(2);
    assert!(refused.stderr.contains("max_bad_ratio 2 is not between"), "{}", refused.stderr);
    assert_eq!(
        db.value("select max_bad_ratio, retain_raw, batch_rows from sluice.pipelines").await,
        "0.25|7 days|-"
    );
    Sluice::on(&db).args(["set", "items", "retain_raw"]).run().exits(2);
}

#[tokio::test]
async fn pause_resume_and_drop() {
    let db = items_db().await;
    let said = |args: &[&str], code| {
        let done = Sluice::on(&db).args(args).run().exits(code);
        done.stdout + &done.stderr
    };
    assert_eq!(said(&["pause", "items"], 0), "pipeline items paused\n");
    assert_eq!(db.value("select state from sluice.status").await, "paused");
    assert_eq!(said(&["resume", "items"], 0), "pipeline items resumed\n");
    let refused = said(&["drop", "items"], 2);
    assert!(refused.contains("cannot be undone"), "{refused}");
    assert!(refused.contains("next:  \"sluice drop items --yes\""), "{refused}");
    assert_eq!(db.value("select count(*) from sluice.pipelines").await, "1");
    let dropped = said(&["drop", "items", "--yes"], 0);
    assert!(dropped.starts_with("pipeline items dropped with its state"), "{dropped}");
    assert_eq!(db.value("select count(*) from sluice.pipelines").await, "0");
}
