//! A hot standby: looks are answered, and whatever writes is refused with the way on.

use crate::faults::restore::{back_up, basebackup_of};
use crate::support::server::TestServer;
use crate::support::sluice::Done;
use crate::support::{Sluice, TestDb};

/// With what a look has to answer, so that it has looked.
const LOOKS: [(&[&str], &str); 15] = [
    (&["status"], "items"),
    (&["status", "items", "--json"], "\"open_quarantine\":1"),
    (&["versions"], "items"),
    (&["quarantine", "items"], "22P02"),
    (&["quarantine", "items", "--by-error"], "22P02"),
    (&["deliveries", "items"], "unsent"),
    (&["show", "items"], "sluice.define_pipeline"),
    (&["why", "items", "1"], "in shop.items"),
    (&["drift", "items"], ""),
    (&["rewind", "items", "--to-start", "--dry-run"], "drop/1.ndjson"),
    (&["discard", "items", "--all", "--dry-run"], "would discard: records=1"),
    (&["reconcile", "items"], ""),
    (&["verify"], "ok: "),
    (&["verify", "items", "--deep"], "ok: "),
    (&["migrate", "--dry-run"], "nothing to do"),
];

const WRITERS: [&[&str]; 21] = [
    &["apply", "pipeline.sql"],
    &["run", "items", "--retries", "1"],
    &["run", "items", "--dry-run", "--retries", "1"],
    &["replay", "items", "--retries", "1"],
    &["amend", "1", "--payload", "good.json", "--reason", "x"],
    &["discard", "items", "--all", "--reason", "x"],
    &["reopen", "items", "--all"],
    &["rewind", "items", "--to-start"],
    &["skip", "items", "--object", "drop/2.ndjson", "--reason", "x"],
    &["backfill", "items", "--objects", "drop/*"],
    &["reconcile", "items", "--accept", "edited", "--reason", "x"],
    &["erase", "items", "1", "--reason", "x"],
    &["activate", "items", "1"],
    &["set", "items", "max_bad_ratio=0.5"],
    &["pause", "items"],
    &["resume", "items"],
    &["drop", "items", "--yes"],
    &["reload", "items", "--batches", "1"],
    &["compare", "items", "1", "1"],
    &["deliver", "items", "--retries", "1"],
    &["redeliver", "items"],
];

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn looks_are_answered_and_what_writes_says_that_it_needs_the_primary() {
    let server = TestServer::start();
    let Some(program) = basebackup_of(&server) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("drop")).unwrap();
    let records = "{\"id\": 1}\n{\"id\": \"none\"}\n";
    std::fs::write(folder.path().join("drop/1.ndjson"), records).unwrap();
    std::fs::write(folder.path().join("good.json"), "{\"id\": 2}").unwrap();
    let sluice = |db: &TestDb, args: &[&str]| -> Done {
        Sluice::on(db).current_dir(folder.path()).args(args).run()
    };
    let primary = TestDb::of(&server, "sluice");
    let definition = "
      create schema if not exists shop;
      create table if not exists shop.items (id bigint primary key);
      create or replace function shop.items_v1(doc jsonb) returns table (id bigint)
      language sql stable as $$ select (doc->>'id')::bigint $$;
      select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
        key => '{id}', source => sluice.file_source(path => 'drop', settle_seconds => 0), max_bad_ratio => 1,
        retain_raw => '7 days', deliver => sluice.http_delivery(url => 'https://crm.example/items/{id}'));";
    std::fs::write(folder.path().join("pipeline.sql"), definition).unwrap();
    sluice(&primary, &["migrate"]).exits(0);
    sluice(&primary, &["apply", "pipeline.sql"]).exits(0);
    sluice(&primary, &["run", "items"]).exits(0);

    let options = ["--wal-method=stream", "--write-recovery-conf"];
    let standby = TestServer::start_in(back_up(&server, &program, &options));
    let standby = TestDb::of(&standby, "sluice");
    assert_eq!(standby.value("select pg_is_in_recovery()").await, "t");
    for (args, answer) in LOOKS {
        let done = sluice(&standby, args).exits(0);
        assert!(done.stdout.contains(answer), "{args:?}: {done:?}");
    }
    let mut others = Vec::new();
    for args in WRITERS {
        let done = sluice(&standby, args);
        let is_refused = matches!(done.code, Some(1 | 2 | 75))
            && done.stderr.contains("25006")
            && done.stderr.contains("connect to the primary");
        if !is_refused {
            others.push((args, done));
        }
    }
    assert!(others.is_empty(), "{others:#?}");
    let done = sluice(&standby, &["doctor"]).exits(1);
    assert!(done.stdout.contains("a standby: it only reads"), "{done:?}");
    assert!(done.stdout.contains("target_session_attrs=read-write"), "{done:?}");
}
