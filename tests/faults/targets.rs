//! A loader that is killed at any message of a run into two targets leaves both as if nothing had happened. What is done
//! to either is in a log without a key, where a row that is applied twice shows.

use crate::support::workload::{ONE_WORKER, outcome, reset};
use crate::support::{Fault, Loader, Proxy, TestDb, Workload, loader, sampled};

const BATCHES: usize = 3;
/// Faults of one kind.
const SAMPLE: usize = 15;

/// Each order gets one to three lines, by its amount, and loses some when a newer record has another amount.
const LINES: &str = "
create table shop.lines (order_id bigint, n integer, status text not null, primary key (order_id, n));
create table shop.lines_log (op text, order_id bigint, n integer, status text);
create function shop.log_line() returns trigger language plpgsql as $$
begin
  insert into shop.lines_log values (tg_op, coalesce(new.order_id, old.order_id), coalesce(new.n, old.n), new.status);
  return null;
end $$;
create trigger lines_log after insert or update or delete on shop.lines
  for each row execute function shop.log_line();
create function shop.lines_v1(doc jsonb) returns table (order_id bigint, n integer, status text)
language sql stable as $$
  select (doc->>'id')::bigint, n, doc->>'status'
  from generate_series(1, 1 + floor((doc->>'amount')::numeric)::integer % 3) n where not doc ? 'skip'
$$;
do $$
declare
  v_source jsonb := (select p.source from sluice.pipelines p where p.name = 'orders');
begin
  perform sluice.drop_pipeline('orders');
  perform sluice.define_pipeline(name => 'orders', version => 1, transform => 'shop.orders_v1',
    target => 'shop.orders', key => '{order_id}', order_by => 'updated_at', max_bad_ratio => 0.5, source => v_source,
    also => array[sluice.also_target(transform => 'shop.lines_v1', target => 'shop.lines', key => '{order_id,n}',
      parent => '{order_id}', children => 'replace')]);
end $$;";

async fn database(load: &Workload) -> TestDb {
    let db = load.database().await;
    db.execute(LINES).await;
    db
}

/// What [`outcome`] has, and the second target.
async fn outcome_of_both(db: &TestDb) -> Vec<String> {
    let mut lines = outcome(db).await;
    for sql in [
        "select 'line', order_id, n, status from shop.lines order by 2, 3",
        "select 'line log', op, order_id, n, status from shop.lines_log order by 2, 3, 4, 5",
        "select 'books', b.batch_seq, b.targets from sluice.batches b order by 2",
    ] {
        lines.extend(db.rows(sql).await);
    }
    lines
}

async fn rerun_after_kill(fault: Fault, offset: usize) {
    let load = Workload::of(BATCHES).await;
    let db = database(load).await;
    let proxy = Proxy::new(&db, |_| None);
    Loader::start_through(&proxy, &db, ONE_WORKER).wait().exits(0);
    let calm = outcome_of_both(&db).await;
    for what in ["line log|DELETE", "line log|UPDATE", "line log|INSERT"] {
        assert!(calm.iter().any(|line| line.starts_with(what)), "{what}");
    }
    let mut killed = 0;
    for number in sampled(proxy.last_answer(), SAMPLE, offset) {
        db.execute("truncate shop.lines, shop.lines_log").await;
        reset(&db).await;
        let proxy = Proxy::once(&db, fault, move |message| message.number == number);
        let done = Loader::start_through(&proxy, &db, ONE_WORKER).wait();
        killed += usize::from(done.code.is_none());
        drop(proxy);
        loader::rerun(&db, ONE_WORKER).exits(0);
        assert_eq!(outcome_of_both(&db).await, calm, "{fault:?} {number}");
        let wrong = "select * from sluice.verify('orders') where not is_ok";
        assert_eq!(db.rows(wrong).await, Vec::<String>::new(), "{number}");
    }
    assert!(killed + 1 >= SAMPLE, "{killed} of {SAMPLE}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn rerun_after_kill_before_any_message_loads_both_targets_once() {
    rerun_after_kill(Fault::KillBefore, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn rerun_after_kill_behind_any_message_loads_both_targets_once() {
    rerun_after_kill(Fault::KillAfter, 4).await;
}
