//! Tables that Citus distributes over servers. `CITUS_URL` is a database of a coordinator with at least two workers,
//! whose schemas `sluice` and `spread` these tests replace; without it they do nothing and say so.

use crate::support::{Sluice, TestDb};
use libpq_conninfo::{Environment, Settings};
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// The coordinator, with the engine just installed: one test at a time has it.
async fn coordinator() -> Option<(TestDb, MutexGuard<'static, ()>)> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    let Ok(url) = std::env::var("CITUS_URL") else {
        // Not by a macro, whose output the harness keeps to itself.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: CITUS_URL names no coordinator of Citus"
        );
        return None;
    };
    let alone = ALONE.lock().await;
    let settings = Settings::parse(&url, &Environment::of_process()).unwrap();
    let db = TestDb {
        name: settings.dbname.clone(),
        settings,
        url,
    };
    db.execute(
        "drop schema if exists spread cascade; drop schema if exists sluice cascade; create schema spread",
    )
    .await;
    let migrated = Sluice::on(&db).args(["migrate"]).run().exits(0);
    assert!(!migrated.stderr.contains("metadata"), "{}", migrated.stderr);
    Some((db, alone))
}

/// Pipeline `items` into a distributed table, from the NDJSON files of a folder.
async fn items(db: &TestDb, folder: &Path, more: &str) {
    db.execute(&format!(
        "set citus.multi_shard_modify_mode = 'sequential';
         create table spread.items (k bigint primary key, v text not null, n int, at timestamptz);
         select create_distributed_table('spread.items', 'k');
         create function spread.items_v1(doc jsonb)
         returns table (k bigint, v text, n int, at timestamptz, sluice_deleted boolean)
         language sql stable as $$
           select (doc->>'k')::bigint, doc->>'v', (doc->>'n')::int, (doc->>'at')::timestamptz, (doc->>'gone')::boolean
         $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'spread.items_v1',
           target => 'spread.items', key => '{{k}}', order_by => 'at', max_bad_ratio => 1,
           source => sluice.file_source(path => '{}/*.ndjson'){more})",
        folder.display()
    ))
    .await;
}

fn write(folder: &Path, name: &str, records: impl IntoIterator<Item = String>) {
    let mut file = std::fs::File::create(folder.join(name)).unwrap();
    for record in records {
        writeln!(file, "{record}").unwrap();
    }
}

fn record(k: u32, v: &str, day: u32) -> String {
    format!(r#"{{"k": {k}, "v": "{v}", "n": {k}, "at": "2026-01-{day:02}"}}"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn distributed_table_is_loaded_by_the_rules_of_any_other() {
    let Some((db, _alone)) = coordinator().await else {
        return;
    };
    let folder = TempDir::new().unwrap();
    items(&db, folder.path(), "").await;
    let run = |args: &[&str]| Sluice::on(&db).args(args).run();

    write(
        folder.path(),
        "1.ndjson",
        (1..=100).map(|k| record(k, "first", 10)),
    );
    let first = run(&["run", "items"]).exits(0).summary();
    assert_eq!(first.count("inserted"), 100);

    let changed = (1..=100).map(|k| match k % 5 {
        0 => record(k, "newer", 11),
        1 => record(k, "older", 9),
        2 => format!(r#"{{"k": {k}, "v": "", "at": "2026-01-11", "gone": true}}"#),
        _ => record(k, "first", 10),
    });
    write(
        folder.path(),
        "2.ndjson",
        changed.chain((101..=110).map(|k| record(k, "new", 10))),
    );
    let second = run(&["run", "items"]).exits(0).summary();
    for (counter, count) in [
        ("inserted", 10),
        ("updated", 20),
        ("deleted", 20),
        ("unchanged", 40),
        ("stale", 20),
    ] {
        assert_eq!(second.count(counter), count, "{counter}");
    }
    // A deleted key stays deleted: what is older than its tombstone does not bring it back.
    write(
        folder.path(),
        "3.ndjson",
        [record(2, "late", 10), record(7, "back", 12)],
    );
    let third = run(&["run", "items"]).exits(0).summary();
    assert_eq!((third.count("stale"), third.count("inserted")), (1, 1));

    let versions = "select count(*), count(distinct sluice_batch) from spread.items";
    let before = db.value(versions).await;
    run(&["rewind", "items", "--to-start"]).exits(0);
    let again = run(&["run", "items"]).exits(0).summary();
    assert_eq!((again.count("updated"), again.count("inserted")), (0, 0));
    assert_eq!(db.value(versions).await, before);
    // The check of tombstones is not made.
    run(&["verify", "items", "--deep"]).exits(6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_a_shard_refuses_are_found_and_replayed() {
    let Some((db, _alone)) = coordinator().await else {
        return;
    };
    let folder = TempDir::new().unwrap();
    items(&db, folder.path(), "").await;
    // Not valid: the engine does not look at it beforehand, so that the merge meets it.
    db.execute("alter table spread.items add constraint small check (n % 40 <> 7) not valid")
        .await;
    write(
        folder.path(),
        "1.ndjson",
        (1..=400).map(|k| record(k, "v", 10)),
    );
    let run = Sluice::on(&db)
        .args(["run", "items", "--batch-rows", "150"])
        .run()
        .exits(0)
        .summary();
    assert_eq!((run.count("inserted"), run.count("quarantined")), (390, 10));
    let found = "select count(*), min(sqlstate), min(constraint_name) from sluice.quarantine";
    assert_eq!(db.value(found).await, "10|23514|small");

    db.execute("alter table spread.items drop constraint small")
        .await;
    let replay = Sluice::on(&db)
        .args(["replay", "items"])
        .run()
        .exits(0)
        .summary();
    assert_eq!(
        (replay.count("inserted"), replay.count("quarantined")),
        (10, 0)
    );
    Sluice::on(&db)
        .args(["verify", "items", "--deep"])
        .run()
        .exits(0);
}

/// Kills the loader after each batch, and cuts what the coordinator says to its workers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_loads_and_lost_workers_double_and_lose_nothing() {
    let Some((db, _alone)) = coordinator().await else {
        return;
    };
    let folder = TempDir::new().unwrap();
    items(&db, folder.path(), "").await;
    write(
        folder.path(),
        "1.ndjson",
        (1..=2000).map(|k| record(k, "v", 10)),
    );
    let args = ["run", "items", "--batch-rows", "100", "--workers", "2"];
    for batches in [1, 4, 8] {
        let mut loader = Sluice::on(&db).args(args).spawn();
        db.wait_until(&format!("select count(*) >= {batches} from sluice.batches"))
            .await;
        loader.kill().unwrap();
        loader.wait().unwrap();
        let sums = "select (select count(*) from spread.items) = (select sum(inserted) from sluice.batches)";
        // What its server had begun may still be on the way.
        db.wait_until(sums).await;
    }
    let loader = Sluice::on(&db).args(args).spawn();
    db.wait_until("select count(*) >= 12 from sluice.batches")
        .await;
    db.execute(
        "select run_command_on_workers($$select count(pg_terminate_backend(pid)) from pg_stat_activity
           where application_name like 'citus_internal%' and pid <> pg_backend_pid()$$)",
    )
    .await;
    let cut = crate::support::sluice::Done::of(loader.wait_with_output().unwrap());
    assert!([Some(0), Some(1), Some(75)].contains(&cut.code), "{cut:?}");
    Sluice::on(&db).args(args).run().exits(0);
    assert_eq!(
        db.value("select count(*), sum(k) from spread.items").await,
        "2000|2001000"
    );
    assert_eq!(
        db.value("select sum(inserted), sum(updated) from sluice.batches")
            .await,
        "2000|0"
    );
    Sluice::on(&db)
        .args(["verify", "items", "--deep"])
        .run()
        .exits(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_places_of_rows_is_refused_for_a_distributed_target() {
    let Some((db, _alone)) = coordinator().await else {
        return;
    };
    let folder = TempDir::new().unwrap();
    items(&db, folder.path(), "").await;
    let problem = db
        .connect()
        .await
        .batch_execute("select sluice.set_policy('items', 'missing', 'delete')")
        .await
        .unwrap_err();
    let message = pgsluice::error::Error::from(problem).to_string();
    assert!(
        message.contains("which is distributed over servers"),
        "{message}"
    );
    assert_eq!(
        db.value("select count(*) from sluice.known_payloads").await,
        "0"
    );
}
