//! The half of a batch that counts: order, sameness, fence, threshold, books, cost.

use crate::engine::{Hand, Problem, items, problem};
use crate::support::TestDb;

const N: (&str, &str, &str) = (
    "id bigint primary key, n integer, name text default 'unnamed', touched integer not null default 0",
    "id bigint, n integer",
    "(doc->>'id')::bigint, (doc->>'n')::integer",
);

async fn shop(options: &str) -> TestDb {
    let db = TestDb::new().await;
    items(&db, N.0, N.1, N.2, options).await;
    db
}

fn record(id: i64, n: impl std::fmt::Display) -> String {
    format!(r#"{{"id": {id}, "n": {n}}}"#)
}

#[tokio::test]
async fn without_order_by_the_last_arrival_wins_in_a_batch_and_over_the_table() {
    let db = shop("key => '{id}'").await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(
        hand.load(&[record(1, 5), record(1, 9), record(1, 3)]).await,
        "extracted=3 transformed=3 produced=3 inserted=1 superseded=2"
    );
    assert_eq!(db.value("select n from shop.items").await, "3");
    assert_eq!(hand.load(&[record(1, 2)]).await, "extracted=1 transformed=1 produced=1 updated=1");
}

#[tokio::test]
async fn a_target_of_800_columns_is_loaded() {
    let db = TestDb::new().await;
    let columns = |each: &dyn Fn(i32) -> String| (1..800).map(each).collect::<String>();
    items(
        &db,
        &format!("id bigint primary key{}", columns(&|n| format!(", c{n} text"))),
        &format!("id bigint{}", columns(&|n| format!(", c{n} text"))),
        &format!("(doc->>'id')::bigint{}", columns(&|n| format!(", (doc->>'n') || '{n}'"))),
        "key => '{id}'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    let bad = r#"{"id": "x"}"#.to_owned();
    assert_eq!(
        hand.load(&[record(1, 5), record(2, 6), bad]).await,
        "extracted=3 transformed=2 quarantined=1 produced=2 inserted=2"
    );
    assert_eq!(
        hand.load(&[record(1, 5), record(2, 7)]).await,
        "extracted=2 transformed=2 produced=2 updated=1 unchanged=1"
    );
}

#[tokio::test]
async fn with_order_by_old_never_overwrites_new() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, n integer, at integer",
        "id bigint, n integer, at integer",
        "(doc->>'id')::bigint, (doc->>'n')::integer, (doc->>'at')::integer",
        "key => '{id}', order_by => 'at'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    let at = |n: i64, at: &str| format!(r#"{{"id": 1, "n": {n}, "at": {at}}}"#);
    // Newest first, oldest last, and a null, which is older than anything.
    assert_eq!(
        hand.load(&[at(1, "5"), at(2, "9"), at(3, "null"), at(4, "7")]).await,
        "extracted=4 transformed=4 produced=4 inserted=1 superseded=3"
    );
    assert_eq!(db.value("select n, at from shop.items").await, "2|9");
    for stale in ["8", "null"] {
        assert_eq!(
            hand.load(&[at(9, stale)]).await,
            "extracted=1 transformed=1 produced=1 stale=1"
        );
    }
    // Of equals the later arrival is the newer, in the table and in a batch.
    assert_eq!(
        hand.load(&[at(5, "9"), at(6, "9")]).await,
        "extracted=2 transformed=2 produced=2 updated=1 superseded=1"
    );
    assert_eq!(db.value("select n, at from shop.items").await, "6|9");
    // Anything is newer than null.
    db.execute("update shop.items set at = null").await;
    assert_eq!(hand.load(&[at(7, "0")]).await, "extracted=1 transformed=1 produced=1 updated=1");
    assert_eq!(db.value("select n, at from shop.items").await, "7|0");
}

#[tokio::test]
async fn stale_deletion_deletes_nothing() {
    let db = TestDb::new().await;
    items(
        &db,
        "id bigint primary key, at integer",
        "id bigint, at integer, sluice_deleted boolean",
        "(doc->>'id')::bigint, (doc->>'at')::integer, (doc->>'gone')::boolean",
        "key => '{id}', order_by => 'at'",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[r#"{"id": 1, "at": 5}"#]).await;
    assert_eq!(
        hand.load(&[r#"{"id": 1, "at": 4, "gone": true}"#]).await,
        "extracted=1 transformed=1 produced=1 stale=1"
    );
    assert_eq!(
        hand.load(&[r#"{"id": 1, "at": 6, "gone": true}"#]).await,
        "extracted=1 transformed=1 produced=1 deleted=1"
    );
}

#[tokio::test]
async fn unchanged_rows_are_not_written() {
    let db = shop("key => '{id}'").await;
    db.execute(
        "create table shop.fired (id bigint);
         create function shop.touch() returns trigger language plpgsql as $$
         begin insert into shop.fired values (new.id); new.touched := old.touched + 1; return new; end $$;
         create trigger touch before update on shop.items for each row execute function shop.touch();",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    let records: Vec<String> = (0..5000).map(|id| record(id, id)).collect();
    hand.load(&records).await;
    let rows = "select md5(string_agg(concat_ws('/', id, ctid, xmin, xmax, sluice_batch, touched), ',' order by id)) from shop.items";
    let before = db.value(rows).await;
    hand.stage(&records).await.unwrap();
    hand.transform().await.unwrap();
    let wal = "select pg_current_wal_insert_lsn()::text";
    let start: String = hand.session.query_one(wal, &[]).await.unwrap().get(0);
    assert_eq!(
        hand.merge().await.unwrap(),
        "extracted=5000 transformed=5000 produced=5000 unchanged=5000"
    );
    hand.session.batch_execute("commit").await.unwrap();
    hand.seq += 1;
    assert_eq!(db.value(rows).await, before);
    assert_eq!(db.value("select count(*) from shop.fired").await, "0");
    // Other tests write to the same server, so the WAL is looked at by resource.
    let _ = start;
    let mut changed = records.clone();
    changed[7] = record(7, 1);
    assert_eq!(
        hand.load(&changed).await,
        "extracted=5000 transformed=5000 produced=5000 updated=1 unchanged=4999"
    );
    assert_eq!(db.rows("select id from shop.fired").await, ["7"]);
    // Columns the transform does not return are left to the table.
    assert_eq!(
        db.value("select n, name, touched from shop.items where id = 7").await,
        "1|unnamed|1"
    );
}

#[tokio::test]
async fn column_not_returned_keeps_what_others_wrote() {
    let db = shop("key => '{id}'").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[record(1, 1)]).await;
    db.execute("update shop.items set name = 'by hand'").await;
    hand.load(&[record(1, 2)]).await;
    assert_eq!(db.value("select n, name from shop.items").await, "2|by hand");
}

#[tokio::test]
async fn row_names_the_batch_that_last_wrote_it() {
    let db = shop("key => '{id}'").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[record(1, 1), record(2, 1)]).await;
    hand.load(&[record(1, 1), record(2, 2)]).await;
    assert_eq!(
        db.rows("select i.id, b.batch_seq from shop.items i join sluice.batches b on b.batch_id = i.sluice_batch order by 1").await,
        ["1|1", "2|2"]
    );
}

#[tokio::test]
async fn deposed_run_and_wrong_sequence_are_fenced_and_leave_no_trace() {
    let db = shop("key => '{id}'").await;
    let mut old = Hand::start(&db).await;
    old.load(&[record(1, 1)]).await;
    old.stage(&[record(1, 666), r#"{"id": "bad"}"#.to_owned()]).await.unwrap();
    old.transform().await.unwrap();
    let mut new = Hand::start(&db).await;
    let state = "select jsonb_agg(to_jsonb(s)) from sluice.etl_state s";
    let before = db.value(state).await;
    let fenced = Problem::of(&old.merge().await.unwrap_err());
    fenced.is("SL001", "deposed: run 2 of pipeline items took over");
    old.session.batch_execute("rollback").await.unwrap();
    assert_eq!(db.value(state).await, before);
    assert_eq!(db.value("select count(*) from sluice.quarantine").await, "0");
    old.fail(&[record(1, 666)]).await.is("SL001", "deposed");

    for wrong in [-1, 1, 5] {
        new.seq += wrong;
        new.fail(&[record(1, 666)])
            .await
            .is("SL002", &format!("pipeline items expects batch 2, not {}", new.seq + 1));
        new.seq -= wrong;
    }
    assert_eq!(db.value(state).await, before);
    new.load(&[record(1, 2)]).await;
    assert_eq!(db.value("select n from shop.items").await, "2");
}

#[tokio::test]
async fn batch_out_of_sequence_is_refused() {
    let db = shop("key => '{id}'").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[record(1, 1)]).await;
    for (seq, not) in [(0, 1), (2, 3)] {
        hand.seq = seq;
        hand.fail(&[record(1, 1)])
            .await
            .is("SL002", &format!("pipeline items expects batch 2, not {not}"));
    }
}

#[tokio::test]
async fn state_is_read_after_the_wait_for_its_lock() {
    let db = shop("key => '{id}'").await;
    let first = Hand::start(&db).await;
    first.stage(&[record(1, 1)]).await.unwrap();
    first.transform().await.unwrap();
    first.merge().await.unwrap();
    // A second worker with the same number, as after a lost answer, waits for the first.
    let mut second = Hand { session: db.connect().await, pipeline: "items".to_owned(), ..first };
    let first = first.session;
    let waiting = tokio::spawn(async move { second.fail(&[record(1, 2)]).await });
    loop {
        let waiters = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        if db.value(waiters).await == "1" {
            break;
        }
        tokio::task::yield_now().await;
    }
    first.batch_execute("commit").await.unwrap();
    waiting.await.unwrap().is("SL002", "pipeline items expects batch 2, not 1");
    assert_eq!(db.value("select n from shop.items").await, "1");
}

#[tokio::test]
async fn lost_answer_is_found_in_the_ledger() {
    let db = shop("key => '{id}'").await;
    let mut hand = Hand::start(&db).await;
    let outcome = |hand: &Hand, seq: i64| {
        format!(
            "select batch_seq, inserted from sluice.batch_outcome({}, {}, {seq})",
            hand.run, hand.epoch
        )
    };
    assert_eq!(db.rows(&outcome(&hand, 1)).await, Vec::<String>::new());
    hand.load(&[record(1, 1)]).await;
    assert_eq!(db.rows(&outcome(&hand, 1)).await, ["1|1"]);
    let successor = Hand::start(&db).await;
    assert_eq!(
        db.rows(&outcome(&successor, 1)).await,
        Vec::<String>::new(),
        "a batch of another run"
    );
    problem(&db, &outcome(&hand, 1))
        .await
        .is("SL001", "deposed: run 2 of pipeline items took over");
}

#[tokio::test]
async fn threshold_is_exact_for_large_batches_and_counts_the_run_for_small_ones() {
    let db = shop("key => '{id}'").await;
    let limit = |ratio: &str| format!("update sluice.pipelines set max_bad_ratio = {ratio}");
    let batch = |good: i64, bad: i64| -> Vec<String> {
        (0..good)
            .map(|id| record(id, 1))
            .chain((0..bad).map(|n| format!(r#"{{"id": "bad {n}"}}"#)))
            .collect()
    };
    // Of 1,000 and more records, the batch alone: 2% is allowed, a record more is not.
    db.execute(&limit("0.02")).await;
    let mut hand = Hand::start(&db).await;
    hand.load(&batch(980, 20)).await;
    let stopped = hand.fail(&batch(979, 21)).await;
    stopped
        .is("SL003", "pipeline \"items\" stopped at batch 2: 2.1% of records are bad (limit 2%)");
    assert!(
        stopped.detail.contains(
            "21 × 22P02 invalid input syntax for type bigint: \"bad 0\" (shop.items_v1, column id)"
        ),
        "{stopped:?}"
    );
    assert!(stopped.hint.contains("nothing of this batch was committed"), "{stopped:?}");
    assert_eq!(db.value("select count(*) from sluice.quarantine").await, "20");
    // Below, the run so far counts too: 20 of 1,000, and 2 of 100 more.
    hand.load(&batch(98, 2)).await;
    hand.fail(&batch(97, 3)).await.is("SL003", "stopped at batch 3");
    hand.load(&batch(199, 0)).await;
    hand.load(&batch(97, 3)).await;
    // A new run starts anew.
    Hand::start(&db).await.fail(&batch(9, 1)).await.is("SL003", "10.0% of records are bad");
}

#[tokio::test]
async fn ratio_of_zero_stops_at_the_first_bad_record_and_one_never_stops() {
    let db = shop("key => '{id}'").await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(hand.load(&["x", "y"]).await, "extracted=2 quarantined=2");
    db.execute("update sluice.pipelines set max_bad_ratio = 0").await;
    hand.load(&[record(1, 1)]).await;
    let mut records: Vec<String> = (0..2000).map(|id| record(id, 1)).collect();
    records[1999] = "x".to_owned();
    hand.fail(&records).await.is("SL003", "limit 0%");
}

#[tokio::test]
async fn ledger_and_run_hold_the_books() {
    let db = shop("key => '{id}'").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[record(1, 1), record(1, 2), "x".to_owned()]).await;
    hand.load(&[record(1, 2), record(2, 2)]).await;
    let counters = "sum(extracted), sum(transformed), sum(filtered), sum(quarantined), sum(produced), sum(inserted), sum(updated), sum(deleted), sum(unchanged), sum(stale), sum(superseded)";
    assert_eq!(
        db.value(&format!("select count(*), {counters} from sluice.batches where run_id = 1"))
            .await,
        "2|5|4|0|1|4|2|0|0|1|0|1"
    );
    assert_eq!(
        db.value("select extracted, written, quarantined from sluice.recent_runs").await,
        "5|2|1"
    );
    assert_eq!(
        db.rows(
            "select batch_seq, cursor_before, cursor_after, version from sluice.batches order by 1"
        )
        .await,
        [r#"1|-|{"batch": 1}|1"#, r#"2|{"batch": 1}|{"batch": 2}|1"#]
    );
    assert_eq!(
        db.value("select cursor, batch_seq from sluice.etl_state").await,
        r#"{"batch": 2}|2"#
    );
}

#[tokio::test]
async fn books_that_do_not_balance_cannot_be_written() {
    let db = shop("key => '{id}'").await;
    Hand::start(&db).await.load(&[record(1, 1)]).await;
    for (change, constraint) in [
        ("extracted = extracted + 1", "batches_records_are_accounted_for"),
        ("filtered = filtered + 1", "batches_records_are_accounted_for"),
        ("unchanged = unchanged + 1", "batches_rows_are_accounted_for"),
        ("produced = produced + 1", "batches_rows_are_accounted_for"),
        ("version = null", "batches_name_their_version"),
        ("run_id = null", "batches_loads_belong_to_a_run"),
        ("batch_seq = null", "batches_that_move_the_cursor_are_numbered"),
        ("reloads = 1", "batches_only_replays_reload"),
        ("kind = 'other'", "batches_kind_is_known"),
    ] {
        problem(&db, &format!("update sluice.batches set {change}")).await.is("23514", constraint);
    }
}

#[tokio::test]
async fn objects_move_with_the_batch() {
    let db = shop("key => '{id}'").await;
    let hand = Hand::start(&db).await;
    let load = |seq: i64, position: i64, done: bool| {
        format!(
            r#"select from sluice.load_batch({}, {}, {seq}, null, '[{{"object": "a.csv", "identity": {{"size": 9}}, "position": {position}, "is_done": {done}}}]')"#,
            hand.run, hand.epoch
        )
    };
    for (seq, position, done) in [(1, 5, false), (2, 9, true)] {
        hand.stage(&[record(seq, 1)]).await.unwrap();
        hand.transform().await.unwrap();
        hand.session.batch_execute(&load(seq, position, done)).await.unwrap();
        hand.session.batch_execute("commit").await.unwrap();
    }
    assert_eq!(
        db.value("select object, identity, position, is_done from sluice.source_state('items')")
            .await,
        r#"a.csv|{"size": 9}|9|t"#
    );
}

#[tokio::test]
async fn two_pipelines_on_one_target_write_in_turn() {
    let db = shop("key => '{id}'").await;
    db.execute(
        "select sluice.define_pipeline(name => 'more', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           key => '{id}', source => sluice.file_source(path => '-'))",
    )
    .await;
    let first = Hand::start(&db).await;
    first.stage(&[record(1, 1)]).await.unwrap();
    first.transform().await.unwrap();
    first.merge().await.unwrap();
    let mut second = Hand::of(db.connect().await, "more").await;
    let waiting = tokio::spawn(async move { second.load(&[record(1, 2)]).await });
    while db
        .value("select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())")
        .await
        != "1"
    {
        tokio::task::yield_now().await;
    }
    first.session.batch_execute("commit").await.unwrap();
    assert_eq!(waiting.await.unwrap(), "extracted=1 transformed=1 produced=1 updated=1");
}

#[tokio::test]
async fn foreign_writer_between_count_and_merge_does_not_upset_the_books() {
    let db = shop("key => '{id}'").await;
    let mut hand = Hand::start(&db).await;
    hand.load(&[record(1, 1), record(2, 1)]).await;
    // It has inserted one key and deleted another, and commits while the merge waits for it.
    let other = db.connect().await;
    other
        .batch_execute("begin; insert into shop.items (id, n) values (3, 7); delete from shop.items where id = 2")
        .await
        .unwrap();
    let waiting = tokio::spawn(async move { hand.load(&[record(2, 2), record(3, 2)]).await });
    while db.value("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'").await != "1" {
        tokio::task::yield_now().await;
    }
    other.batch_execute("commit").await.unwrap();
    assert_eq!(waiting.await.unwrap(), "extracted=2 transformed=2 produced=2 inserted=1 updated=1");
    assert_eq!(db.rows("select id, n from shop.items order by id").await, ["1|1", "2|2", "3|2"]);
    assert_eq!(db.value("select count(*) from sluice.quarantine").await, "0");
}

#[tokio::test]
async fn paused_pipeline_begins_no_batch_but_finishes_one() {
    let db = shop("key => '{id}'").await;
    let mut hand = Hand::start(&db).await;
    hand.stage(&[record(1, 1)]).await.unwrap();
    assert_eq!(db.value("select sluice.pause_pipeline('items')").await, "pipeline items paused");
    hand.transform().await.unwrap();
    hand.merge().await.unwrap();
    hand.session.batch_execute("commit").await.unwrap();
    hand.seq += 1;
    let paused = hand.fail(&[record(2, 1)]).await;
    paused.is("SL007", "pipeline items is paused");
    assert!(paused.hint.contains("resume_pipeline('items')"), "{paused:?}");
    problem(&db, "select sluice.start_run('items', 'me')")
        .await
        .is("SL007", "pipeline items is paused");
    db.execute("select sluice.resume_pipeline('items')").await;
    hand.load(&[record(2, 1)]).await;
}

/// The plan of the merge as a batch runs it: nodes that read the target.
async fn scans_of_the_target(hand: &Hand) -> Vec<String> {
    let session = &hand.session;
    let settings = session
        .query_one("select array_to_string(proconfig, '; set local ') from pg_proc where proname = '_plan_by_index'", &[])
        .await
        .unwrap()
        .get::<_, String>(0);
    session.batch_execute(&format!("savepoint plan; set local {settings}")).await.unwrap();
    let mut scans = Vec::new();
    for column in ["merge_sql", "count_sql"] {
        let statement: String = session
            .query_one(&format!("select {column} from pg_temp.sluice_compiled"), &[])
            .await
            .unwrap()
            .get(0);
        let plan = crate::support::db::rows(session, &format!("explain {statement}")).await;
        let scan = plan
            .iter()
            .find(|line| line.contains("Scan") && line.contains(" t "))
            .unwrap_or_else(|| panic!("{plan:?}"));
        scans.push(scan.split("  (").next().unwrap().trim().trim_start_matches("->  ").to_owned());
    }
    session.batch_execute("rollback to plan").await.unwrap();
    scans
}

#[tokio::test]
async fn cost_of_a_batch_does_not_grow_with_the_target_even_with_stale_statistics() {
    let db = shop("key => '{id}'").await;
    db.execute(
        "alter table shop.items set (autovacuum_enabled = off);
         insert into shop.items (id, n) select n, n from generate_series(1, 200000) n;",
    )
    .await;
    let hand = Hand::start(&db).await;
    let records: Vec<String> = (0..20_000).map(|n| record(n * 10, n)).collect();
    for statistics in [
        "select",
        "analyze shop.items",
        "update pg_class set reltuples = 3, relpages = 1 where oid = 'shop.items'::regclass",
    ] {
        db.execute(statistics).await;
        hand.stage(&records).await.unwrap();
        hand.transform().await.unwrap();
        assert_eq!(
            scans_of_the_target(&hand).await,
            ["Index Scan using items_pkey on items t", "Index Scan using items_pkey on items t"],
            "{statistics}"
        );
        hand.session.batch_execute("rollback").await.unwrap();
    }
}

#[tokio::test]
async fn merge_sql_shows_the_statement_a_batch_runs() {
    let db = shop("key => '{id}'").await;
    let shown = db.rows("select sluice.merge_sql('items')").await.remove(0);
    let hand = Hand::start(&db).await;
    hand.stage(&[record(1, 1)]).await.unwrap();
    let run: String = hand
        .session
        .query_one("select merge_sql from pg_temp.sluice_compiled", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(shown, run);
    assert_eq!(
        shown,
        "merge into shop.items as t
using (select * from pg_temp.sluice_rows where sluice_state is null) as s
on t.id operator(pg_catalog.=) s.id
when matched and t.sluice_hash is distinct from s.sluice_hash then
  update set n = s.n, sluice_hash = s.sluice_hash, sluice_batch = (select b.batch_id from pg_temp.sluice_batch b)
when not matched then
  insert (id, n, sluice_hash, sluice_batch)
  values (s.id, s.n, s.sluice_hash, (select b.batch_id from pg_temp.sluice_batch b))"
    );
    problem(&db, "select sluice.merge_sql('items', 2)")
        .await
        .refuses("pipeline items has no version 2", "it has 1");
    problem(&db, "select sluice.merge_sql('nothing')")
        .await
        .refuses("pipeline nothing is not defined", "defined are: items");
}
