//! The load that faults are tested with, what an undisturbed run makes of it, and the check
//! that a disturbed one comes to the same.
//!
//! A trigger writes every change of the target to a log without a key: a record that is
//! applied twice shows there, however well MERGE hides it in the target.

use super::server::shared;
use super::{Sluice, TestDb, db, loader};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use tokio::sync::{Mutex, OnceCell};

/// Records in a batch, in all tests with this load.
pub const BATCH: usize = 50;
/// Arguments of a run with one connection, which makes the order of messages repeatable.
pub const ONE_WORKER: &str = "orders --batch-rows 50 --workers 1";
/// Arguments of a run that stages batches side by side.
pub const TWO_WORKERS: &str = "orders --batch-rows 50 --workers 2";

const DEFINITION: &str = r#"
create schema shop;
create table shop.orders (
  order_id bigint primary key, amount numeric(12,2) not null check (amount >= 0),
  status text not null, updated_at timestamptz not null);
create table shop.orders_log (op text, order_id bigint, amount numeric, status text, updated_at timestamptz);
create function shop.log_order() returns trigger language plpgsql as $$
begin
  insert into shop.orders_log values (tg_op, coalesce(new.order_id, old.order_id), new.amount, new.status, new.updated_at);
  return null;
end $$;
create trigger orders_log after insert or update or delete on shop.orders
  for each row execute function shop.log_order();
create function shop.orders_v1(doc jsonb)
returns table (order_id bigint, amount numeric, status text, updated_at timestamptz, sluice_deleted boolean)
language plpgsql stable as $$
begin
  -- Where a test holds the gate, the batch waits.
  perform pg_advisory_xact_lock_shared(77, (doc->>'gate')::integer) where doc ? 'gate';
  return query select (doc->>'id')::bigint, (doc->>'amount')::numeric, doc->>'status',
    (doc->>'at')::timestamptz, coalesce((doc->>'gone')::boolean, false)
  where not doc ? 'skip';
end $$;
select sluice.define_pipeline(name => 'orders', version => 1, transform => 'shop.orders_v1',
  target => 'shop.orders', key => '{order_id}', order_by => 'updated_at', max_bad_ratio => 0.5,
  source => sluice.file_source('SOURCE'));
"#;

/// Files of a number of records, and what an undisturbed run makes of them.
pub struct Workload {
    pub records: usize,
    folder: PathBuf,
    calm: OnceCell<Vec<String>>,
}

impl Workload {
    /// The load of `batches` batches; the same one whenever it is asked for.
    pub async fn of(batches: usize) -> &'static Workload {
        static LOADS: Mutex<Option<HashMap<usize, &'static Workload>>> = Mutex::const_new(None);
        let mut loads = LOADS.lock().await;
        let load = *(loads.get_or_insert_default())
            .entry(batches)
            .or_insert_with(|| Box::leak(Box::new(Self::write(batches))));
        drop(loads);
        load.calm
            .get_or_init(|| async {
                let db = load.database().await;
                loader::run(&db, ONE_WORKER).exits(0);
                outcome(&db).await
            })
            .await;
        load
    }

    fn write(batches: usize) -> Self {
        // Beside the server's cluster, with which it is removed.
        let folder = shared().home.join(format!("{batches} batches"));
        std::fs::create_dir_all(&folder).unwrap();
        let records = batches * BATCH;
        let records: Vec<Vec<u8>> = (0..records).map(record).collect();
        // A batch spans the two files.
        let (first, second) = records.split_at(records.len() / 2 + 7);
        for (name, part) in [("a.ndjson", first), ("b.ndjson", second)] {
            std::fs::write(folder.join(name), part.concat()).unwrap();
        }
        Workload { records: records.len(), folder, calm: OnceCell::new() }
    }

    pub fn batches(&self) -> usize {
        self.records / BATCH
    }

    /// A database with the pipeline defined and nothing loaded.
    pub async fn database(&self) -> TestDb {
        let db = TestDb::new().await;
        self.define(&db).await;
        db
    }

    pub async fn define(&self, db: &TestDb) {
        let source = self.folder.to_str().unwrap();
        db.execute(&DEFINITION.replace("SOURCE", source)).await;
    }

    /// Insists that what a disturbed load left is what an undisturbed one leaves.
    #[track_caller]
    pub fn check(&self, db: &TestDb, about: &str) -> impl Future<Output = ()> {
        let check = self.check_data(db, about);
        let about = about.to_owned();
        async move {
            check.await;
            let extracted = db.value("select sum(extracted) from sluice.batches").await;
            assert_eq!(extracted, self.records.to_string(), "{about}");
            let wrong = "select * from sluice.verify('orders') where not is_ok";
            assert_eq!(db.rows(wrong).await, Vec::<String>::new(), "{about}");
            wait_until_no_loader(db).await;
        }
    }

    /// [`Workload::check`] while loaders may still be there.
    #[track_caller]
    pub fn check_data(&self, db: &TestDb, about: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        let about = format!("{about} ({caller})");
        async move {
            let calm = self.calm.get().unwrap();
            let found = outcome(db).await;
            if *calm != found {
                panic!("{about}\n{}", difference(calm, &found));
            }
        }
    }

    /// [`Workload::check`], with the command line's opinion.
    #[track_caller]
    pub fn check_thoroughly(&self, db: &TestDb) -> impl Future<Output = ()> {
        let check = self.check(db, "after the last run");
        async move {
            check.await;
            Sluice::on(db).args(["verify", "orders"]).run().exits(0);
            let done = loader::run(db, TWO_WORKERS).exits(0);
            assert_eq!(done.summary().count("extracted"), 0, "{}", done.stdout);
        }
    }
}

/// Waits until the sessions of all loaders, dead ones too, and their locks are gone.
pub async fn wait_until_no_loader(db: &TestDb) {
    db.wait_until(
        "select not exists (select from pg_stat_activity where datname = current_database() and application_name like 'sluice %'
           and application_name <> 'sluice test')
         and not exists (select from pg_locks l join pg_database d on d.oid = l.database
           where d.datname = current_database() and l.locktype = 'advisory' and l.classid <> 77)",
    )
    .await;
}

/// Back to nothing loaded, without the cost of another database.
pub async fn reset(db: &TestDb) {
    wait_until_no_loader(db).await;
    db.execute(
        "truncate shop.orders, shop.orders_log, sluice.batches, sluice.runs, sluice.quarantine, sluice.quarantine_events, sluice.replayed_keys, sluice.accepted_rows,
           sluice.source_objects, sluice.tombstones;
         update sluice.etl_state set epoch = 0, batch_seq = 0, cursor = null",
    )
    .await;
}

/// All that a load leaves behind, but for times and numbers drawn from sequences.
pub async fn outcome(db: &TestDb) -> Vec<String> {
    let session = db.connect().await;
    let mut lines = Vec::new();
    for (part, sql) in [
        ("target", "select order_id, amount, status, updated_at, sluice_hash from shop.orders order by order_id"),
        ("log", "select op, order_id, amount, status, updated_at from shop.orders_log order by 1, 2, 3, 4, 5"),
        ("quarantine", "select payload, sqlstate, message, origin, position, status, seen_count from sluice.quarantine order by payload"),
        ("tombstone", "select target, key, order_value from sluice.tombstones order by key"),
        ("ledger", "select batch_seq, kind, version, cursor_before, cursor_after, objects, extracted, transformed, filtered,
            quarantined, produced, inserted, updated, deleted, unchanged, stale, superseded from sluice.batches order by batch_seq"),
        ("state", "select batch_seq, cursor from sluice.etl_state"),
        ("object", "select object, identity, position, is_done from sluice.source_objects order by object"),
        ("lineage", "select count(*) from shop.orders o where not exists (select from sluice.batches b where b.batch_id = o.sluice_batch)"),
    ] {
        let rows = db::rows(&session, sql).await;
        lines.extend(rows.into_iter().map(|row| format!("{part} {row}")));
    }
    lines
}

fn difference(calm: &[String], found: &[String]) -> String {
    let mut text = String::new();
    let count = |lines: &[String], line: &String| lines.iter().filter(|l| *l == line).count();
    for (word, lines, others) in [("missing", calm, found), ("unexpected", found, calm)] {
        let odd = (lines.iter()).filter(|line| count(lines, line) != count(others, line));
        for line in odd.take(8) {
            let _ = writeln!(text, "{word}: {line}");
        }
    }
    text
}

/// Record number `i`: mostly new keys; some newer, older, equal, deleted or bad ones. From the
/// second batch on, a batch updates key 1 and then key 2.
fn record(i: usize) -> Vec<u8> {
    let (batch, place) = (i / BATCH, i % BATCH);
    let at = |minutes: usize| format!("2026-01-{:02}T{:02}:00:00Z", 1 + minutes / 24, minutes % 24);
    let earlier = 10 + (i * 7) % i.max(11);
    let good = |id: usize, at: String, more: &str| {
        let amount = format!("{}.{:02}", i % 97, i % 100);
        format!(r#"{{"id":{id},"amount":"{amount}","status":"s{}","at":"{at}"{more}}}"#, i % 5)
    };
    let text = match place {
        5 => format!(r#"{{"id":{i},"amount":"12,50","status":"x","at":"2026-01-01"}}"#),
        6 => r#"{"id":-1,"amount":"-3","status":"always the same","at":"2026-01-01"}"#.to_owned(),
        7 => format!(r#"{{"id":{i},"amount":"1","at":"2026-01-01"}}"#),
        8 => format!(r#"{{"id":{i},"amo"#),
        9 => format!(r#"{{"id":{i},"amount":"1","status":"a\u0000b","at":"2026-01-01"}}"#),
        10 => good(i, at(i), &format!(r#","gate":{batch}"#)),
        11 => good(i, at(i), r#","skip":true"#),
        20 | 30 if batch > 0 => good(place / 10 - 1, at(300 + i), ""),
        _ if i < 12 => good(i, at(i), ""),
        _ if place % 7 == 4 => good(earlier, at(200 + i), ""),
        _ if place % 11 == 5 => good(earlier, "2025-12-01T00:00:00Z".to_owned(), ""),
        _ if place % 13 == 8 => good(earlier, at(250 + i), r#","gone":true"#),
        _ => good(i, at(i), ""),
    };
    let mut line = text.into_bytes();
    if place == 12 {
        line.splice(line.len() - 2..line.len() - 2, [0xff, 0xfe]);
    }
    line.push(b'\n');
    line
}
