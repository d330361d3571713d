//! Replays that are killed or cut off: what was committed is closed, the rest is open, and
//! another replay goes on. No record is loaded twice, which a log without a key would show.

use super::signals::insist;
use crate::support::{Fault, Loader, Proxy, Sluice, TestDb};
use pgsluice::db::Session;

const RECORDS: i64 = 60;
/// Faults of one kind.
const SAMPLE: usize = 12;
pub(super) const REPLAY: [&str; 6] = ["replay", "items", "--version", "2", "--batch-rows", "20"];

pub(super) async fn quarantined() -> TestDb {
    let db = TestDb::new().await;
    db.execute(
        "create schema shop;
         create table shop.items (id bigint primary key, n integer);
         create table shop.log (op text, id bigint);
         create function shop.log_item() returns trigger language plpgsql as $$
           begin insert into shop.log values (tg_op, new.id); return null; end $$;
         create trigger log after insert or update on shop.items for each row execute function shop.log_item();
         create function shop.items_v1(doc jsonb) returns table (id bigint, n integer) language sql stable as $$
           select (doc->>'id')::bigint, (doc->>'n')::integer $$;
         create function shop.items_v2(doc jsonb) returns table (id bigint, n integer) language sql stable as $$
           select (doc->>'id')::bigint, replace(doc->>'n', ',', '')::integer $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => '-', format => 'ndjson'), max_bad_ratio => 1);
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => '-', format => 'ndjson'), max_bad_ratio => 1, activate => false)",
    )
    .await;
    let input: String =
        (0..RECORDS).map(|id| format!("{{\"id\": {id}, \"n\": \"1,{id:03}\"}}\n")).collect();
    Sluice::on(&db).args(["run", "items"]).run_with_input(input.as_bytes()).exits(0);
    db
}

/// Everything is as before the first replay.
async fn reset(db: &TestDb) {
    db.execute(
        "truncate shop.items, shop.log, sluice.quarantine_events;
         delete from sluice.batches where kind = 'replay';
         update sluice.quarantine set status = 'open', closed_at = null, closed_by = null, resolved_batch_id = null, keys = null",
    )
    .await;
}

pub(super) async fn check(db: &TestDb, about: &str) {
    assert_eq!(
        db.value("select (select count(*) from shop.items), (select sum(n) from shop.items), (select count(*) from shop.log),
            (select count(distinct quarantine_id) from sluice.quarantine where status = 'replayed'), (select count(*) from sluice.quarantine_events),
            (select sum(extracted) from sluice.batches where kind = 'replay')").await,
        format!("{RECORDS}|{}|{RECORDS}|{RECORDS}|{}|{RECORDS}", (0..RECORDS).map(|id| 1000 + id).sum::<i64>(), 2 * RECORDS),
        "{about}"
    );
    assert_eq!(
        db.rows("select check_name, detail from sluice.verify() where not is_ok").await,
        Vec::<String>::new(),
        "{about}"
    );
}

async fn each_record_once_after(fault: Fault, offset: usize) {
    let db = quarantined().await;
    let proxy = Proxy::new(&db, |_| None);
    Loader::command_through(&proxy, &db, REPLAY.to_vec()).wait().exits(0);
    check(&db, "undisturbed").await;
    let messages = proxy.log().len();
    assert!(messages > 50, "{messages}");
    for number in (1 + offset..messages).step_by(messages / SAMPLE) {
        reset(&db).await;
        let proxy = Proxy::once(&db, fault, move |message| message.number == number);
        let done = Loader::command_through(&proxy, &db, REPLAY.to_vec()).wait();
        assert_eq!(proxy.fired(), 1, "message {number}: {done:?}");
        proxy.release();
        drop(proxy);
        // A statement that had begun goes on without its client; another replay waits for it.
        Sluice::on(&db).args(REPLAY).run().exits(0);
        check(&db, &format!("{fault:?} at message {number}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn replay_killed_before_any_message_loads_each_record_once() {
    each_record_once_after(Fault::KillBefore, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn replay_killed_behind_any_message_loads_each_record_once() {
    each_record_once_after(Fault::KillAfter, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn replay_cut_off_behind_any_message_loads_each_record_once() {
    each_record_once_after(Fault::CutAfter, 1).await;
}

/// A replay that waits in its second batch.
pub(super) async fn held_in_its_second_batch(db: &TestDb, more: &[&str]) -> (Loader, Session) {
    db.execute(
        "create or replace function shop.gate() returns trigger language plpgsql as $$
           begin perform pg_advisory_xact_lock_shared(77, 1); return null; end $$;
         create or replace trigger gate after insert on shop.items for each row when (new.id = 30) execute function shop.gate()",
    )
    .await;
    let lock = db.connect().await;
    let wait = "select pg_advisory_lock(77, 1)";
    lock.batch_execute(wait).await.unwrap();
    let args = REPLAY.iter().chain(more);
    let replay = Loader::of(Sluice::on(db).args(args));
    db.wait_until(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
           and application_name like 'sluice%' and application_name <> 'sluice test')",
    )
    .await;
    (replay, lock)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn first_signal_ends_a_replay_behind_the_batch_in_hand() {
    let db = quarantined().await;
    for (signal, code) in [(Loader::interrupt as fn(&Loader), 130), (Loader::terminate, 143)] {
        reset(&db).await;
        let (replay, lock) = held_in_its_second_batch(&db, &[]).await;
        signal(&replay);
        lock.close().await;
        let done = replay.wait().exits(code);
        assert_eq!(done.summary().outcome, "interrupted", "{done:?}");
        assert_eq!(done.summary().count("replayed"), 40, "{done:?}");
        Sluice::on(&db).args(REPLAY).run().exits(0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn second_signal_ends_a_replay_that_waits() {
    let db = quarantined().await;
    let (mut replay, lock) = held_in_its_second_batch(&db, &[]).await;
    insist(&mut replay).await;
    assert!(replay.has_ended());
    let done = replay.wait().exits(130);
    assert_eq!(done.summary().count("replayed"), 20, "{done:?}");
    lock.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn first_signal_ends_a_dry_replay_that_waits() {
    let db = quarantined().await;
    let (replay, lock) = held_in_its_second_batch(&db, &["--dry-run"]).await;
    replay.interrupt();
    let done = replay.wait().exits(130);
    assert_eq!(done.summary().outcome, "interrupted", "{done:?}");
    lock.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn signal_cuts_a_pause_between_tries_of_a_replay_short() {
    let db = quarantined().await;
    let mut is_gone = false;
    let proxy = Proxy::new(&db, move |message| {
        is_gone |= message.runs("sluice.replay");
        is_gone.then_some(Fault::CutBefore)
    });
    let args = REPLAY.into_iter().chain(["--retries", "1000000"]);
    let replay = Loader::command_through(&proxy, &db, args.collect());
    proxy.wait_until_fired(9);
    replay.terminate();
    let done = replay.wait().exits(143);
    assert_eq!(done.summary().outcome, "interrupted", "{done:?}");
    drop(proxy);
    Sluice::on(&db).args(REPLAY).run().exits(0);
    check(&db, "after the signal").await;
}
