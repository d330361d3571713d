//! The real `sluice` on sources that no longer have what they had.

use std::sync::{Arc, Mutex};

use super::file::support::{Folder, gzip};
use crate::support::sluice::Done;
use crate::support::web::{Answer, Web};
use crate::support::{Api, Sluice, Store, TestDb};

/// A pipeline `items` that deletes what is missing, whatever the share.
async fn shop(source: &str, more: &str) -> TestDb {
    let db = TestDb::new().await;
    db.execute(&format!(
        "create schema shop;
         create table shop.items (id bigint primary key, gone boolean not null default false);
         create function shop.items_v1(doc jsonb) returns table (id bigint) language sql stable as
           $$ select (doc->>'id')::bigint $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{{id}}', max_bad_ratio => 1, source => {source}, {more})"
    ))
    .await;
    db
}

const DELETE: &str = "missing => 'delete', max_delete_ratio => 1";

fn folder_source(folder: &Folder, more: &str) -> String {
    format!("sluice.file_source(path => '{}' {more})", folder.name(""))
}

fn sluice(db: &TestDb) -> Sluice {
    Sluice::on(db).env("AWS_ACCESS_KEY_ID", "key").env("AWS_SECRET_ACCESS_KEY", "secret")
}

fn run(db: &TestDb, args: &str) -> Done {
    let args = ["run", "items"].into_iter().chain(args.split_whitespace());
    sluice(db).args(args).run()
}

/// A run that has to end well; what it deleted.
#[track_caller]
fn deleted(db: &TestDb, args: &str) -> i64 {
    let done = run(db, args).exits(0);
    done.summary().count("deleted")
}

/// A run that has to end well and delete nothing; what it noted.
#[track_caller]
fn noted(db: &TestDb, args: &str) -> String {
    let done = run(db, args).exits(0);
    assert_eq!(done.summary().count("deleted"), 0, "{done:?}");
    done.stderr
}

async fn ids(db: &TestDb) -> String {
    db.value("select coalesce(string_agg(id::text, ' ' order by id), '') from shop.items").await
}

fn lines(ids: impl IntoIterator<Item = i64>) -> String {
    ids.into_iter().map(|id| format!("{{\"id\": {id}}}\n")).collect()
}

#[tokio::test]
async fn daily_dumps_as_new_files() {
    let folder = Folder::new();
    let db = shop(&folder_source(&folder, ""), DELETE).await;
    folder.write("day1.ndjson", lines(1..=5));
    assert_eq!(deleted(&db, ""), 0);
    folder.write("day2.ndjson", lines([1, 2, 6]));
    let done = run(&db, "").exits(0);
    assert_eq!(
        (done.summary().count("deleted"), done.summary().count("batches")),
        (3, 2),
        "the end of the read is an entry in the ledger"
    );
    assert_eq!(ids(&db).await, "1 2 6");
    assert_eq!(run(&db, "").exits(0).summary().count("batches"), 0, "nothing new is no read");
    folder.write("day3.ndjson", "");
    assert_eq!(deleted(&db, ""), 0, "an empty file says nothing");
    folder.write("day4.ndjson", lines([1, 2, 3]));
    assert_eq!(deleted(&db, ""), 1);
    assert_eq!(ids(&db).await, "1 2 3");
    db.is_sound().await;
}

#[tokio::test]
async fn a_dump_of_several_files_counts_when_the_last_is_read() {
    let folder = Folder::new();
    let db = shop(&folder_source(&folder, ""), DELETE).await;
    for (file, ids) in [("1a", 1..=10), ("1b", 11..=20), ("1c", 21..=30)] {
        folder.write(&format!("{file}.ndjson"), lines(ids));
    }
    // The first read, too, goes over several runs.
    for _ in 0..2 {
        assert_eq!(deleted(&db, "--batch-rows 10 --max-batches 1"), 0);
    }
    assert_eq!(deleted(&db, "--batch-rows 10"), 0);
    for (file, ids) in [("2a", 1..=9), ("2b", 11..=19), ("2c", 21..=29)] {
        folder.write(&format!("{file}.ndjson"), lines(ids));
    }
    for _ in 0..6 {
        // Inside of files, and between them.
        assert_eq!(deleted(&db, "--batch-rows 4 --max-batches 1"), 0);
    }
    assert_eq!(deleted(&db, "--batch-rows 4 --workers 3"), 3);
    assert_eq!(db.value("select count(*) from shop.items").await, "27");
    db.is_sound().await;
}

#[tokio::test]
async fn one_file_that_is_replaced() {
    let folder = Folder::new();
    let db = shop(&folder_source(&folder, ", on_replace => 'reload'"), DELETE).await;
    folder.write("items.ndjson", lines(1..=50));
    deleted(&db, "");
    folder.write("items.ndjson", lines(3..=40));
    assert_eq!(deleted(&db, "--batch-rows 10"), 12);
    // Replaced in the middle of the read: what the old one had is kept until the next.
    folder.write("items.ndjson", lines(5..=40));
    deleted(&db, "--batch-rows 10 --max-batches 1");
    folder.write("items.ndjson", lines(30..=39));
    assert_eq!(deleted(&db, ""), 18, "3, 4, 15 to 29 and 40");
    folder.write("items.ndjson", lines(31..=39));
    assert_eq!(deleted(&db, ""), 11);
    assert_eq!(ids(&db).await, "31 32 33 34 35 36 37 38 39");
    db.is_sound().await;
}

#[tokio::test]
async fn a_file_that_grows_is_no_complete_read() {
    let folder = Folder::new();
    let db = shop(&folder_source(&folder, ", on_replace => 'reload'"), DELETE).await;
    folder.write("items.ndjson", lines(1..=5));
    deleted(&db, "");
    folder.append("items.ndjson", lines([6]));
    let note = noted(&db, "");
    assert!(
        note.contains("of ") && note.contains("items.ndjson only what was added to it was read"),
        "{note}"
    );
    assert_eq!(ids(&db).await, "1 2 3 4 5 6");
    folder.write("items.ndjson", lines([1, 7]));
    assert_eq!(deleted(&db, ""), 5);
}

#[tokio::test]
async fn a_file_that_ends_inside_a_record_is_waited_for() {
    let folder = Folder::new();
    let db = shop(&folder_source(&folder, ", settle_seconds => 0"), DELETE).await;
    folder.write("1.ndjson", lines(1..=5));
    deleted(&db, "");
    folder.write("2.ndjson", lines([1]) + "{\"id\": ");
    for _ in 0..2 {
        // With nothing to settle it has waited for too long at once.
        let note = run(&db, "").exits(5).stderr;
        assert!(note.contains("2.ndjson has not been read to its end"), "{note}");
    }
    folder.append("2.ndjson", "4}\n");
    assert_eq!(deleted(&db, ""), 3);
    assert_eq!(ids(&db).await, "1 4");
}

#[tokio::test]
async fn files_that_went_away_prove_nothing() {
    let folder = Folder::new();
    let db = shop(&folder_source(&folder, ""), DELETE).await;
    folder.write("1.ndjson", lines(1..=5));
    deleted(&db, "");
    folder.write("2.ndjson", lines([1]));
    folder.write("3.ndjson", lines([2]));
    deleted(&db, "--batch-rows 1 --max-batches 1");
    for file in ["1", "2", "3"] {
        std::fs::remove_file(folder.path(&format!("{file}.ndjson"))).unwrap();
    }
    let note = noted(&db, "");
    assert!(note.contains("holds no file to read"), "{note}");
    assert_eq!(ids(&db).await, "1 2 3 4 5");
    // Half of a file that never comes back.
    folder.write("4.ndjson", lines([1, 2, 3]));
    deleted(&db, "--batch-rows 2 --max-batches 1");
    std::fs::remove_file(folder.path("4.ndjson")).unwrap();
    folder.write("5.ndjson", lines([1]));
    let note = noted(&db, "");
    assert!(note.contains("4.ndjson has not been read to its end"), "{note}");
    let name = folder.name("4.ndjson");
    sluice(&db).args(["rewind", "items", "--object", &name]).run().exits(0);
    assert!(noted(&db, "").contains("a rewind in the middle of it"));
    folder.write("6.ndjson", lines([1]));
    assert_eq!(deleted(&db, ""), 4);
}

#[tokio::test]
async fn a_bad_record_keeps_all_rows_and_is_told() {
    let folder = Folder::new();
    let db = shop(&folder_source(&folder, ""), DELETE).await;
    folder.write("1.ndjson", lines(1..=5));
    deleted(&db, "");
    folder.write("2.ndjson", lines([1]) + "{\"id\": \"five\"}\n");
    let note = noted(&db, "");
    assert!(
        note.contains("note: no missing row was looked for, as nothing can be concluded from this read: records of it in quarantine: 1"),
        "{note}"
    );
    assert_eq!(ids(&db).await, "1 2 3 4 5");
}

#[tokio::test]
async fn too_many_missing_rows_fail_the_run_and_are_accepted_once() {
    let folder = Folder::new();
    let db = shop(
        &folder_source(&folder, ""),
        "missing => 'mark', mark_column => 'gone', max_delete_ratio => 0.2",
    )
    .await;
    folder.write("1.ndjson", lines(1..=5));
    deleted(&db, "");
    folder.write("2.ndjson", lines([1, 2, 8]));

    let dry = run(&db, "--dry-run").exits(1);
    assert!(dry.stdout.contains("would update id=3: gone false → true\n"), "{dry:?}");
    assert_eq!(dry.summary().count("updated"), 3, "what it refuses is shown");
    assert!(dry.stderr.contains("3 of its 5 rows"), "{dry:?}");
    assert_eq!(ids(&db).await, "1 2 3 4 5");

    let done = run(&db, "").exits(1);
    assert_eq!(done.summary().outcome, "failed");
    assert_eq!(done.summary().count("inserted"), 1, "what was read stays");
    assert!(
        done.stderr.contains(
            "error: pipeline \"items\": 3 of its 5 rows in shop.items are not in the source any more: 60.0% (limit 20%)"
        ) && done.stderr.contains("next:  check that the source was complete"),
        "{done:?}"
    );
    assert_eq!(
        db.rows("select outcome, error ~ '3 of its 5 rows' from sluice.runs order by run_id desc limit 1")
            .await,
        ["failed|t"]
    );
    let done = run(&db, "--max-delete-ratio 1").exits(0);
    assert_eq!(
        (done.summary().count("extracted"), done.summary().count("updated")),
        (0, 3),
        "the read need not be repeated"
    );
    assert_eq!(
        db.value("select string_agg(id::text, ' ' order by id) from shop.items where gone").await,
        "3 4 5"
    );
    db.is_sound().await;
}

#[tokio::test]
async fn a_dry_run_shows_what_would_go_and_leaves_it() {
    let folder = Folder::new();
    let db = shop(&folder_source(&folder, ""), DELETE).await;
    folder.write("1.ndjson", lines(1..=5));
    deleted(&db, "");
    folder.write("2.ndjson", lines([1, 2]));
    assert_eq!(deleted(&db, "--dry-run"), 3);
    assert_eq!(ids(&db).await, "1 2 3 4 5");
    assert_eq!(deleted(&db, ""), 3);
}

#[tokio::test]
async fn standard_input_is_read_whole_by_every_run() {
    let db = shop("sluice.file_source(path => '-')", DELETE).await;
    let feed = |input: String| {
        let done = sluice(&db)
            .args(["run", "items", "--batch-rows", "2"])
            .run_with_input(input.as_bytes());
        done.exits(0).summary().count("deleted")
    };
    assert_eq!(feed(lines(1..=5)), 0);
    assert_eq!(feed(lines([1, 2, 3])), 2);
    assert_eq!(feed(String::new()), 0);
    // The rest of what a run left unread is lost, and the next run begins anew.
    sluice(&db)
        .args(["run", "items", "--batch-rows", "1", "--max-batches", "2"])
        .run_with_input(lines([1, 2, 3]).as_bytes())
        .exits(0);
    assert_eq!(feed(lines([3])), 2);
    assert_eq!(ids(&db).await, "3");
}

#[tokio::test]
async fn another_path_is_not_the_source() {
    let folder = Folder::new();
    let db = shop(&folder_source(&folder, ""), DELETE).await;
    folder.write("1.ndjson", lines(1..=5));
    deleted(&db, "");
    let elsewhere = Folder::new();
    elsewhere.write("fix.ndjson", lines([9]));
    let path = elsewhere.name("fix.ndjson");
    assert_eq!(deleted(&db, &format!("--path {path}")), 0);
    assert_eq!(deleted(&db, ""), 0);
    assert_eq!(ids(&db).await, "1 2 3 4 5 9");
    // A file of the source that was read by name is not read again with the others.
    folder.write("2a.ndjson", lines([1, 2]));
    folder.write("2b.ndjson", lines([3]));
    let path = folder.name("2a.ndjson");
    deleted(&db, &format!("--path {path}"));
    assert_eq!(deleted(&db, ""), 2);
    assert_eq!(ids(&db).await, "1 2 3 9");
    folder.write("3.ndjson", lines([1]));
    assert_eq!(deleted(&db, ""), 3);
}

/// An API whose records the test changes.
fn api(path: &str, count: usize) -> (Web, Arc<Mutex<Api>>, String) {
    let api = Arc::new(Mutex::new(Api::orders(count, 10)));
    let served = Arc::clone(&api);
    let web = Web::serve(move |request| served.lock().unwrap().answer(request));
    let source = api.lock().unwrap().source(&web.url, path);
    (web, api, format!("'{source}'"))
}

#[tokio::test]
async fn sweeps_of_an_api() {
    for path in ["/cursor", "/page", "/all"] {
        let (_web, api, source) = api(path, 35);
        let db = shop(&source, DELETE).await;
        assert_eq!(deleted(&db, "--batch-rows 7"), 0);
        let all = api.lock().unwrap().records.clone();
        api.lock().unwrap().records = all[5..].to_vec();
        assert_eq!(deleted(&db, "--batch-rows 7"), 5, "{path}");
        api.lock().unwrap().records = all[..30].to_vec();
        assert_eq!(deleted(&db, ""), 5, "{path}: every run is a sweep");
        // Broken off, and gone on with.
        api.lock().unwrap().records = all[..28].to_vec();
        assert_eq!(deleted(&db, "--batch-rows 7 --max-batches 2"), 0, "{path}");
        assert_eq!(deleted(&db, "--batch-rows 7"), 2, "{path}");
        api.lock().unwrap().records = vec![];
        assert_eq!(deleted(&db, ""), 0, "{path}: an empty API says nothing");
        assert_eq!(db.value("select count(*) from shop.items").await, "28");
        db.is_sound().await;
    }
}

#[tokio::test]
async fn a_sweep_that_fails_or_lacks_records_deletes_nothing() {
    let api = Api::orders(35, 10);
    let mood = Arc::new(Mutex::new("calm"));
    let served = Arc::clone(&mood);
    let web = Web::serve(move |request| {
        let page = request.param("page").unwrap_or("1").to_owned();
        let mut answer = api.answer(request);
        match *served.lock().unwrap() {
            "forbids" if page == "3" => Answer::status(403, "no"),
            "counts more" => {
                let body = String::from_utf8(answer.body).unwrap();
                answer.body = body
                    .replace("\"total\": 35", "\"total\": 36")
                    .replace("\"id\":3,", "\"id\":4,")
                    .into_bytes();
                answer
            }
            _ => answer,
        }
    });
    let source = format!(
        "sluice.http_source(url => '{}/page', records => '/data', paging => sluice.page_number_paging(param => 'page', total => '/total'))",
        web.url
    );
    let db = shop(&source, DELETE).await;
    deleted(&db, "");
    *mood.lock().unwrap() = "forbids";
    run(&db, "").exits(1);
    *mood.lock().unwrap() = "counts more";
    run(&db, "").exits(0);
    let note = noted(&db, "");
    assert!(note.contains("the source counts 36 records, and its pages held 35"), "{note}");
    assert_eq!(db.value("select count(*) from shop.items").await, "35");
    *mood.lock().unwrap() = "calm";
    db.execute("update shop.items set id = 99 where id = 3").await;
    assert_eq!(deleted(&db, ""), 1);
}

#[tokio::test]
async fn dumps_in_an_object_store() {
    let store = Store::private();
    let db = shop(
        &format!(
            "sluice.object_source(url => 's3://lake/in/', endpoint => '{}', allow_http => true)",
            store.endpoint()
        ),
        DELETE,
    )
    .await;
    store.put("in/1.ndjson", lines(1..=5));
    assert_eq!(deleted(&db, ""), 0);
    store.put("in/2a.ndjson", lines([1]));
    store.put("in/2b.ndjson", lines([4]));
    assert_eq!(deleted(&db, "--batch-rows 1 --max-batches 1"), 0);
    assert_eq!(deleted(&db, ""), 3);
    assert_eq!(ids(&db).await, "1 4");
    db.is_sound().await;
}

/// The row of an orphan is no missing row, once its parent is there.
#[tokio::test]
async fn orphans_that_find_their_parents_within_the_run_were_read() {
    let folder = Folder::new();
    let db = shop(&folder_source(&folder, ""), DELETE).await;
    db.execute(
        "alter table shop.items add parent bigint references shop.items;
         create function shop.items_v2(doc jsonb) returns table (id bigint, parent bigint) language sql stable as
           $$ select (doc->>'id')::bigint, (doc->>'parent')::bigint $$",
    )
    .await;
    db.execute(&format!(
        "select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
           key => '{{id}}', max_bad_ratio => 1, source => {}, {DELETE})",
        folder_source(&folder, "")
    ))
    .await;
    folder.write("1.ndjson", lines(1..=5));
    deleted(&db, "");
    folder.write("2.ndjson", lines(1..=3) + "{\"id\": 7, \"parent\": 8}\n" + &lines([8]));
    let done = run(&db, "--batch-rows 4").exits(0);
    assert_eq!(done.summary().count("quarantined"), 1);
    assert_eq!(done.summary().count("deleted"), 2, "{done:?}");
    assert_eq!(ids(&db).await, "1 2 3 7 8");
    db.is_sound().await;
}

#[tokio::test]
async fn what_was_skipped_is_not_missing() {
    let folder = Folder::new();
    let db = shop(&folder_source(&folder, ""), DELETE).await;
    folder.write("1.ndjson", lines(1..=5));
    deleted(&db, "");
    let skip = |file: &str| {
        let name = folder.name(file);
        sluice(&db)
            .args(["skip", "items", "--object", &name, "--reason", "damaged"])
            .run()
            .exits(0);
    };
    // A file that stops every run.
    let mut damaged = gzip(lines([1, 2]).as_bytes());
    let checksum = damaged.len() - 8;
    damaged[checksum] ^= 1;
    folder.write("2a.ndjson.gz", damaged);
    folder.write("2b.ndjson", lines([1]));
    run(&db, "").exits(1);
    skip("2a.ndjson.gz");
    let note = noted(&db, "");
    assert!(note.contains("nothing can be concluded"), "{note}");
    // One that is yet to come.
    skip("3a.ndjson");
    noted(&db, "");
    folder.write("3a.ndjson", lines([2]));
    folder.write("3b.ndjson", lines([1]));
    let note = noted(&db, "");
    assert!(note.contains("3a.ndjson was passed over"), "{note}");
    assert_eq!(ids(&db).await, "1 2 3 4 5");
    folder.write("4.ndjson", lines([1, 2]));
    assert_eq!(deleted(&db, ""), 3);
    db.is_sound().await;
}
