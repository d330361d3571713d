//! Pipes that give their records slowly.

use crate::support::{Loader, Sluice, TestDb};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{Write, pipe};
use std::sync::atomic::{AtomicBool, Ordering};

async fn items(source: &str) -> TestDb {
    let db = TestDb::new().await;
    db.execute(&format!(
        "create table items (id bigint primary key);
         create function items_v1(doc jsonb) returns table (id bigint) language sql immutable as $$ select (doc->>'id')::bigint $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'items_v1', target => 'items', key => '{{id}}',
           source => {source})"
    ))
    .await;
    db
}

fn run(db: &TestDb, args: &[&str]) -> Sluice {
    Sluice::on(db).args(["run", "items", "--batch-seconds", "1"]).args(args.to_vec())
}

/// What comes first, as the pipe gets it, and what ends it.
type Parts = (Vec<u8>, Vec<u8>);

fn plain(first: &str, rest: &str) -> Parts {
    (first.into(), rest.into())
}

fn gzip(first: &str, rest: &str) -> Parts {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(first.as_bytes()).unwrap();
    packed.flush().unwrap();
    let begun = packed.get_ref().clone();
    packed.write_all(rest.as_bytes()).unwrap();
    let whole = packed.finish().unwrap();
    let rest = whole[begun.len()..].to_vec();
    (begun, rest)
}

fn zstd(first: &str, rest: &str) -> Parts {
    let mut packed = zstd::Encoder::new(Vec::new(), 1).unwrap();
    packed.write_all(first.as_bytes()).unwrap();
    packed.flush().unwrap();
    let begun = packed.get_ref().clone();
    packed.write_all(rest.as_bytes()).unwrap();
    let whole = packed.finish().unwrap();
    let rest = whole[begun.len()..].to_vec();
    (begun, rest)
}

#[tokio::test]
async fn what_came_through_a_pipe_is_committed_while_it_is_silent() {
    let db = items("sluice.file_source(path => '-')").await;
    let lines = ("{\"id\": 1}\n{\"id\": 2}\n{\"id\"", ": 3}\n");
    let rows = ("id\n1\n2\n3", "\n");
    for (name, format, parts) in [
        ("lines", "ndjson", plain(lines.0, lines.1)),
        ("rows", "csv", plain(rows.0, rows.1)),
        ("an array", "json", plain("[{\"id\": 1}, {\"id\": 2}, {\"id\"", ": 3}]")),
        ("packed lines", "ndjson", gzip(lines.0, lines.1)),
        ("packed rows", "csv", zstd(rows.0, rows.1)),
    ] {
        let (reader, mut writer) = pipe().unwrap();
        writer.write_all(&parts.0).unwrap();
        let command = run(&db, &["--format", format, "--path", "-"]).stdin(reader);
        let mut loader = Loader::of(command);
        db.wait_until("select count(*) = 2 from items").await;
        assert!(!loader.has_ended(), "{name}");
        writer.write_all(&parts.1).unwrap();
        drop(writer);
        let done = loader.wait().exits(0);
        assert_eq!(done.summary().count("inserted"), 3, "{name}");
        assert_eq!(done.summary().count("batches"), 2, "{name}");
        db.execute("delete from items").await;
    }
}

#[tokio::test]
async fn a_pipe_s_first_record_is_committed_however_short_it_is() {
    let db = items("sluice.file_source(path => '-', format => 'csv')").await;
    for first in ["id\n1\n", "id\n10\n", "id\n100\n"] {
        let (reader, mut writer) = pipe().unwrap();
        writer.write_all(first.as_bytes()).unwrap();
        let mut loader = Loader::of(run(&db, &[]).stdin(reader));
        db.wait_until("select count(*) = 1 from items").await;
        assert!(!loader.has_ended(), "{first}");
        drop(writer);
        loader.wait().exits(0);
        db.execute("delete from items").await;
    }
}

#[tokio::test]
async fn a_pipe_that_drips_commits_although_it_is_never_silent() {
    let db = items("sluice.file_source(path => '-', format => 'ndjson')").await;
    let (reader, mut writer) = pipe().unwrap();
    static IS_ENOUGH: AtomicBool = AtomicBool::new(false);
    let drips = std::thread::spawn(move || {
        for id in 0.. {
            writer.write_all(format!("{{\"id\": {id}}}\n").as_bytes()).unwrap();
            if IS_ENOUGH.load(Ordering::Relaxed) {
                return id + 1;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        0
    });
    let mut loader = Loader::of(run(&db, &[]).stdin(reader));
    db.wait_until("select count(*) > 1 from sluice.batches").await;
    assert!(!loader.has_ended());
    IS_ENOUGH.store(true, Ordering::Relaxed);
    let written = drips.join().unwrap();
    assert_eq!(loader.wait().exits(0).summary().count("inserted"), written);
}

#[tokio::test]
async fn what_a_program_printed_is_committed_while_it_is_silent() {
    let db = items(
        "sluice.program_source(program => 'sh', protocol => 'csv',
           arguments => array['-c', 'echo id; echo 1000001; read line < wait; echo 1000002'])",
    )
    .await;
    let folder = tempfile::tempdir().unwrap();
    let gate = folder.path().join("wait");
    let made = std::process::Command::new("mkfifo").arg(&gate).status();
    assert!(made.unwrap().success());
    let mut loader = Loader::of(run(&db, &[]).current_dir(folder.path()));
    db.wait_until("select count(*) = 1 from items").await;
    assert!(!loader.has_ended());
    std::fs::write(&gate, "\n").unwrap();
    assert_eq!(loader.wait().exits(0).summary().count("inserted"), 2);
}
