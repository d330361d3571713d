//! `sluice rewind --dry-run` tells what the next run then reads, and `sluice skip`.

use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use super::{Sluice, TestDb};
use crate::support::sluice::Done;
use crate::support::web::{Answer, Web};
use crate::support::{Api, Summary};

const SHOP: &str = "
  create schema shop;
  create table shop.items (id bigint primary key);
  create function shop.items_v1(doc jsonb) returns table (id bigint) language sql stable as
    $$ select (doc->>'id')::bigint $$;";

async fn shop(source: &str) -> TestDb {
    let db = TestDb::new().await;
    db.execute(&format!(
        "{SHOP} select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{{id}}', source => {source})"
    ))
    .await;
    db
}

fn lines(ids: std::ops::Range<u32>) -> String {
    ids.map(|id| format!("{{\"id\":{id}}}\n")).collect()
}

fn run(db: &TestDb) -> Summary {
    sluice(db, "run items --batch-rows 10").exits(0).summary()
}

fn sluice(db: &TestDb, args: &str) -> Done {
    Sluice::on(db).args(args.split(' ')).run()
}

/// Previews a goal, goes back to it, and insists that the run reads what was said.
#[track_caller]
fn rewind_and_run(db: &TestDb, goal: &str, expected: i64) {
    let rewind = format!("rewind items {goal}");
    let shown = sluice(db, &format!("{rewind} --dry-run --json")).exits(0);
    let batches: Vec<Value> = serde_json::from_str(&shown.stdout).unwrap();
    let records: i64 = batches.iter().map(|batch| batch["records"].as_i64().unwrap()).sum();
    assert_eq!(records, expected, "{goal}: {}", shown.stdout);
    assert_eq!(run(db).count("extracted"), 0, "{goal}: it changed nothing");
    let said = sluice(db, &rewind).exits(0).stdout;
    let tells = format!(", {expected} records) is read again");
    assert!(said.contains(&tells), "{said}");
    assert_eq!(run(db).count("unchanged"), expected, "{goal}");
}

/// Three files of 25, 4 and 13 records, read in batches of 10.
async fn files() -> (TempDir, TestDb) {
    let folder = tempfile::tempdir().unwrap();
    for (name, ids) in [("a", 0..25), ("b", 25..29), ("c", 29..42)] {
        fs::write(folder.path().join(format!("{name}.ndjson")), lines(ids)).unwrap();
    }
    let db = shop(&format!("sluice.file_source('{}')", folder.path().to_str().unwrap())).await;
    assert_eq!(run(&db).count("inserted"), 42);
    (folder, db)
}

#[tokio::test]
async fn preview_of_files_is_what_is_read_again() {
    let (folder, db) = files().await;
    let name = |name: &str| format!("{}/{name}.ndjson", folder.path().to_str().unwrap());
    let third = db.rows("select batch_id from sluice.batches order by batch_seq").await.remove(2);
    rewind_and_run(&db, &format!("--to-batch {third}"), 12);
    rewind_and_run(&db, "--to-start", 42);
    rewind_and_run(&db, &format!("--object {}", name("b")), 4);
    rewind_and_run(&db, &format!("--object {}", name("a")), 25);
    let time = db
        .value(&format!(
            "select to_char(committed_at, 'YYYY-MM-DD\"T\"HH24:MI:SS.US') from sluice.batches where batch_id = {third}"
        ))
        .await;
    rewind_and_run(&db, &format!("--to-time {time}"), 12);
    rewind_and_run(&db, "--to-time 2000-01-01", 42);
    let shown = sluice(&db, "rewind items --to-start --dry-run").exits(0).stdout;
    assert!(shown.ends_with("\nwould be read again: batches=5 records=42\n"), "{shown}");
    sluice(&db, "verify items").exits(0);
    sluice(&db, "rewind items --to-time soon").exits(1);
}

#[tokio::test]
async fn preview_of_many_batches_shows_the_first_and_counts_all() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.ndjson"), lines(0..103)).unwrap();
    let db = shop(&format!("sluice.file_source('{}')", folder.path().to_str().unwrap())).await;
    sluice(&db, "run items --batch-rows 1").exits(0);
    let shown = sluice(&db, "rewind items --to-start --dry-run").exits(0);
    let (batches, said) = shown.stdout.split_at(shown.stdout.find('…').unwrap());
    assert_eq!(batches.lines().count(), 1 + 100, "{batches}");
    assert_eq!(
        said,
        "… the first 100 of 103 batches; `--json` shows all of them\n\
         would be read again: batches=103 records=103\n"
    );
}

#[tokio::test]
async fn preview_of_pages_is_what_is_read_again() {
    let api = Api::orders(37, 10);
    let web = Web::serve(move |request| api.answer(request));
    let db = shop(&format!(
        "sluice.http_source(url => '{}/page', records => '/data', paging => sluice.page_number_paging(),
           since => sluice.since(param => 'since', field => '/at', lag => '0'))",
        web.url
    ))
    .await;
    assert_eq!(run(&db).count("inserted"), 37);
    // Every sweep reads the record at the mark once more.
    assert_eq!(run(&db).count("unchanged"), 1);
    let first = db.value("select batch_id from sluice.batches where batch_seq = 1").await;
    for goal in [format!("--to-batch {first}"), "--to-start".to_owned()] {
        let shown = sluice(&db, &format!("rewind items {goal} --dry-run --json")).exits(0);
        let batches: Vec<Value> = serde_json::from_str(&shown.stdout).unwrap();
        let records: i64 = batches.iter().map(|b| b["records"].as_i64().unwrap()).sum();
        sluice(&db, &format!("rewind items {goal}")).exits(0);
        let read = run(&db).count("extracted");
        assert!(read >= 27, "{goal}");
        assert_eq!(
            records,
            read + run(&db).count("extracted"),
            "{goal}: two sweeps lie behind it: {}",
            shown.stdout
        );
    }
}

#[tokio::test]
async fn poison_file_is_skipped_and_its_replacement_read() {
    let (folder, db) = files().await;
    let bad = folder.path().join("aa.csv");
    let name = bad.to_str().unwrap();
    fs::write(&bad, "id,id\n1,2\n").unwrap();
    fs::write(folder.path().join("d.ndjson"), lines(42..45)).unwrap();
    let done = sluice(&db, "run items").exits(1);
    assert!(done.stderr.contains("aa.csv"), "{}", done.stderr);
    let skip =
        |more: &[&str]| Sluice::on(&db).args(["skip", "items", "--object", name]).args(more).run();
    skip(&[]).exits(2);
    let said = skip(&["--reason", "damaged export"]).exits(0).stdout;
    assert!(said.starts_with(&format!("pipeline items skips {name}")), "{said}");
    let done = sluice(&db, "run items").exits(0);
    assert_eq!(done.summary().count("inserted"), 3);
    assert!(done.stderr.contains("aa.csv is passed over, as told"), "{}", done.stderr);
    assert_eq!(run(&db).count("extracted"), 0);
    assert_eq!(
        db.value("select note from sluice.batches where kind = 'skip'").await,
        "damaged export"
    );
    fs::write(&bad, "id\n100\n101\n").unwrap();
    assert_eq!(run(&db).count("inserted"), 2);
    sluice(&db, "verify items").exits(0);
}

#[tokio::test]
async fn skip_in_the_middle_of_a_file_keeps_what_was_read_and_rewind_takes_it_back() {
    let (folder, db) = files().await;
    let long = folder.path().join("e.csv");
    fs::write(&long, "id\n1000\n1001\n1002\n1003\n").unwrap();
    let first = sluice(&db, "run items --batch-rows 3 --max-batches 1").exits(0);
    assert_eq!(first.summary().count("inserted"), 3);
    let name = long.to_str().unwrap();
    sluice(&db, &format!("skip items --object {name} --reason enough")).exits(0);
    assert_eq!(run(&db).count("extracted"), 0);
    sluice(&db, &format!("rewind items --object {name}")).exits(0);
    let done = run(&db);
    assert_eq!((done.count("unchanged"), done.count("inserted")), (3, 1));
    sluice(&db, "verify items").exits(0);
}

#[tokio::test]
async fn poison_page_is_skipped() {
    for (path, paging) in [
        ("page", "sluice.page_number_paging()"),
        ("offset", "sluice.offset_paging(param => 'offset', size_param => 'limit', size => 10)"),
    ] {
        let api = Api::orders(40, 10);
        let web = Web::serve(move |request| {
            let is_poison =
                request.param("page") == Some("3") || request.param("offset") == Some("20");
            match is_poison {
                true => Answer::status(400, "this page is cursed"),
                false => api.answer(request),
            }
        });
        let db = shop(&format!(
            "sluice.http_source(url => '{}/{path}', records => '/data', paging => {paging})",
            web.url
        ))
        .await;
        let done = sluice(&db, "run items").exits(1);
        assert_eq!(done.summary().count("inserted"), 20, "{path}");
        let skip = ["skip", "items", "--pages", "1", "--reason", "cursed", "--json"];
        let said = Sluice::on(&db).args(skip).run().exits(0).stdout;
        assert!(said.contains("skips 1 page"), "{said}");
        assert_eq!(run(&db).count("inserted"), 10, "{path}");
        assert_eq!(
            db.value("select min(id), max(id), count(*) from shop.items").await,
            "0|39|30",
            "{path}"
        );
        sluice(&db, "verify items").exits(0);
    }
}
