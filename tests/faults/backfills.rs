//! A backfill that is killed while the live pipeline goes on: resumed, it has loaded each record
//! once, and no newer row has become an older one.

use std::fmt::Write as _;
use std::fs;

use tempfile::TempDir;

use crate::support::loader::until_free;
use crate::support::wire::Message;
use crate::support::{Fault, Loader, Proxy, Sluice, TestDb};

/// A trigger logs every change: what is written twice shows there.
const SHOP: &str = "
  create schema shop;
  create table shop.items (id integer primary key, n integer not null, at integer not null);
  create table shop.log (op text, id integer, n integer);
  create function shop.log_item() returns trigger language plpgsql as
    $$ begin insert into shop.log values (tg_op, new.id, new.n); return null; end $$;
  create trigger log_item after insert or update on shop.items for each row execute function shop.log_item();
  create function shop.items_v1(doc jsonb) returns table (id integer, n integer, at integer) language sql stable as
    $$ select (doc->>'id')::integer, (doc->>'n')::integer, (doc->>'at')::integer $$;";

const PAST: u32 = 60;

/// Versions below 1000 are of the past. Every fifth record of it is newer by `at` than what is
/// live; each key comes twice.
fn past() -> String {
    let mut text = String::new();
    for round in 1..=2 {
        for id in 0..PAST / 2 {
            let at = if id.is_multiple_of(5) { 50 + round } else { round };
            let _ = writeln!(text, r#"{{"id": {id}, "n": {}, "at": {at}}}"#, round * 100 + id);
        }
    }
    text
}

fn live(ids: std::ops::Range<u32>) -> String {
    ids.map(|id| format!("{{\"id\": {id}, \"n\": {}, \"at\": 10}}\n", 1000 + id)).collect()
}

/// What the target holds in the end, whatever happened on the way.
fn expected(is_ordered: bool) -> Vec<String> {
    let version = |id: u32| match id {
        _ if is_ordered && id.is_multiple_of(5) => 200 + id,
        5..12 | 20..25 => 1000 + id,
        _ => 200 + id,
    };
    (0..PAST / 2).map(|id| format!("{id}|{}", version(id))).collect()
}

async fn shop(order: &str) -> (TempDir, TestDb) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("drop")).unwrap();
    fs::write(folder.path().join("drop/1.ndjson"), live(5..12)).unwrap();
    fs::write(folder.path().join("past.ndjson"), past()).unwrap();
    let db = TestDb::new().await;
    db.execute(&format!(
        "{SHOP} select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1',
           target => 'shop.items', key => '{{id}}', source => sluice.file_source('drop') {order})"
    ))
    .await;
    (folder, db)
}

const BACKFILL: &str = "backfill items --objects past.ndjson --batch-rows 13 --workers 1";

async fn kill_at(what: &str, fault: Fault, is_it: fn(&Message) -> bool) {
    for order in ["", ", order_by => 'at'"] {
        let about = format!("{what}{order}");
        let (folder, db) = shop(order).await;
        let run =
            |args: &str| Sluice::on(&db).current_dir(folder.path()).args(args.split(' ')).run();
        run("run items").exits(0);
        run(&format!("{BACKFILL} --max-batches 1")).exits(0);

        let proxy = Proxy::once(&db, fault, is_it);
        let command = Sluice::bare()
            .env("DATABASE_URL", proxy.url(&db))
            .current_dir(folder.path())
            .args(BACKFILL.split(' '));
        let done = Loader::hit(&proxy, command).wait();
        assert_eq!((done.code, proxy.fired()), (None, 1), "{about}: {done:?}");

        // The live pipeline does not care.
        fs::write(folder.path().join("drop/2.ndjson"), live(20..25)).unwrap();
        run("run items").exits(0);
        until_free(|| run(BACKFILL)).exits(0);

        let rows = db.rows("select id, n from shop.items order by id").await;
        assert_eq!(rows, expected(!order.is_empty()), "{about}");
        let twice = "select op, id, n from shop.log group by 1, 2, 3 having count(*) > 1
          union all select op, id, null from shop.log where op = 'INSERT' group by 1, 2 having count(*) > 1";
        assert_eq!(db.rows(twice).await, Vec::<String>::new(), "{about}");
        assert_eq!(
            db.value("select state, extracted, quarantined from sluice.backfills").await,
            format!("finished|{PAST}|0"),
            "{about}"
        );
        let wrong = "select * from sluice.verify() where not is_ok";
        assert_eq!(db.rows(wrong).await, Vec::<String>::new(), "{about}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn backfill_killed_before_it_transforms_is_resumed() {
    kill_at("transform", Fault::KillBefore, |message| message.runs("sluice.transform_batch")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn backfill_killed_in_copy_is_resumed() {
    kill_at("copy", Fault::KillBefore, Message::ends_copy).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn backfill_killed_before_its_commit_is_resumed() {
    kill_at("before commit", Fault::KillBefore, Message::commits).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn backfill_killed_after_its_commit_is_resumed_behind_it() {
    kill_at("after commit", Fault::KillAfter, Message::commits).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn backfill_runs_to_its_end_while_a_live_batch_is_in_flight() {
    let (folder, db) = shop("").await;
    let proxy = Proxy::once(&db, Fault::Hold, |message| message.runs("sluice.load_batch"));
    let live = Loader::hit(
        &proxy,
        Sluice::bare()
            .env("DATABASE_URL", proxy.url(&db))
            .current_dir(folder.path())
            .args(["run", "items"]),
    );
    proxy.wait_until_fired(1);
    let done = Sluice::on(&db).current_dir(folder.path()).args(BACKFILL.split(' ')).run().exits(0);
    assert_eq!(done.summary().count("inserted"), 30);
    proxy.release();
    let done = live.wait().exits(0);
    assert_eq!(done.summary().count("updated"), 7);
    let wrong = "select * from sluice.verify() where not is_ok";
    assert_eq!(db.rows(wrong).await, Vec::<String>::new());
}
