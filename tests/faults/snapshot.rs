//! Faults in the middle of a complete read and around its end: the missing rows go once, all of
//! them or none.

use crate::support::wire::{From, Message};
use crate::support::{Fault, Loader, Proxy, TestDb, loader, sampled};
use std::path::PathBuf;

const ARGS: &str = "items --batch-rows 15 --workers 1";

/// A target with 100 rows of yesterday's dump; today's has 40 of them, in three batches.
struct Shop {
    db: TestDb,
    _folder: tempfile::TempDir,
    definition: String,
}

impl Shop {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("today.ndjson");
        let lines: String = (1..=40).map(|id| format!("{{\"id\": {id}}}\n")).collect();
        std::fs::write(&path, lines).unwrap();
        let db = TestDb::new().await;
        db.execute(
            "create schema shop;
             create table shop.items (id bigint primary key);
             create table shop.log (op text, id bigint);
             create function shop.log() returns trigger language plpgsql as
               $$ begin insert into shop.log values (tg_op, coalesce(new.id, old.id)); return null; end $$;
             create trigger log after update or delete on shop.items for each row execute function shop.log();
             create function shop.items_v1(doc jsonb) returns table (id bigint) language sql stable as
               $$ select (doc->>'id')::bigint $$",
        )
        .await;
        let definition = format!(
            "do $$
             declare r record;
             begin
               perform sluice.drop_pipeline(p.name) from sluice.pipelines p;
               truncate shop.items, shop.log;
               perform sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
                 key => '{{id}}', missing => 'delete', max_delete_ratio => 1, source => sluice.file_source(path => '{}'));
               select * into r from sluice.start_run('items', 'yesterday');
               perform sluice.begin_batch('items', r.run_id);
               insert into pg_temp.sluice_staging (ordinal, payload) select n - 1, format('{{\"id\": %s}}', n) from generate_series(1, 100) n;
               perform sluice.transform_batch();
               perform sluice.load_batch(r.run_id, r.epoch, 1, '{{}}');
               perform sluice.finish_snapshot(r.run_id, r.epoch, 2);
               perform sluice.finish_run(r.run_id, 'ok');
             end $$",
            path.display()
        );
        Shop { db, _folder: folder, definition }
    }

    async fn reset(&self) {
        self.db.execute(&self.definition).await;
    }

    /// All of it has happened, once.
    async fn check(&self, context: &str) {
        for (what, sql, expected) in [
            ("rows", "select count(*), sum(id) from shop.items", "40|820"),
            (
                "log",
                "select op, count(*), count(distinct id) from shop.log group by op",
                "DELETE|60|60",
            ),
            ("tombstones", "select count(*) from sluice.tombstones", "60"),
            ("ledger", "select sum(deleted), sum(extracted) from sluice.batches", "60|140"),
            (
                "ends",
                "select count(*) from sluice.batches where kind = 'snapshot' and deleted > 0",
                "1",
            ),
            ("reads", "select count(*) from sluice.snapshots", "0"),
            ("keys", "select count(*) from sluice.snapshot_keys", "0"),
            ("proof", "select bool_and(is_ok) from sluice.verify()", "t"),
        ] {
            assert_eq!(self.db.value(sql).await, expected, "{context}: {what}");
        }
    }

    /// Before the end nothing goes, and what goes goes whole.
    async fn check_atomic(&self, context: &str) {
        let seen = self
            .db
            .value("select (select count(*) from shop.items), (select count(*) from sluice.tombstones), (select coalesce(sum(deleted), 0) from sluice.batches)")
            .await;
        assert!(["100|0|0", "40|60|60"].contains(&&*seen), "{context}: {seen}");
    }
}

/// Where to strike: a sample of the read, and everything from where its end begins. A loader that
/// is killed behind an answer is one that is killed before what it says next.
async fn points(shop: &Shop, is_kill: bool) -> Vec<usize> {
    shop.reset().await;
    let proxy = Proxy::new(&shop.db, |_| None);
    Loader::start_through(&proxy, &shop.db, ARGS).wait().exits(0);
    shop.check("calm").await;
    let log = proxy.log();
    let is_end = |message: &Message| message.statement.contains("sluice.finish_snapshot");
    // The begin before it belongs to it.
    let end = log.iter().position(is_end).unwrap() - 4;
    let sample = sampled(end, 7, 0).into_iter().map(|number| &log[number - 1]);
    sample
        .chain(&log[end..])
        .filter(|message| !is_kill || message.from == From::Loader)
        .map(|message| message.number)
        .collect()
}

async fn faults_come_to_nothing(fault: Fault, is_kill: bool) {
    let shop = Shop::new().await;
    let points = points(&shop, is_kill).await;
    let mut fired = 0;
    for &number in &points {
        shop.reset().await;
        let proxy = Proxy::once(&shop.db, fault, move |message| message.number == number);
        let done = Loader::start_through(&proxy, &shop.db, ARGS).wait();
        let context = format!("{fault:?} {number}: {:?}", proxy.log().get(number - 1));
        fired += proxy.fired();
        proxy.release();
        if is_kill {
            drop(proxy);
            shop.check_atomic(&context).await;
            loader::rerun(&shop.db, ARGS).exits(0);
        } else {
            assert_eq!(done.code, Some(0), "{context}\n{done:?}");
        }
        shop.check(&context).await;
    }
    // Behind the very last message the loader may be gone before it is hit.
    assert!(fired + 1 >= points.len() && fired > 10, "{fired} faults");
    println!("{fault:?}: {fired} faults");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn kill_before_any_message_of_a_read_deletes_the_missing_rows_once() {
    faults_come_to_nothing(Fault::KillBefore, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn kill_behind_any_message_of_a_read_deletes_the_missing_rows_once() {
    faults_come_to_nothing(Fault::KillAfter, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn connection_lost_before_any_message_of_a_read_deletes_the_missing_rows_once() {
    faults_come_to_nothing(Fault::CutBefore, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn connection_lost_behind_any_message_of_a_read_deletes_the_missing_rows_once() {
    faults_come_to_nothing(Fault::CutAfter, false).await;
}

/// The answer to the commit is lost, and the commit had arrived.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_lost_answer_to_the_commit_of_the_end_is_resolved() {
    let shop = Shop::new().await;
    shop.reset().await;
    let mut is_ending = false;
    let proxy = Proxy::once(&shop.db, Fault::CutBefore, move |message| {
        is_ending |= message.runs("sluice.finish_snapshot");
        is_ending && message.answers_commit()
    });
    let done = Loader::start_through(&proxy, &shop.db, ARGS).wait().exits(0);
    assert_eq!(proxy.fired(), 1);
    assert!(done.stderr.contains("the commit had arrived"), "{}", done.stderr);
    assert_eq!(done.summary().count("deleted"), 60);
    shop.check("resolved").await;
}

/// A loader that was stopped before the commit of the end has been replaced when it wakes.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_loader_that_slept_through_the_end_cannot_end_it_again() {
    let shop = Shop::new().await;
    shop.reset().await;
    let proxy =
        Proxy::once(&shop.db, Fault::StopAndHold, |message| message.runs("sluice.finish_snapshot"));
    let sleeper = Loader::start_through(&proxy, &shop.db, ARGS);
    proxy.wait_until_fired(1);
    loader::run(&shop.db, &format!("{ARGS} --takeover")).exits(0);
    shop.check("the successor").await;
    proxy.release();
    sleeper.wake();
    let done = sleeper.wait();
    assert_ne!(done.code, Some(0), "{done:?}");
    shop.check("the sleeper").await;
}

/// A signal is no end of the source.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_interrupted_read_deletes_nothing_until_it_is_gone_on_with() {
    let shop = Shop::new().await;
    shop.reset().await;
    let mut copies = 0;
    let proxy = Proxy::once(&shop.db, Fault::Hold, move |message| {
        copies += usize::from(message.ends_copy());
        copies == 2
    });
    let running = Loader::start_through(&proxy, &shop.db, ARGS);
    proxy.wait_until_fired(1);
    running.interrupt();
    proxy.release();
    running.wait().exits(130);
    shop.check_atomic("interrupted").await;
    assert_eq!(shop.db.value("select count(*) from shop.items").await, "100");
    loader::rerun(&shop.db, ARGS).exits(0);
    shop.check("gone on with").await;
}
