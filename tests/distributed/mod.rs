//! Tables that Citus distributes over servers. `CITUS_URL` is a database of a coordinator with at least two workers,
//! whose schemas `sluice` and `spread` these tests replace; without it they do nothing and say so.

use crate::engine::support::problem;
use crate::support::sluice::Done;
use crate::support::{Sluice, TestDb};
use libpq_conninfo::{Environment, Settings};
use std::io::Write;
use std::ops::Deref;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// The coordinator, with the engine just installed: one test at a time has it.
struct Citus {
    db: TestDb,
    /// What pipelines read.
    folder: TempDir,
    _alone: MutexGuard<'static, ()>,
}

async fn citus() -> Option<Citus> {
    static ALONE: Mutex<()> = Mutex::const_new(());
    let Ok(url) = std::env::var("CITUS_URL") else {
        // Not by a macro, whose output the harness keeps to itself.
        let _ = writeln!(std::io::stderr(), "skipped: CITUS_URL names no coordinator of Citus");
        return None;
    };
    let alone = ALONE.lock().await;
    let settings = Settings::parse(&url, &Environment::of_process()).unwrap();
    let db = TestDb { name: settings.dbname.clone(), settings, url };
    db.execute(
        "drop schema if exists spread cascade; drop schema if exists sluice cascade; create schema spread",
    )
    .await;
    let migrated = Sluice::on(&db).args(["migrate"]).run().exits(0);
    assert!(!migrated.stderr.contains("metadata"), "{}", migrated.stderr);
    Some(Citus { db, folder: TempDir::new().unwrap(), _alone: alone })
}

impl Deref for Citus {
    type Target = TestDb;

    fn deref(&self) -> &TestDb {
        &self.db
    }
}

impl Citus {
    fn run(&self, args: &[&str]) -> Done {
        Sluice::on(self).args(args).run()
    }

    fn write(&self, name: &str, records: impl IntoIterator<Item = String>) {
        let mut file = std::fs::File::create(self.folder.path().join(name)).unwrap();
        for record in records {
            writeln!(file, "{record}").unwrap();
        }
    }
}

/// Pipeline `items` into a distributed table, from the NDJSON files of a folder.
async fn items(db: &Citus, more: &str) {
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
        db.folder.path().display()
    ))
    .await;
}

fn record(k: u32, v: &str, day: u32) -> String {
    format!(r#"{{"k": {k}, "v": "{v}", "n": {k}, "at": "2026-01-{day:02}"}}"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn distributed_table_is_loaded_by_the_rules_of_any_other() {
    let Some(db) = citus().await else { return };
    items(&db, "").await;

    db.write("1.ndjson", (1..=100).map(|k| record(k, "first", 10)));
    let first = db.run(&["run", "items"]).exits(0).summary();
    assert_eq!(first.count("inserted"), 100);

    let changed = (1..=100).map(|k| match k % 5 {
        0 => record(k, "newer", 11),
        1 => record(k, "older", 9),
        2 => format!(r#"{{"k": {k}, "v": "", "at": "2026-01-11", "gone": true}}"#),
        _ => record(k, "first", 10),
    });
    db.write("2.ndjson", changed.chain((101..=110).map(|k| record(k, "new", 10))));
    let second = db.run(&["run", "items"]).exits(0).summary();
    for (counter, count) in
        [("inserted", 10), ("updated", 20), ("deleted", 20), ("unchanged", 40), ("stale", 20)]
    {
        assert_eq!(second.count(counter), count, "{counter}");
    }
    // A deleted key stays deleted: what is older than its tombstone does not bring it back.
    db.write("3.ndjson", [record(2, "late", 10), record(7, "back", 12)]);
    let third = db.run(&["run", "items"]).exits(0).summary();
    assert_eq!((third.count("stale"), third.count("inserted")), (1, 1));

    let versions = "select count(*), count(distinct sluice_batch) from spread.items";
    let before = db.value(versions).await;
    db.run(&["rewind", "items", "--to-start"]).exits(0);
    let again = db.run(&["run", "items"]).exits(0).summary();
    assert_eq!((again.count("updated"), again.count("inserted")), (0, 0));
    assert_eq!(db.value(versions).await, before);
    // The check of tombstones is not made.
    db.run(&["verify", "items", "--deep"]).exits(6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_that_a_shard_refuses_are_found_and_replayed() {
    let Some(db) = citus().await else { return };
    items(&db, "").await;
    // Not valid: the engine does not look at it beforehand, so that the merge meets it.
    db.execute("alter table spread.items add constraint small check (n % 40 <> 7) not valid").await;
    db.write("1.ndjson", (1..=400).map(|k| record(k, "v", 10)));
    let run = db.run(&["run", "items", "--batch-rows", "150"]).exits(0).summary();
    assert_eq!((run.count("inserted"), run.count("quarantined")), (390, 10));
    let found = "select count(*), min(sqlstate), min(constraint_name) from sluice.quarantine";
    assert_eq!(db.value(found).await, "10|23514|small");

    db.execute("alter table spread.items drop constraint small").await;
    let replay = db.run(&["replay", "items"]).exits(0).summary();
    assert_eq!((replay.count("inserted"), replay.count("quarantined")), (10, 0));
    db.run(&["verify", "items", "--deep"]).exits(0);
}

/// Kills the loader after each batch, and cuts what the coordinator says to its workers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_loads_and_lost_workers_double_and_lose_nothing() {
    let Some(db) = citus().await else { return };
    items(&db, "").await;
    db.write("1.ndjson", (1..=2000).map(|k| record(k, "v", 10)));
    let args = ["run", "items", "--batch-rows", "100", "--workers", "2"];
    for batches in [1, 4, 8] {
        let mut loader = Sluice::on(&db).args(args).spawn();
        db.wait_until(&format!("select count(*) >= {batches} from sluice.batches")).await;
        loader.kill().unwrap();
        loader.wait().unwrap();
        let sums = "select (select count(*) from spread.items) = (select sum(inserted) from sluice.batches)";
        // What its server had begun may still be on the way.
        db.wait_until(sums).await;
    }
    let loader = Sluice::on(&db).args(args).spawn();
    db.wait_until("select count(*) >= 12 from sluice.batches").await;
    db.execute(
        "select run_command_on_workers($$select count(pg_terminate_backend(pid)) from pg_stat_activity
           where application_name like 'citus_internal%' and pid <> pg_backend_pid()$$)",
    )
    .await;
    let cut = Done::of(loader.wait_with_output().unwrap());
    assert!([Some(0), Some(1), Some(75)].contains(&cut.code), "{cut:?}");
    db.run(&args).exits(0);
    assert_eq!(db.value("select count(*), sum(k) from spread.items").await, "2000|2001000");
    assert_eq!(db.value("select sum(inserted), sum(updated) from sluice.batches").await, "2000|0");
    db.run(&["verify", "items", "--deep"]).exits(0);
}

/// Orders and their lines on the same shards, both checked against each other.
async fn orders(db: &Citus, more: &str) {
    db.execute(&format!(
        "set citus.multi_shard_modify_mode = 'sequential';
         create table spread.orders (id bigint primary key, at int not null);
         select create_distributed_table('spread.orders', 'id');
         create table spread.lines (id bigint references spread.orders, n int, sku text not null check (sku <> 'bad'),
           primary key (id, n));
         select create_distributed_table('spread.lines', 'id', colocate_with => 'spread.orders');
         create function spread.orders_v1(doc jsonb) returns table (id bigint, at int, sluice_deleted boolean)
         language sql stable as $$
           select (doc->>'id')::bigint, (doc->>'at')::int, (doc->>'gone')::boolean $$;
         create function spread.lines_v1(doc jsonb) returns table (id bigint, n int, sku text)
         language sql stable as $$
           select (doc->>'id')::bigint, n, sku
           from jsonb_array_elements_text(doc->'skus') with ordinality l (sku, n) where sku <> '-' $$;
         select sluice.define_pipeline(name => 'orders', version => 1, transform => 'spread.orders_v1',
           target => 'spread.orders', key => '{{id}}', order_by => 'at', max_bad_ratio => 1,
           also => array[sluice.also_target(transform => 'spread.lines_v1', target => 'spread.lines', key => '{{id,n}}',
             parent => '{{id}}', children => 'replace')],
           source => sluice.file_source(path => '{}/*.ndjson'){more})",
        db.folder.path().display()
    ))
    .await;
}

fn order(id: u32, at: u32, skus: &str) -> String {
    format!(r#"{{"id": {id}, "at": {at}, "skus": [{skus}]}}"#)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn distributed_orders_and_their_lines_are_loaded_whole() {
    let Some(db) = citus().await else { return };
    orders(&db, "").await;
    let lines = "select n, sku, count(*) from spread.lines group by 1, 2 order by 1, 2";

    let first = (1..=100).map(|id| order(id, 10, r#""a", "b""#));
    db.write("1.ndjson", first);
    let loaded = db.run(&["run", "orders"]).exits(0).summary();
    assert_eq!(loaded.count("inserted"), 300);
    assert_eq!(db.rows(lines).await, ["1|a|100", "2|b|100"]);

    // One line fewer, an older record, a bad line, an order that goes, and one that stays as it is.
    let second = (1..=100).map(|id| match id % 5 {
        0 => order(id, 11, r#""c""#),
        1 => order(id, 9, r#""old", "old", "old""#),
        2 => order(id, 11, r#""c", "bad""#),
        3 => format!(r#"{{"id": {id}, "at": 11, "gone": true, "skus": []}}"#),
        _ => order(id, 10, r#""a", "b""#),
    });
    db.write("2.ndjson", second);
    let changed = db.run(&["run", "orders", "--dry-run"]).exits(0);
    assert!(
        changed.stdout.contains("would delete spread.lines n=2 id=5: sku \"b\""),
        "{}",
        changed.stdout
    );
    let changed = db.run(&["run", "orders"]).exits(0).summary();
    for (counter, count) in [
        ("inserted", 0),
        ("updated", 40),
        ("deleted", 20 + 60),
        ("unchanged", 60),
        ("stale", 80),
        ("quarantined", 20),
    ] {
        assert_eq!(changed.count(counter), count, "{counter}");
    }
    assert_eq!(db.rows(lines).await, ["1|a|60", "1|c|20", "2|b|60"]);

    db.execute("alter table spread.lines drop constraint lines_sku_check").await;
    let replay = db.run(&["replay", "orders"]).exits(0).summary();
    assert_eq!((replay.count("quarantined"), replay.count("updated")), (0, 60));
    db.run(&["rewind", "orders", "--to-start"]).exits(0);
    let again = db.run(&["run", "orders"]).exits(0).summary();
    let written = ["inserted", "updated", "deleted"].map(|counter| again.count(counter));
    assert_eq!(written, [0, 0, 0]);
    db.run(&["verify", "orders", "--deep"]).exits(6);
}

/// Each worker loses a process by SIGKILL, and with it, as PostgreSQL does, all of its sessions and what was not
/// committed; it comes back by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_crash_under_orders_and_their_lines_double_and_lose_nothing() {
    let Some(db) = citus().await else { return };
    orders(&db, "").await;
    let all = (1..=2000).map(|id| order(id, 10, r#""a", "b""#));
    db.write("1.ndjson", all);
    let args = ["run", "orders", "--batch-rows", "100", "--workers", "2"];
    for batches in [2, 8] {
        let loader = Sluice::on(&db).args(args).spawn();
        db.wait_until(&format!("select count(*) >= {batches} from sluice.batches")).await;
        let crashed = db
            .value(
                "select count(*) filter (where not success)
                 from run_command_on_workers($$copy (select 1) to program 'kill -9 $PPID'$$)",
            )
            .await;
        assert_ne!(crashed, "0", "no worker crashed");
        let cut = Done::of(loader.wait_with_output().unwrap());
        assert!([Some(0), Some(75)].contains(&cut.code), "{cut:?}");
        // What was prepared when they crashed is decided, as Citus does by itself after a while.
        db.wait_until(
            "select bool_and(success) and count(*) = (select recover_prepared_transactions() * 0) + count(*)
             from run_command_on_workers('select 1')",
        )
        .await;
        let whole = "select (select count(*) from spread.orders) * 2 = (select count(*) from spread.lines)
            and (select count(*) from spread.orders) * 3 = (select sum(inserted) from sluice.batches)";
        db.wait_until(whole).await;
    }
    db.run(&args).exits(0);
    assert_eq!(
        db.value(
            "select (select count(*) from spread.orders), (select count(*) from spread.lines)"
        )
        .await,
        "2000|4000"
    );
    db.run(&["verify", "orders", "--deep"]).exits(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_distributed_table_and_its_children_are_compared_with_their_source() {
    let Some(db) = citus().await else { return };
    db.execute(
        "create table spread.docs (id bigint primary key, n bigint, skus text[]);
         insert into spread.docs select i, i, array['a', 'b'] from generate_series(1, 200) i;
         set citus.multi_shard_modify_mode = 'sequential';
         create table spread.orders (id bigint primary key, n bigint);
         select create_distributed_table('spread.orders', 'id');
         create table spread.lines (id bigint references spread.orders, no bigint, sku text, primary key (id, no));
         select create_distributed_table('spread.lines', 'id', colocate_with => 'spread.orders');
         create function spread.orders_v1(doc jsonb) returns table (id bigint, n bigint) language sql stable as $$
           select (doc->>'id')::bigint, (doc->>'n')::bigint $$;
         create function spread.lines_v1(doc jsonb) returns table (id bigint, no bigint, sku text) language sql stable as $$
           select (doc->>'id')::bigint, no, sku from jsonb_array_elements_text(doc->'skus') with ordinality l (sku, no) $$;
         select sluice.define_pipeline(name => 'orders', version => 1, transform => 'spread.orders_v1',
           target => 'spread.orders', key => '{id}',
           source => sluice.postgres_source(connection => sluice.connection(env => 'SPREAD'), \"table\" => 'spread.docs'),
           also => array[sluice.also_target(transform => 'spread.lines_v1', target => 'spread.lines', key => '{id,no}',
             parent => '{id}', children => 'replace')])",
    )
    .await;
    let run = |args: &[&str]| Sluice::on(&db).args(args).env("SPREAD", &db.url).run();
    run(&["run", "orders"]).exits(0);
    let compare = ["verify", "orders", "--source"];
    let same = run(&compare);
    assert!(same.stdout.contains("records: 200, all are here"), "{same:?}");
    assert!(same.stdout.contains("rows: 400, all are in the source"), "{same:?}");
    db.execute("update spread.orders set n = 0 where id = 7").await;
    db.execute("delete from spread.lines where id = 8 and no = 2").await;
    db.execute("delete from spread.docs where id = 9").await;
    let found = run(&compare).exits(1);
    for line in [
        "edited here       {\"id\": 7}",
        "missing here      spread.lines {\"id\": 8, \"no\": 2}",
        "not in the source  {\"id\": 9}",
    ] {
        let line: String = line.split_whitespace().collect();
        let told: String = found.stdout.split_whitespace().collect();
        assert!(told.contains(&line), "{line}: {}", found.stdout);
    }
    let repaired = run(&["verify", "orders", "--source", "--repair"]);
    assert!(repaired.stdout.contains("records: 199, all are here"), "{repaired:?}");
    let rows = "select o.n, l.sku from spread.orders o join spread.lines l using (id) where o.id in (7, 8) order by id, no";
    assert_eq!(db.rows(rows).await, ["7|a", "7|b", "8|a", "8|b"]);
}

/// Keys of text among it, and the lines of such orders.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_a_complete_read_misses_are_deleted_or_marked_on_their_servers() {
    let Some(db) = citus().await else { return };
    orders(&db, ", missing => 'delete', max_delete_ratio => 1").await;
    db.write("1.ndjson", (1..=50).map(|id| order(id, 1, r#""a", "b""#)));
    db.run(&["run", "orders"]).exits(0);
    db.write("2.ndjson", (11..=60).map(|id| order(id, 1, r#""a", "b""#)));
    std::fs::remove_file(db.folder.path().join("1.ndjson")).unwrap();
    db.run(&["rewind", "orders", "--to-start"]).exits(0);
    let missed = db.run(&["run", "orders"]).exits(0).summary();
    assert_eq!((missed.count("inserted"), missed.count("deleted")), (30, 30));
    let left = "select (select count(*) from spread.orders), (select count(*) from spread.lines), min((key->>'id')::int)
      from sluice.tombstones";
    assert_eq!(db.value(left).await, "50|100|1");

    db.execute(&format!(
        "set citus.multi_shard_modify_mode = 'sequential';
         create table spread.marked (k text, part int, gone_at timestamptz, primary key (part, k));
         select create_distributed_table('spread.marked', 'part');
         create function spread.marked_v1(doc jsonb) returns table (k text, part int) language sql stable as $$
           select 'ü' || (doc->>'id'), (doc->>'id')::int $$;
         select sluice.define_pipeline(name => 'marked', version => 1, transform => 'spread.marked_v1',
           target => 'spread.marked', key => '{{part,k}}', missing => 'mark', mark_column => 'gone_at',
           max_delete_ratio => 1, source => sluice.file_source(path => '{}/*.json'))",
        db.folder.path().display()
    ))
    .await;
    for (ids, [inserted, updated], marked) in
        [(1..=40, [40, 0], 0), (31..=50, [10, 30], 30), (1..=50, [0, 30], 0)]
    {
        db.write("m.json", ids.map(|id| format!(r#"{{"id": {id}}}"#)));
        db.run(&["rewind", "marked", "--to-start"]).exits(0);
        let done = db.run(&["run", "marked"]).exits(0).summary();
        assert_eq!(["inserted", "updated"].map(|c| done.count(c)), [inserted, updated]);
        assert_eq!(
            db.value("select count(*) from spread.marked where gone_at is not null").await,
            marked.to_string()
        );
    }
}

/// From a distributed table into another one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_distributed_table_are_delivered_into_another_once() {
    let Some(db) = citus().await else { return };
    db.execute(
        "create table spread.copy (k bigint primary key, v text not null check (v <> 'bad'), n int);
         select create_distributed_table('spread.copy', 'k')",
    )
    .await;
    items(
        &db,
        r#", deliver => sluice.postgres_delivery(connection => sluice.connection(env => 'COPY_DB'),
             "table" => 'spread.copy', columns => '{k,v,n}', parcel_rows => 30)"#,
    )
    .await;
    let run = |args: &[&str]| Sluice::on(&db).args(args).env("COPY_DB", &db.url).run();
    let both = "select (select sum(hashtext(concat(k, v, n))) from spread.items)
      = (select sum(hashtext(concat(k, v, n))) from spread.copy), (select count(*) from spread.copy)";
    db.write("1.ndjson", (1..=100).map(|k| record(k, "first", 10)));
    let done = run(&["run", "items", "--deliver"]).exits(0);
    assert_eq!(done.summary().count("sent"), 100, "{done:?}");
    assert_eq!(db.value(both).await, "t|100");

    let changed = (1..=40).map(|k| match k % 4 {
        0 => format!(r#"{{"k": {k}, "v": "", "at": "2026-01-11", "gone": true}}"#),
        1 => record(k, if k == 1 { "bad" } else { "newer" }, 11),
        _ => record(k, "first", 10),
    });
    db.write("2.ndjson", changed);
    let done = run(&["run", "items", "--deliver"]).exits(0).summary();
    assert_eq!((done.count("sent"), done.count("dead")), (19, 1));
    db.execute("update spread.items set v = 'first' where k = 1").await;
    assert_eq!(db.value(both).await, "t|90");
    let again = run(&["deliver", "items", "--all-rows"]).exits(0).summary();
    assert_eq!((again.count("sent"), again.count("superseded")), (90, 1));
}

/// By a column that is not the key here, and is not what the rows are distributed by.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_by_which_rows_are_found_elsewhere_are_handed_on_between_servers() {
    let Some(db) = citus().await else { return };
    db.execute("create table spread.by_v (v text primary key, k bigint)").await;
    items(
        &db,
        r#", deliver => sluice.postgres_delivery(connection => sluice.connection(env => 'COPY_DB'),
             "table" => 'spread.by_v', columns => '{k,v}', key => '{v}', parcel_rows => 1)"#,
    )
    .await;
    for (file, [one, two, three]) in [
        ("1.ndjson", [("a", 10), ("b", 10), ("c", 10)]),
        ("2.ndjson", [("b", 11), ("d", 11), ("c", 10)]),
        ("3.ndjson", [("c", 12), ("b", 12), ("e", 12)]),
    ] {
        let rows = [(1, one), (2, two), (3, three)];
        db.write(file, rows.map(|(k, (v, day))| record(k, v, day)));
        let run = Sluice::on(&db).args(["run", "items", "--deliver"]);
        run.env("COPY_DB", &db.url).run().exits(0);
        let there = db.rows("select k, v from spread.by_v order by k").await;
        assert_eq!(there, rows.map(|(k, (v, _))| format!("{k}|{v}")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_row_of_a_person_is_erased_on_the_server_that_has_it() {
    let Some(db) = citus().await else { return };
    items(&db, "").await;
    db.write("1.ndjson", (1..=10).map(|k| record(k, "a", 10)));
    db.run(&["run", "items"]).exits(0);
    let erased =
        "select erased from sluice.erase('items', '7', reason => 'request 17', rows => true)
      where place = 'rows of spread.items'";
    assert_eq!(db.value(erased).await, "1");
    let left = "select count(*), bool_or(k = 7) from spread.items";
    assert_eq!(db.value(left).await, "9|f");
    let broken =
        "select check_name from sluice.verify('items', deep => true) where is_ok is not true";
    assert_eq!(db.rows(broken).await, [""; 0]);
}

/// The contract for tabular records, into a table that refers to one which every server has. That one itself is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_transforms_load_what_refers_to_reference_tables_which_are_refused() {
    let Some(db) = citus().await else { return };
    for sql in [
        "create table spread.shops (id int primary key)",
        "select create_reference_table('spread.shops')",
        "create table spread.prices (shop int references spread.shops, sku text, price numeric, primary key (shop, sku))",
        "select create_distributed_table('spread.prices', 'shop')",
        "insert into spread.shops select generate_series(1, 20)",
        "create type spread.price_in as (shop int, sku text, price numeric)",
        "create function spread.shops_v1(r spread.price_in) returns table (id int) language sql stable as $$
           select r.shop $$",
        "create function spread.prices_v1(r spread.price_in) returns table (shop int, sku text, price numeric)
         language sql stable as $$ select r.shop, r.sku, r.price $$",
    ] {
        db.execute(sql).await;
    }
    let define = |name, key| {
        format!(
            "set citus.multi_shard_modify_mode = 'sequential';
             select sluice.define_pipeline(name => '{name}', version => 1, transform => 'spread.{name}_v1',
               target => 'spread.{name}', key => '{key}', max_bad_ratio => 1,
               source => sluice.file_source(path => '{}/*.csv'))",
            db.folder.path().display()
        )
    };
    problem(&db, &define("shops", "{id}")).await.refuses(
        "pipeline shops: target spread.shops is a reference table, of which every server has a copy",
        "select create_distributed_table('spread.shops', 'id')",
    );
    db.execute(&define("prices", "{shop,sku}")).await;
    for (number, price, written) in
        [(1, "1.50", [20, 0]), (2, "1.75", [0, 20]), (3, "1.75", [0, 0])]
    {
        let lines = (1..=21).map(|shop| format!("{shop},A,{price}"));
        db.write(
            &format!("{number}.csv"),
            std::iter::once("shop,sku,price".to_owned()).chain(lines),
        );
        let done = db.run(&["run", "prices"]).exits(0).summary();
        assert_eq!(["inserted", "updated"].map(|c| done.count(c)), written, "{number}");
        assert_eq!(done.count("quarantined"), 1, "its shop is not there");
    }
    db.run(&["verify", "prices", "--deep"]).exits(6);
}
