//! An installation in its fifth year answers as it did in its first: what a command reads grows with what it is asked
//! about, and not with what lies beside it. The installation is that of the benchmark, smaller.

use crate::engine::problem;
use crate::support::db::rows;
use crate::support::{Sluice, TestDb};
use std::process::Command;

const PIPELINES: i64 = 4;
const BATCHES: i64 = 2000;
const OPEN: i64 = 10000;

/// `shape`: see `age.sql`.
async fn aged(shape: &str) -> TestDb {
    let db = TestDb::new().await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/load/age.sql");
    let done = Command::new("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &db.url, "-f", script])
        .args(["-v", &format!("shape={shape}"), "-v", "folder=/nowhere"])
        .args(["-v", &format!("pipelines={PIPELINES}"), "-v", &format!("batches={BATCHES}")])
        .args(["-v", &format!("open={OPEN}")])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    db
}

/// How many rows of each of the engine's large tables a query reads, and how often it calls `function`.
async fn read_by(db: &TestDb, sql: &str, function: &str) -> [i64; 4] {
    let session = db.connect().await;
    session.batch_execute("set track_functions = 'all'; begin").await.unwrap();
    rows(&session, sql).await;
    let read = rows(
        &session,
        &format!(
            "select coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) filter (where relname = 'quarantine'), 0),
               coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) filter (where relname = 'batches'), 0),
               coalesce(sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) filter (where relname = 'runs'), 0),
               coalesce((select sum(calls) from pg_stat_xact_user_functions where funcname = '{function}'), 0)
             from pg_stat_xact_user_tables where schemaname = 'sluice'"
        ),
    )
    .await;
    let counts: Vec<i64> = read[0].split('|').map(|count| count.parse().unwrap()).collect();
    counts.try_into().unwrap()
}

#[tokio::test]
async fn the_aged_installation_is_sound_in_both_shapes() {
    for shape in ["even", "one"] {
        let db = aged(shape).await;
        let broken = db.rows("select * from sluice.verify() where not is_ok").await;
        assert_eq!(broken, Vec::<String>::new(), "{shape}");
        let open = "select sum(bad), count(*) from sluice.status";
        assert_eq!(db.rows(open).await, [format!("{OPEN}|{PIPELINES}")]);
    }
}

#[tokio::test]
async fn a_short_list_of_records_reads_no_more_than_it_shows() {
    let db = aged("one").await;
    for filter in ["null", "'sqlstate = ''22P02'''"] {
        let list = format!("select sluice.find_quarantined('p1', null, {filter}, 10)");
        assert_eq!(db.rows(&list).await.len(), 10);
        let [records, batches, ..] = read_by(&db, &list, "").await;
        assert!(records < 500 && batches < 100, "{filter}: {records} records, {batches} batches");
    }
    let shown = Sluice::on(&db).args(["quarantine", "p1", "--limit", "3", "--json"]).run().exits(0);
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let lowest = db
        .rows("select id from sluice.quarantine_open where pipeline = 'p1' order by id limit 3")
        .await;
    let ids: Vec<String> =
        shown.as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(ids, lowest);
}

#[tokio::test]
async fn a_replay_of_few_records_reads_few() {
    let db = aged("one").await;
    let ids = db.value("select array(select sluice.find_quarantined('p1', max_rows => 5))").await;
    let replay = format!("select * from sluice.replay('p1', quarantine_ids => '{ids}')");
    let [records, batches, ..] = read_by(&db, &replay, "").await;
    assert!(records < 200 && batches < 200, "{records} records, {batches} batches");
}

#[tokio::test]
async fn why_parses_only_payloads_in_which_the_key_may_stand() {
    let db = aged("one").await;
    // Record 30 left a key; record 31 raised before anybody knew it.
    for (id, kind) in [(100_000_030, "23514"), (100_000_031, "22P02")] {
        let why = format!(
            r#"select value from sluice.why('p1', '{{"id": {id}}}') where fact like 'quarantine %'"#
        );
        let found = db.rows(&why).await;
        assert!(found.len() == 1 && found[0].contains(kind), "{found:?}");
        let [.., parsed] = read_by(&db, &why, "_payload_has_key").await;
        assert!(parsed <= 2, "{id}: {parsed} payloads were parsed");
    }
}

#[tokio::test]
async fn why_asks_the_transform_of_many_records_at_once() {
    let db = aged("one").await;
    let why = r#"select value from sluice.why('p1', '{"id": 7}')"#;
    let [.., calls] = read_by(&db, why, "_records_of_key").await;
    assert!((1..50).contains(&calls), "{calls} calls");
    // Records without a key are read once, and the latest of them once more.
    let [records, ..] = read_by(&db, why, "").await;
    assert!(records < OPEN + 4000, "{records} records");
}

#[tokio::test]
async fn a_run_with_nothing_new_is_told_of_no_file() {
    let db = aged("one").await;
    let files = "from sluice.source_objects o join sluice.pipelines p using (pipeline_id) where p.name = 'p1'";
    let news = format!(
        "select count(*) from sluice.source_news('p1', array(select o.object {files} order by o.object limit 1000),
           array(select jsonb_build_object('size', o.identity -> 'size', 'mtime_ns', o.identity -> 'mtime_ns')
             {files} order by o.object limit 1000))"
    );
    assert_eq!(db.value(&news).await, "0");
}

#[tokio::test]
async fn files_beside_each_other_are_looked_up_together_and_those_far_apart_without_what_lies_between()
 {
    let db = aged("one").await;
    let of_p1 = "from sluice.source_objects join sluice.pipelines p using (pipeline_id) where p.name = 'p1'";
    let all = format!("array_agg(object) {of_p1}");
    let first_and_last = format!("array[min(object), max(object)] {of_p1}");
    for (names, at_most) in [(all, BATCHES), (first_and_last, 10)] {
        let names = db.value(&format!("select {names}")).await;
        let news = format!(
            "select count(*) from sluice.source_news('p1', '{names}',
               array(select jsonb '{{}}' from unnest('{names}'::text[])))"
        );
        let session = db.connect().await;
        session.batch_execute("begin").await.unwrap();
        assert_eq!(rows(&session, &news).await, ["0"]);
        let read = "select seq_scan + idx_scan <= 10, seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables
                    where relname = 'source_objects'";
        let read = rows(&session, read).await;
        let (scans_are_few, read) = read[0].split_once('|').unwrap();
        assert_eq!(scans_are_few, "t");
        let read: i64 = read.parse().unwrap();
        assert!(read <= at_most, "{read} of {BATCHES}");
    }
}

#[tokio::test]
async fn a_pipeline_with_one_batch_is_verified_without_reading_those_of_another() {
    let db = aged("one").await;
    let [records, batches, ..] = read_by(&db, "select * from sluice.verify('p2')", "").await;
    assert!(records < 100 && batches < 200, "{records} records, {batches} batches");
}

#[tokio::test]
async fn the_last_runs_are_found_without_reading_those_before() {
    let db = aged("one").await;
    let runs = BATCHES / 10;
    for view in ["status", "status_details"] {
        let [.., runs_read, _] = read_by(&db, &format!("select * from sluice.{view}"), "").await;
        assert!(runs_read < runs / 2, "{view}: {runs_read} of {runs} runs");
    }
    let [_, batches, ..] = read_by(&db, "select * from sluice.recent_batches", "").await;
    assert!(batches < 50 * PIPELINES, "{batches} batches");
    let start = "select * from sluice.start_run('p1', 'a test')";
    let [records, batches, runs_read, _] = read_by(&db, start, "").await;
    assert!(records + batches + runs_read < 100, "{records} {batches} {runs_read}");
}

#[tokio::test]
async fn a_rewind_holds_no_lock_while_it_reads_the_ledger() {
    let db = aged("one").await;
    let reader = db.connect().await;
    reader
        .batch_execute("begin; lock table sluice.batches in access exclusive mode")
        .await
        .unwrap();
    let rewinding = db.connect().await;
    let rewind = tokio::spawn(async move {
        rewinding.simple_query("select sluice.rewind('p1', to_start => true)").await.map(drop)
    });
    db.wait_until(
        "select exists (select from pg_locks l join pg_stat_activity a using (pid)
         where a.datname = current_database() and not l.granted and a.query like 'select sluice.rewind%')",
    )
    .await;
    let state = "select count(*) from (select from sluice.etl_state for update nowait) s";
    assert_eq!(db.value(state).await, PIPELINES.to_string());
    reader.batch_execute("rollback").await.unwrap();
    rewind.await.unwrap().unwrap();
    assert_eq!(db.value("select count(*) from sluice.source_objects o join sluice.pipelines p using (pipeline_id) where p.name = 'p1'").await, "0");
}

/// Quadratic, it takes an hour for these files. The limit is none of the time it may take.
#[tokio::test]
async fn rewinds_of_single_files_do_not_make_the_next_one_quadratic() {
    let db = TestDb::new().await;
    db.execute(
        r#"create table files (id bigint primary key);
           create function files_v1(doc jsonb) returns table (id bigint) language sql immutable as
             $$ select (doc->>'id')::bigint $$;
           select sluice.define_pipeline(name => 'files', version => 1, transform => 'files_v1', target => 'files',
             key => '{id}', source => sluice.file_source(path => 'drop'));
           select * from sluice.start_run('files', 'a test');
           insert into sluice.batches (batch_id, pipeline_id, batch_seq, run_id, version, started_at, objects, extracted, filtered)
           select nextval('sluice.batch_id'), 1, n, 1, 1, now(), (
             select jsonb_agg(jsonb_build_object('object', format('drop/%s-%s', n, m), 'identity', '{}'::jsonb, 'is_done', true,
               'position', '{"records": 10}'::jsonb)) from generate_series(1, 100) m), 1000, 1000
           from generate_series(1, 1000) n;
           insert into sluice.source_objects select 1, x ->> 'object', '{}', x -> 'position', true, b.batch_id
           from sluice.batches b, jsonb_array_elements(b.objects) x;
           update sluice.etl_state set batch_seq = 1000;
           select sluice.rewind('files', object => 'drop/7-7');"#,
    )
    .await;
    let preview = "set statement_timeout = '5min'; select count(*), sum(records) from sluice.preview_rewind('files', to_start => true)";
    assert_eq!(db.rows(preview).await, ["1000|999990"]);
    // As engines before noted it: all that was left.
    db.execute(
        "update sluice.batches b set objects = (
           select jsonb_agg(jsonb_build_object('object', o.object)) from sluice.source_objects o) where b.kind = 'rewind'",
    )
    .await;
    assert_eq!(db.rows(preview).await, ["1000|999990"]);
}

#[tokio::test]
async fn a_negative_number_of_records_is_refused() {
    let db = TestDb::new().await;
    db.execute(
        "create table items (id bigint primary key);
         create function items_v1(doc jsonb) returns table (id bigint) language sql immutable as $$ select 1::bigint $$;
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'items_v1', target => 'items',
           key => '{id}', source => sluice.file_source(path => '-'))",
    )
    .await;
    problem(&db, "select sluice.find_quarantined('items', max_rows => -1)")
        .await
        .refuses("max_rows -1 is negative", "leave it out");
}

/// With hundreds of pipelines and their tables the catalog is large, too.
#[tokio::test]
async fn a_pipeline_is_judged_by_its_own_rows_of_the_catalog() {
    let db = aged("even").await;
    db.execute(
        "do $$ begin for i in 1..2000 loop execute format('create table public.t%s ()', i); end loop; end $$;
         analyze pg_catalog.pg_class",
    )
    .await;
    let session = db.connect().await;
    let judged = "select detail from sluice._doctor_pipeline('p1')";
    assert_eq!(rows(&session, judged).await, ["fits its target"]);
    session.batch_execute("begin").await.unwrap();
    rows(&session, judged).await;
    let read = "select relname, seq_tup_read from pg_stat_xact_sys_tables
      where relname in ('pg_class', 'pg_proc', 'pg_constraint', 'pg_attribute', 'pg_type') and seq_tup_read > 0";
    assert_eq!(rows(&session, read).await, [""; 0]);
}
