//! What is committed late is read, and read soon.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::support::{Runs, Shop, wait};
use crate::support::seed;

const ORDERS: &str = "create table orders (id bigint primary key, at timestamptz not null)";

#[test]
fn what_a_long_transaction_commits_below_the_mark_is_read_by_the_next_run() {
    let shop = Shop::new(ORDERS);
    let (long, orders, mut runs) = (shop.session(), shop.orders(), Runs::default());
    long.execute("begin; insert into orders values (1, '2026-01-01 10:00Z')");
    shop.execute("insert into orders values (2, '2026-01-01 10:05Z')");
    assert_eq!(runs.ids(&orders), [2]);
    shop.execute("insert into orders values (3, '2026-01-01 10:10Z')");
    assert_eq!(runs.ids(&orders), [2, 3], "it runs on");
    long.execute("commit");
    assert_eq!(runs.ids(&orders), [1, 2, 3]);
    assert_eq!(runs.ids(&orders), [3], "and not for ever");
}

/// Its `now()` is that of its begin, and until it writes it has no xid.
#[test]
fn a_transaction_that_began_before_and_writes_after_a_run_is_waited_for() {
    let shop = Shop::new(ORDERS);
    let (long, orders, mut runs) = (shop.session(), shop.orders(), Runs::default());
    shop.execute("insert into orders values (1, now())");
    assert_eq!(runs.ids(&orders), [1]);
    long.execute("begin; select now()");
    shop.execute("insert into orders values (2, now())");
    assert_eq!(runs.ids(&orders), [1, 2]);
    long.execute("insert into orders values (3, now())");
    shop.execute("insert into orders values (4, now())");
    assert_eq!(runs.ids(&orders), [1, 2, 4]);
    long.execute("commit");
    assert_eq!(runs.ids(&orders), [1, 3, 2, 4]);
}

/// What a sweep leaves behind was found out when it began, not when it was gone on with.
#[test]
fn what_is_committed_while_a_killed_read_lies_still_is_read_by_the_sweep_after() {
    let shop = Shop::new(ORDERS);
    let (late, orders, mut runs) = (shop.session(), shop.orders(), Runs::default());
    shop.execute("insert into orders select i, timestamptz '2026-01-01Z' + i * interval '1 day' from generate_series(1, 9) i");
    late.execute("begin; insert into orders values (10, '2026-01-02 12:00Z')");
    assert_eq!(runs.killed(&orders, 4), [1, 2, 3, 4]);
    late.execute("commit");
    assert_eq!(runs.ids(&orders), [5, 6, 7, 8, 9]);
    assert_eq!(runs.ids(&orders), [1, 10, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(runs.ids(&orders), [9]);
}

#[test]
fn transactions_of_other_databases_and_of_runs_stand_in_nobodys_way() {
    let shop = Shop::new(ORDERS);
    let elsewhere = Shop::new("create table t ()");
    let (other, guard) = (elsewhere.session(), shop.session());
    other.execute("begin; insert into t default values");
    guard.execute("begin; select pg_advisory_xact_lock(1936487681, 1)");
    shop.execute("insert into orders values (1, '2026-01-01Z'), (2, '2026-01-02Z')");
    let (orders, mut runs) = (shop.orders(), Runs::default());
    assert_eq!(runs.ids(&orders), [1, 2]);
    assert_eq!(runs.ids(&orders), [2]);
}

/// The number in [`super::super::super`]'s engine and in the source are the same.
#[test]
fn the_lock_of_a_run_is_the_engines() {
    let db = wait(crate::support::TestDb::new());
    assert_eq!(wait(db.value("select sluice._lock_class('guard')")), "1936487681");
}

/// Writers commit in any order while runs go on; no run knows of them.
#[test]
fn runs_beside_many_writers_miss_nothing() {
    const WRITERS: usize = 4;
    const ROWS: usize = 250;
    let shop = Shop::new(
        "create sequence s; create table orders (id bigint primary key, at timestamptz not null)",
    );
    let (orders, mut runs) = (shop.orders(), Runs::default());
    let mut seen = BTreeSet::new();
    let writing = AtomicUsize::new(WRITERS);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (shop, writing) = (&shop, &writing);
            scope.spawn(move || {
                let session = shop.session();
                let mut random = fastrand::Rng::with_seed(seed() + writer as u64);
                for _ in 0..ROWS / 5 {
                    // As old as its begin; others overtake it meanwhile.
                    session.execute("begin; select now()");
                    for _ in 0..random.u32(0..200) {
                        std::thread::yield_now();
                    }
                    session.execute("insert into orders select nextval('s'), now() + i * interval '1 us' from generate_series(0, 4) i");
                    for _ in 0..random.u32(0..200) {
                        std::thread::yield_now();
                    }
                    session.execute("commit");
                }
                writing.fetch_sub(1, Ordering::Relaxed);
            });
        }
        while writing.load(Ordering::Relaxed) > 0 {
            seen.extend(runs.ids(&orders));
        }
    });
    seen.extend(runs.ids(&orders));
    assert_eq!(seen.len(), WRITERS * ROWS);
}
