//! `sluice verify --source`: the rows of a source beside those of the target.

use super::support::{Shop, wait};
use crate::sources::file::support::Folder;
use crate::support::sluice::Done;
use crate::support::{Sluice, TestDb};
use serde_json::{Value, json};

/// A table of the source, and its copy with a transform that filters what is called "hidden".
const TABLES: &str = "create schema shop; create table shop.t (id int primary key, name text, amount text, at timestamptz default now());
    create table shop.copy (id int primary key, name text, amount numeric check (amount < 1000), at timestamptz);
    create function shop.copy_v1(doc jsonb) returns table (id int, name text, amount numeric, at timestamptz) language sql stable as $$
      select (doc->>'id')::int, doc->>'name', (doc->>'amount')::numeric, (doc->>'at')::timestamptz where doc->>'name' <> 'hidden' $$;";

const ROWS: &str = "insert into shop.t select i, 'n' || i, i, timestamptz '2026-01-01Z' + i * interval '1 h' from generate_series(1, 20) i;";

/// Source and target in one database, with the settings in `more`.
fn define(rows: &str, more: Value, policy: &str) -> Shop {
    let shop = Shop::of(wait(TestDb::new()), &format!("{TABLES} {rows}"));
    let mut settings = shop.settings(json!({"table": "shop.t"}));
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    define_copy(&shop.db, &settings, policy);
    run(&shop.db);
    shop
}

fn define_copy(db: &TestDb, settings: &Value, policy: &str) {
    wait(db.execute(&format!(
        "select sluice.define_pipeline(name => 'copy', version => 1, transform => 'shop.copy_v1', target => 'shop.copy', key => '{{id}}', max_bad_ratio => 1, source => '{settings}'{policy})"
    )));
}

fn run(db: &TestDb) {
    Sluice::on(db).args(["run", "copy"]).run().exits(0);
}

/// What a comparison found.
struct Found {
    /// Kind and key, as JSON.
    differences: Vec<String>,
    source_rows: String,
    target_rows: String,
    code: i32,
}

fn compare(db: &TestDb, more: &[&str]) -> Found {
    let done = Sluice::on(db).args(["verify", "copy", "--source", "--json"]).args(more).run();
    found(&done)
}

#[track_caller]
fn found(done: &Done) -> Found {
    let report: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
    let detail = |name: &str| {
        let checks = report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["check"] == name).unwrap();
        check["detail"].as_str().unwrap().to_owned()
    };
    let differences = report["differences"].as_array().unwrap().iter();
    Found {
        differences: differences
            .map(|d| format!("{} {}", d["what"].as_str().unwrap(), d["key"]))
            .collect(),
        source_rows: detail("source rows"),
        target_rows: detail("target rows"),
        code: done.code.unwrap(),
    }
}

#[test]
fn each_kind_of_difference_is_named_and_told_from_what_is_none() {
    let shop = define(ROWS, json!({"cursor": "at"}), ", order_by => 'at'");
    let same = compare(&shop.db, &[]);
    assert_eq!((same.code, same.differences.len()), (0, 0));
    assert_eq!(same.source_rows, "records: 20, all are here");
    assert_eq!(same.target_rows, "rows: 20, all are in the source");
    shop.execute(
        "update shop.copy set name = 'edited' where id = 3;
         update shop.copy set name = 'touched', at = '2027-01-01Z' where id = 4;
         delete from shop.copy where id = 5;
         update shop.t set name = 'changed without a newer cursor' where id = 6;
         update shop.t set at = at - interval '1 s' where id = 7;
         delete from shop.t where id = 8;
         update shop.t set amount = 'bad, and never seen' where id = 9;
         update shop.t set name = 'hidden' where id = 10;
         insert into shop.t values (21, 'new', 1, '2026-02-01Z'), (22, 'new and bad', '5000', '2026-02-02Z')",
    );
    let found = compare(&shop.db, &[]);
    assert_eq!(
        found.differences,
        [
            r#"different {"id":6}"#,
            r#"edited here {"id":3}"#,
            r#"edited here {"id":4}"#,
            r#"missing here {"id":5}"#,
            r#"newer here {"id":7}"#,
            "not in quarantine null",
            r#"not in the source {"id":8}"#,
            r#"not in the source {"id":9}"#,
            r#"not in the source {"id":10}"#,
        ]
    );
    assert_eq!(
        found.source_rows,
        "6 of 21 records are not here as the source has them: different 1, edited here 2, missing here 1, newer here 1, not in quarantine 1; 2 the next run reads; 1 filtered"
    );
    assert_eq!(
        found.target_rows,
        "3 of 19 rows are not in the source any more, or are filtered now; or they are those of records that cannot be transformed now: 1"
    );
    assert_eq!(found.code, 1);

    let before = wait(shop.db.value("select cursor from sluice.etl_state"));
    let repaired = compare(&shop.db, &["--repair"]);
    assert_eq!(
        repaired.differences,
        [
            r#"newer here {"id":7}"#,
            r#"not in the source {"id":8}"#,
            r#"not in the source {"id":9}"#,
            r#"not in the source {"id":10}"#,
        ]
    );
    assert_eq!(wait(shop.db.value("select cursor from sluice.etl_state")), before);
    assert_eq!(
        wait(
            shop.db.rows(
                "select id || name from shop.copy where id in (3, 4, 5, 6, 9, 21) order by id"
            )
        ),
        ["3n3", "4n4", "5n5", "6changed without a newer cursor", "9n9"]
    );
    assert_eq!(wait(shop.db.value("select count(*) from sluice.quarantine_open")), "1");
    assert_eq!(
        wait(shop.db.rows("select * from sluice.verify(deep => true) where is_ok = false and check_name <> 'row count'")),
        Vec::<String>::new()
    );
    let again = compare(&shop.db, &["--repair"]);
    assert_eq!(again.differences, repaired.differences);
    assert_eq!(
        wait(shop.db.value("select count(*) from sluice.runs")),
        "2",
        "nothing is left that a run could bring"
    );
}

#[test]
fn the_report_for_people_names_so_many_rows_as_are_wanted() {
    let shop = define(ROWS, json!({}), "");
    shop.execute("delete from shop.copy where id > 5");
    let done = Sluice::on(&shop.db)
        .args(["verify", "copy", "--source", "--differences", "2"])
        .run()
        .exits(1);
    assert!(
        done.stdout.contains(
            "NOT OK  copy  source rows         15 of 20 records are not here as the source has them: missing here 15\n"
        ) && done.stdout.contains("\n  missing here  {\"id\": 6}\n  missing here  {\"id\": 7}\nNOT OK"),
        "{done:?}"
    );
    let done = Sluice::on(&shop.db).args(["verify", "copy", "--source", "--repair"]).run().exits(0);
    assert!(
        done.stdout.contains("records: 20, all are here; 15 repaired")
            && done.stdout.contains("\n  repair: copy ok extracted=15 "),
        "{done:?}"
    );
}

#[test]
fn keys_of_any_order_and_type_are_found_again() {
    let shop = Shop::of(
        wait(TestDb::new()),
        r#"create schema shop; create table shop.t (code text collate "en-x-icu", part numeric, day date, name text, primary key (code, part, day));
           create table shop.copy (code text, part numeric, day date, name text, primary key (code, part, day));
           insert into shop.t select c, p, d, c || p from unnest('{a,B,ä,Z,"a b","a-b","","x\"y",😀,é}'::text[]) c, unnest('{1,1.5,-3,NaN,1e30}'::numeric[]) p, unnest('{2026-01-01,0044-03-15 BC}'::date[]) d;
           create function shop.copy_v1(doc jsonb) returns table (code text, part numeric, day date, name text) language sql stable as $$ select * from jsonb_to_record(doc) r (code text, part numeric, day date, name text) $$"#,
    );
    let settings = shop.settings(json!({"table": "shop.t"}));
    wait(shop.db.execute(&format!(
        "select sluice.define_pipeline(name => 'copy', version => 1, transform => 'shop.copy_v1', target => 'shop.copy', key => '{{code,part,day}}', source => $s${settings}$s$)"
    )));
    run(&shop.db);
    let same = compare(&shop.db, &[]);
    assert_eq!(same.differences, Vec::<String>::new());
    shop.execute("update shop.copy set name = 'edited' where code in ('a', 'ä', '😀', 'x\"y', ''); delete from shop.copy where code in ('B', 'a-b')");
    let found = compare(&shop.db, &["--differences", "1000"]);
    assert_eq!(found.differences.len(), 70, "{}", found.source_rows);
    let repaired = compare(&shop.db, &["--repair"]);
    assert_eq!((repaired.differences.len(), repaired.code), (0, 0));
}

/// An application takes the time and writes it an hour later, in a transaction of its own: no mark can help.
#[test]
fn a_row_that_was_committed_below_the_mark_is_missing_and_one_that_is_waited_for_is_due() {
    let shop = define(ROWS, json!({"cursor": "at"}), "");
    shop.execute("insert into shop.t values (30, 'late', 1, '2026-01-01Z')");
    let late = shop.session();
    late.execute("begin; insert into shop.t values (31, 'in flight', 1, '2026-01-02Z')");
    shop.execute("insert into shop.t values (32, 'later', 1, '2026-01-03Z')");
    run(&shop.db);
    late.execute("commit");
    let found = compare(&shop.db, &[]);
    assert_eq!(found.differences, [r#"missing here {"id":30}"#]);
    assert!(found.source_rows.ends_with("; 1 the next run reads"), "{}", found.source_rows);
    let repaired = compare(&shop.db, &["--repair"]);
    assert_eq!(repaired.code, 0);
    run(&shop.db);
    assert_eq!(compare(&shop.db, &[]).source_rows, "records: 23, all are here");
}

/// A transform that waits for whoever has the lock.
const WAITING: &str = "create function shop.wait() returns boolean language plpgsql stable as $$
      begin perform pg_advisory_xact_lock_shared(4711); return true; end $$;
    create or replace function shop.copy_v1(doc jsonb) returns table (id int, name text, amount numeric, at timestamptz) language sql stable as $$
      select (doc->>'id')::int, doc->>'name', (doc->>'amount')::numeric, (doc->>'at')::timestamptz where shop.wait() $$;";

const TRANSFORMS: &str = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%transform_batch%')";

#[test]
fn what_changes_on_both_sides_while_it_is_compared_is_no_difference() {
    let shop = define(&format!("{ROWS} {WAITING}"), json!({}), "");
    let trap = shop.session();
    trap.execute("begin; select pg_advisory_xact_lock(4711)");
    let comparing = Sluice::on(&shop.db).args(["verify", "copy", "--source", "--json"]).spawn();
    wait(shop.db.wait_until(TRANSFORMS));
    // The source has been read; its rows are compared when the lock is given back.
    shop.execute(
        "update shop.t set name = 'loaded' where id = 5; update shop.copy set name = 'loaded' where id = 5;
         update shop.t set name = 'once more' where id = 6; update shop.copy set name = 'loaded' where id = 6;
         delete from shop.t where id = 7; delete from shop.copy where id = 7",
    );
    trap.execute("commit");
    let found = found(&Done::of(comparing.wait_with_output().unwrap()));
    assert_eq!(found.differences, Vec::<String>::new());
    assert_eq!(found.code, 0);
    assert_eq!(found.source_rows, "records: 20, all are here; 1 changed meanwhile");
}

#[test]
fn a_repair_that_is_killed_is_made_again() {
    let shop = define(ROWS, json!({"cursor": "at"}), "");
    shop.execute(
        "delete from shop.copy where id > 10; update shop.copy set name = 'edited' where id = 3",
    );
    let rival = shop.session();
    rival.execute("begin; lock table shop.copy in share mode");
    let mut repair = Sluice::on(&shop.db).args(["verify", "copy", "--source", "--repair"]).spawn();
    let loads = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%load_batch%')";
    wait(shop.db.wait_until(loads));
    repair.kill().unwrap();
    repair.wait().unwrap();
    rival.execute("commit");
    let found = compare(&shop.db, &[]);
    assert_eq!(found.differences.len(), 10, "the newest is due, and nothing of it was committed");
    let repaired = compare(&shop.db, &["--repair"]);
    assert_eq!((repaired.differences.len(), repaired.code), (0, 0));
    assert_eq!(
        wait(
            shop.db
                .rows("select * from sluice.verify(deep => true) where is_ok = false and check_name <> 'row count'")
        ),
        Vec::<String>::new()
    );
}

#[test]
fn a_record_that_only_the_merge_refuses_is_in_quarantine_and_no_difference() {
    let shop = define(
        &format!(
            "{ROWS} create unique index on shop.copy (name); update shop.t set name = 'n1' where id = 2;"
        ),
        json!({}),
        "",
    );
    let found = compare(&shop.db, &[]);
    assert_eq!(found.differences, Vec::<String>::new());
    assert_eq!(found.source_rows, "records: 20, all are here; 1 in quarantine");
}

#[test]
fn rows_that_somebody_accepted_or_that_are_marked_as_missing_are_no_difference() {
    let shop = define(
        &format!("{ROWS} alter table shop.copy add gone boolean;"),
        json!({}),
        ", missing => 'mark', mark_column => 'gone', max_delete_ratio => 1",
    );
    shop.execute("delete from shop.t where id = 5");
    run(&shop.db);
    shop.execute(
        "update shop.copy set name = 'by hand' where id = 6;
         select sluice.reconcile('copy', accept => '{edited}', reason => 'the shop said so')",
    );
    let found = compare(&shop.db, &["--repair"]);
    assert_eq!(found.differences, Vec::<String>::new(), "{}", found.source_rows);
}

#[test]
fn several_records_of_one_row_need_not_all_be_there() {
    let shop = Shop::of(
        wait(TestDb::new()),
        "create schema shop; create table shop.t (id int primary key, person int, city text);
         create table shop.copy (person int primary key, city text);
         insert into shop.t select i, i % 10, 'c' || i from generate_series(1, 100) i;
         create function shop.copy_v1(doc jsonb) returns table (person int, city text) language sql stable as $$ select (doc->>'person')::int, doc->>'city' $$",
    );
    let settings = shop.settings(json!({"table": "shop.t"}));
    wait(shop.db.execute(&format!(
        "select sluice.define_pipeline(name => 'copy', version => 1, transform => 'shop.copy_v1', target => 'shop.copy', key => '{{person}}', source => '{settings}')"
    )));
    run(&shop.db);
    assert_eq!(compare(&shop.db, &["--repair"]).differences, Vec::<String>::new());
    shop.execute("update shop.copy set city = 'elsewhere' where person = 3");
    let found = compare(&shop.db, &["--repair"]);
    assert_eq!(found.code, 0, "{}", found.source_rows);
}

#[test]
fn transforms_that_take_a_row_are_compared_as_those_that_take_a_document() {
    let shop = Shop::of(
        wait(TestDb::new()),
        &format!("{TABLES} {ROWS} create type shop.t_in as (id int, name text, amount text, at timestamptz);
         drop function shop.copy_v1;
         create function shop.copy_v1(r shop.t_in) returns table (id int, name text, amount numeric, at timestamptz) language sql stable as $$ select r.id, r.name, r.amount::numeric, r.at $$"),
    );
    let settings = shop.settings(json!({"table": "shop.t"}));
    shop.execute("insert into shop.t values (40, 'bad', 'x', now())");
    define_copy(&shop.db, &settings, "");
    run(&shop.db);
    assert_eq!(compare(&shop.db, &[]).source_rows, "records: 21, all are here; 1 in quarantine");
    shop.execute(
        "update shop.copy set amount = 0 where id = 3; update shop.t set amount = 'y' where id = 4",
    );
    let found = compare(&shop.db, &["--repair"]);
    assert_eq!(found.differences, [r#"not in the source {"id":4}"#]);
    assert_eq!(found.code, 6, "its record is in quarantine, and nobody knows whose it is");
    assert_eq!(wait(shop.db.value("select count(*) from sluice.quarantine_open")), "2");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let shop = Shop::of(wait(TestDb::new()), &format!("{TABLES} {ROWS}"));
    let refused = |needle: &str| {
        let done = Sluice::on(&shop.db).args(["verify", "copy", "--source"]).run().exits(2);
        assert!(done.stderr.contains(needle), "{done:?}");
    };
    let settings = shop.settings(json!({"table": "shop.t", "cursor": "at"}));
    define_copy(&shop.db, &settings, "");
    refused("has not read its source to its end once");
    Sluice::on(&shop.db)
        .args(["run", "copy", "--batch-rows", "5", "--max-batches", "1"])
        .run()
        .exits(0);
    refused("next:  sluice run copy, then compare");
    let folder = Folder::new();
    define_copy(&shop.db, &json!({"kind": "file", "path": folder.name("*.csv")}), "");
    refused("reads a source of the kind file, and only those of databases can be compared");
    let done = Sluice::on(&shop.db).args(["verify", "--source"]).run().exits(2);
    assert!(done.stderr.contains("<PIPELINE>"), "{done:?}");
}

/// Neither side is held in memory, and what differs is looked at in parts.
#[test]
fn memory_does_not_grow_with_the_rows_nor_with_the_differences() {
    let shop = define(
        "insert into shop.t select i, repeat('n', 300) || i, 1, '2026-01-01Z' from generate_series(1, 100000) i;",
        json!({}),
        "",
    );
    shop.execute("delete from shop.copy where id > 75000; update shop.copy set name = 'edited' where id % 1000 = 0");
    let mut comparing =
        Sluice::on(&shop.db).args(["verify", "copy", "--source", "--json", "--repair"]).spawn();
    let status = format!("/proc/{}/status", comparing.id());
    let mut peak: u64 = 0;
    while comparing.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("RssAnon"));
        let now = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        peak = now.unwrap_or(peak).max(peak);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let found = found(&Done::of(comparing.wait_with_output().unwrap()));
    assert_eq!(found.source_rows, "records: 100000, all are here; 25075 repaired");
    println!("peak {peak} KiB");
    // Of 40 MB of records, and of 25,075 of them that differ.
    assert!((5 * 1024..96 * 1024).contains(&peak), "{peak} KiB");
}

/// MariaDB and SQLite, with keys that their own order would put elsewhere.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
pub(super) fn finds_and_repairs(settings: &Value, change: impl Fn(&str), mixed_key: &str) {
    let db = wait(TestDb::new());
    wait(db.execute(
        "create schema shop; create table shop.copy (id text primary key, name text, at text);
         create function shop.copy_v1(doc jsonb) returns table (id text, name text, at text) language sql stable as $$ select doc->>'id', doc->>'name', doc->>'at' $$",
    ));
    define_copy(&db, settings, "");
    run(&db);
    assert_eq!(compare(&db, &[]).differences, Vec::<String>::new());
    change(&format!("update t set name = 'changed' where id = {mixed_key}"));
    change("delete from t where id = 'b'");
    change("insert into t values ('new', 'due', '2027-01-01 00:00:00')");
    wait(db.execute(
        "delete from shop.copy where id = 'a'; update shop.copy set name = 'edited' where id = 'B'",
    ));
    let found = compare(&db, &[]);
    assert_eq!(found.differences.len(), 4, "{:?} {}", found.differences, found.source_rows);
    assert!(found.source_rows.ends_with("; 1 the next run reads"), "{}", found.source_rows);
    let repaired = compare(&db, &["--repair"]);
    assert_eq!(repaired.differences, [r#"not in the source {"id":"b"}"#]);
    let names = "select string_agg(name, ' ' order by id collate \"C\") from shop.copy where id in ('a', 'B')";
    assert_eq!(wait(db.value(names)), "Bee ay");
}

/// Whoever verifies runs the transform with his own rights, a superuser, say.
#[test]
fn what_a_transform_writes_is_refused_while_its_rows_are_compared() {
    let shop = define(ROWS, json!({}), "");
    shop.execute(
        "create table shop.spoils (id int);
         create function shop.spoil(id int) returns int language plpgsql as $$ begin insert into shop.spoils values (id); return id; end $$;
         create function shop.copy_v2(doc jsonb) returns table (id int, name text) language sql stable as $$
           select shop.spoil((doc->>'id')::int), doc->>'name' $$",
    );
    let settings = shop.settings(json!({"table": "shop.t"}));
    shop.execute(&format!(
        "select sluice.define_pipeline(name => 'copy', version => 2, transform => 'shop.copy_v2', target => 'shop.copy', key => '{{id}}', source => '{settings}')"
    ));
    let refused = Sluice::on(&shop.db).args(["verify", "copy", "--source"]).run().exits(1);
    assert!(
        refused.stderr.contains("25006 cannot execute INSERT in a read-only transaction"),
        "{refused:?}"
    );
    assert_eq!(wait(shop.db.value("select count(*) from shop.spoils")), "0");
    // Where rows are loaded it may.
    Sluice::on(&shop.db).args(["rewind", "copy", "--to-start"]).run().exits(0);
    run(&shop.db);
    assert_eq!(wait(shop.db.value("select count(*) from shop.spoils")), "20");
}
