//! What waits, as people and cron see it.

use crate::support::{Loader, Sluice, TestDb};
use std::fs;
use tempfile::TempDir;

/// A pipeline on a folder, with `settle_seconds` as given.
async fn pipeline(folder: &TempDir, settle: u32) -> TestDb {
    let db = TestDb::new().await;
    db.execute(&format!(
        "create schema shop;
         create table shop.items (id bigint primary key);
         create function shop.items_v1(doc jsonb) returns table (id bigint) language sql stable
         as $$ select (doc->>'id')::bigint $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{{id}}',
           source => sluice.file_source(path => '{}/*.ndjson', settle_seconds => {settle}))",
        folder.path().display()
    ))
    .await;
    db
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_counted_at_once_and_ends_a_run_with_5_when_it_has_waited_too_long() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.ndjson");
    fs::write(&file, "{\"id\":1}\n{\"id\":").unwrap();
    let db = pipeline(&folder, 60).await;
    let done = Sluice::on(&db).args(["run", "items"]).run().exits(0);
    assert!(done.stdout.trim_end().ends_with(" waiting=1"), "{}", done.stdout);
    assert!(done.stderr.contains("ends inside a record"), "{}", done.stderr);
    assert_eq!(
        db.rows("select pipeline, name, is_overdue from sluice.waiting_details").await,
        [format!("items|{}|f", file.display())]
    );
    db.execute("update sluice.waiting set since = since - interval '2 minutes'").await;
    let done = Sluice::on(&db).args(["run", "items"]).run().exits(5);
    assert!(done.stdout.contains("items ok ") && done.stdout.trim_end().ends_with(" waiting=1"));
    assert!(done.stderr.contains("has waited for longer than settle_seconds"), "{}", done.stderr);
    let status = Sluice::on(&db).args(["status"]).run().exits(0).stdout;
    assert!(status.contains(&format!("items waits: {}", file.display())), "{status}");
    let doctor = Sluice::on(&db).args(["doctor", "--json"]).run().stdout;
    assert!(doctor.contains("waiting items"), "{doctor}");
    fs::write(&file, "{\"id\":1}\n{\"id\":2}\n").unwrap();
    let done = Sluice::on(&db).args(["run", "items"]).run().exits(0);
    assert!(done.stdout.trim_end().ends_with(" waiting=0"), "{}", done.stdout);
    assert_eq!(db.value("select count(*) from sluice.waiting").await, "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_max_batches_leaves_is_told_and_never_fails_a_run() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.ndjson"), "{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n").unwrap();
    let db = pipeline(&folder, 0).await;
    let one = ["run", "items", "--batch-rows", "1", "--max-batches", "1"];
    let done = Sluice::on(&db).args(one).run().exits(0);
    assert!(done.stdout.trim_end().ends_with(" waiting=1"), "{}", done.stdout);
    let done = Sluice::on(&db).args(one).run().exits(0);
    assert!(done.stdout.trim_end().ends_with(" waiting=1"), "{}", done.stdout);
    let done = Sluice::on(&db).args(one).run().exits(0);
    assert!(done.stdout.trim_end().ends_with(" waiting=0"), "that was all: {}", done.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_read_file_that_is_gone_is_told_at_each_run_until_it_is_given_up() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.ndjson");
    let lines: String = (1..=10).map(|id| format!("{{\"id\":{id}}}\n")).collect();
    fs::write(&file, lines).unwrap();
    let db = pipeline(&folder, 0).await;
    let args = ["run", "items", "--batch-rows", "3", "--max-batches", "1"];
    Sluice::on(&db).args(args).run().exits(0);
    fs::remove_file(&file).unwrap();
    let done = Sluice::on(&db).args(["run", "items"]).run();
    assert!(done.stderr.contains("is gone; 3 records of it were read"), "{}", done.stderr);
    assert!(done.stdout.trim_end().ends_with(" waiting=1"), "{}", done.stdout);
    Sluice::on(&db).args(["run", "items"]).run().exits(5);
    let name = file.to_str().unwrap();
    Sluice::on(&db).args(["skip", "items", "--object", name, "--reason", "lost"]).run().exits(0);
    let done = Sluice::on(&db).args(["run", "items"]).run().exits(0);
    assert!(done.stdout.trim_end().ends_with(" waiting=0"), "{}", done.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn run_that_is_refused_before_it_begins_shows_in_the_status() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.ndjson"), "{\"id\":1}\n").unwrap();
    let db = pipeline(&folder, 0).await;
    Sluice::on(&db).args(["run", "items"]).run().exits(0);
    db.execute("alter table shop.items rename id to number").await;
    Sluice::on(&db).args(["run", "items"]).run().exits(2);
    let status = db.value("select state from sluice.status").await;
    assert_eq!(status, "failed");
    let error = db.value("select error from sluice.status_details").await;
    assert!(error.contains("id"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_in_a_circle_and_pipes_end_a_run_as_any_other() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.ndjson"), "{\"id\":1}\n").unwrap();
    for name in ["one", "two"] {
        std::os::unix::fs::symlink(".", folder.path().join(name)).unwrap();
    }
    let pipe = folder.path().join("b.ndjson");
    let made = std::process::Command::new("mkfifo").arg(pipe).status();
    assert!(made.unwrap().success());
    let db = pipeline(&folder, 0).await;
    let path = format!("{}/**/*.ndjson", folder.path().display());
    let done = Sluice::on(&db).args(["run", "items", "--path", &path]).run().exits(0);
    assert!(done.stdout.contains("inserted=1 "), "{}", done.stdout);
    assert!(done.stderr.contains("passed over, not regular files"));
    assert!(done.stderr.contains("passed over, folders that are listed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn signal_ends_a_run_whose_source_is_silent() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.csv"), "id\n1").unwrap();
    let db = pipeline(&folder, 3600).await;
    let path = folder.path().join("a.csv");
    let args = ["run", "items", "--path", path.to_str().unwrap()];
    let loader = Loader::of(Sluice::on(&db).args(args));
    db.wait_until("select exists (select from sluice.runs)").await;
    loader.interrupt();
    loader.wait().exits(130);
}
