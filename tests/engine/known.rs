//! Records recognised by their bytes are skipped only where the long way would find their row
//! unchanged: the same histories go through a pipeline that skips and one that does not.

use super::{Hand, Problem, items, make_all_digests_anchors};
use crate::support::TestDb;
use fastrand::Rng;

/// Two tables and two pipelines over the same transforms: `fast` skips, `slow` parses all.
fn shop(table: &str, transforms: &str, options: &str) -> String {
    let mut sql = format!(
        "create schema shop;
         create table shop.parents (id bigint primary key);
         insert into shop.parents select generate_series(0, 4);
         {transforms}"
    );
    for (name, skip_known) in [("fast", true), ("slow", false)] {
        sql += &format!(
            "create table shop.{name} ({});
             {}",
            table.replace("$name", name),
            define(name, 1, skip_known, options)
        );
    }
    sql
}

fn define(name: &str, version: i32, skip_known: bool, options: &str) -> String {
    format!(
        "select sluice.define_pipeline(name => '{name}', version => {version}, transform => 'shop.v{version}',
           target => 'shop.{name}', source => sluice.file_source(path => '-'), max_bad_ratio => 1,
           skip_known => {skip_known}, {options});"
    )
}

/// The two pipelines, each with two connections, as workers have them.
struct Pair {
    db: TestDb,
    workers: Vec<(Hand, Hand)>,
    seq: i64,
}

impl Pair {
    async fn start(db: TestDb) -> Self {
        make_all_digests_anchors(&db).await;
        let mut workers = Vec::new();
        for name in ["fast", "slow"] {
            let first = Hand::of(db.connect().await, name).await;
            let second = Hand { session: db.connect().await, pipeline: name.to_owned(), ..first };
            workers.push((first, second));
        }
        let seq = workers[0].0.seq;
        Pair { db, workers, seq }
    }

    /// The batches one after the other; with `overlap` the second of two is transformed before
    /// the first is loaded. Counters have to agree.
    async fn load(&mut self, what: &str, batches: &[Vec<String>], overlap: bool, meanwhile: &str) {
        let mut books = Vec::new();
        for (first, second) in &mut self.workers {
            let name = first.pipeline.clone();
            let mut said = Vec::new();
            let mut seq = self.seq;
            let mut staged = Vec::new();
            for (batch, hand) in batches.iter().zip([&mut *first, &mut *second]) {
                hand.stage(batch).await.unwrap();
                hand.transform().await.unwrap();
                staged.push(hand);
                if !overlap {
                    finish(&mut staged, &mut seq, &mut said).await;
                }
            }
            if !meanwhile.is_empty() {
                let statement = meanwhile.replace("$name", &name);
                self.db.execute(&statement).await;
            }
            finish(&mut staged, &mut seq, &mut said).await;
            books.push(said);
        }
        self.seq += batches.len() as i64;
        assert_eq!(books[0], books[1], "{what}: fast and slow");
        self.compare(what).await;
    }

    async fn compare(&self, what: &str) {
        for question in [
            // Also which batch wrote each row last: a needless write would show.
            "select to_jsonb(t) - 'sluice_batch' || jsonb_build_object('seq', b.batch_seq)
             from shop.$name t join sluice.batches b on b.batch_id = t.sluice_batch order by id",
            "select payload, origin, position, q.version, sqlstate, message, detail, constraint_name, column_name, status, seen_count
             from sluice.quarantine q join sluice.pipelines p using (pipeline_id)
             where p.name = '$name' order by quarantine_id",
        ] {
            let fast = self.db.rows(&question.replace("$name", "fast")).await;
            let slow = self.db.rows(&question.replace("$name", "slow")).await;
            let slow: Vec<String> = slow
                .iter()
                .map(|row| row.replace("shop.slow", "shop.fast").replace("slow", "fast"))
                .collect();
            assert_eq!(fast, slow, "{what}: fast and slow");
        }
    }

    async fn known(&self) -> i64 {
        self.db.value("select coalesce(sum(known), 0) from sluice.batches").await.parse().unwrap()
    }
}

async fn finish(staged: &mut Vec<&mut Hand>, seq: &mut i64, said: &mut Vec<String>) {
    for hand in staged.drain(..) {
        hand.seq = *seq;
        match hand.merge().await {
            Ok(books) => {
                hand.session.batch_execute("commit").await.unwrap();
                said.push(books);
                *seq += 1;
            }
            Err(error) => panic!("{:?}", Problem::of(&error)),
        }
    }
}

const TRANSFORM: &str = "
  create function shop.v1(doc jsonb) returns table (id bigint, n numeric, parent bigint, code text, at integer, sluice_deleted boolean)
  language sql stable as $$
    select coalesce(x::bigint, (doc->>'id')::bigint), (doc->>'n')::numeric, (doc->>'parent')::bigint, doc->>'code', (doc->>'at')::integer,
      doc ? 'gone'
    from jsonb_array_elements_text(coalesce(doc->'ids', '[null]')) x
    where not doc ? 'skip'
  $$;
  create function shop.v2(doc jsonb) returns table (id bigint, n numeric, parent bigint, code text, at integer, sluice_deleted boolean)
  language sql stable as $$
    select id, n + 1, parent, code, at, sluice_deleted from shop.v1(doc)
  $$;
  create function shop.v3(doc jsonb) returns table (id bigint, n numeric, parent bigint, code text, at integer, sluice_deleted boolean)
  language sql immutable as $$
    select (doc->>'id')::bigint, (doc->>'n')::numeric * 2, (doc->>'parent')::bigint, doc->>'code', (doc->>'at')::integer, doc ? 'gone'
  $$;";

const TABLE: &str = "id bigint primary key, n numeric(9,2) not null check (n >= 0), parent bigint references shop.parents,
  code text, at integer, touched integer not null default 0,
  constraint \"$name_code\" unique (code)";

/// One record of a small world, in which bytes repeat, keys collide and rows go back to what
/// they were.
fn record(rng: &mut Rng) -> String {
    let id = rng.u32(0..40);
    let n = rng.u32(0..2);
    let at = if rng.u32(0..8) == 0 { 1 + rng.u32(0..3) } else { 1 };
    match rng.u32(0..40) {
        0 => format!(r#"{{"id": {id}, "n": "x", "at": {at}}}"#),
        1 => format!(r#"{{"id": {id}, "n": -1, "at": {at}}}"#),
        2 => format!(r#"{{"id": {id}, "n": {n}, "parent": {}, "at": {at}}}"#, rng.u32(3..7)),
        3 => format!(r#"{{"id": {id}, "n": {n}, "gone": 1, "at": {at}}}"#),
        4 => format!(r#"{{"id": {id}, "skip": 1}}"#),
        5 => format!(r#"{{"ids": [{id}, {}], "n": {n}, "at": {at}}}"#, id + 1),
        6 => format!(r#"{{"id": {id}, "n": {n}, "code": "c{}", "at": {at}}}"#, rng.u32(0..6)),
        7 => r#"{"id": "#.to_owned(),
        8 => format!(r#"{{"id":{id},"n":{n},"at":{at}}}"#), // the same row in other bytes
        9 => format!(r#"{{"id": {id}, "n": {n}.00, "at": {at}}}"#),
        _ => format!(r#"{{"id": {id}, "n": {n}, "at": {at}}}"#),
    }
}

async fn history(seed: u64, options: &str, extra: &str) -> i64 {
    let mut rng = Rng::with_seed(seed);
    let db = TestDb::new().await;
    db.execute(&shop(TABLE, TRANSFORM, options)).await;
    for name in ["fast", "slow"] {
        if !extra.is_empty() {
            db.execute(&extra.replace("$name", name)).await;
        }
    }
    let mut pair = Pair::start(db).await;
    let mut last: Vec<String> = Vec::new();
    for step in 0..25 {
        let what = format!("seed {seed}, step {step}, {options}");
        // Mostly what came last, with some records changed, moved, lost or doubled.
        let mut batch: Vec<String> = last.clone();
        for _ in 0..rng.usize(0..12) {
            let place = rng.usize(0..=batch.len());
            match rng.u32(0..4) {
                0 if place < batch.len() => drop(batch.remove(place)),
                1 if place < batch.len() => {
                    batch.insert(rng.usize(0..=place), batch[place].clone())
                }
                _ => batch.insert(place, record(&mut rng)),
            }
        }
        while batch.len() < 60 {
            batch.push(record(&mut rng));
        }
        let half = batch.split_off(rng.usize(0..batch.len()));
        last = [batch.clone(), half.clone()].concat();
        let overlap = rng.bool();
        // Foreign hands on the target, between the transform and the load or between batches.
        let touch = match rng.u32(0..16) {
            0 => format!("update shop.$name set touched = touched + 1 where id % 3 = {}", rng.u32(0..3)),
            1 => "update shop.$name set touched = touched + 1; update shop.$name set touched = touched + 1".to_owned(),
            2 => format!("delete from shop.$name where id = {}", rng.u32(0..40)),
            3 => format!("update shop.$name set id = id + {} where id = {}", 1000 * (step + 1), rng.u32(0..40)),
            4 => format!("update shop.$name set at = at + 1 where id % 5 = {}", rng.u32(0..5)),
            5 => "update shop.$name set n = n + 7 where id < 10".to_owned(),
            _ => String::new(),
        };
        pair.load(&what, &[batch, half], overlap, &touch).await;
        // What moves rows without changing them, and what changes what a payload means.
        match rng.u32(0..24) {
            0 => both(&pair.db, "vacuum full shop.$name").await,
            1 => both(&pair.db, "vacuum shop.$name").await,
            2 => both(&pair.db, "cluster shop.$name using $name_pkey").await,
            3 => both(&pair.db, "truncate shop.$name").await,
            4 => {
                let version = 1 + rng.i32(0..3);
                for (name, skip) in [("fast", true), ("slow", false)] {
                    pair.db.execute(&define(name, version, skip, options)).await;
                }
            }
            5 => both(&pair.db, "alter table shop.$name drop constraint if exists small; alter table shop.$name add constraint small check (n < 5000)").await,
            _ => {}
        }
        pair.compare(&what).await;
    }
    pair.known().await
}

async fn both(db: &TestDb, sql: &str) {
    for name in ["fast", "slow"] {
        for statement in sql.replace("$name", name).split("; ") {
            db.execute(statement).await;
        }
    }
}

/// `SLUICE_SEED`, or the first of all seeds.
fn seeds(count: u64) -> Vec<u64> {
    match std::env::var("SLUICE_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (1..=count).collect(),
    }
}

#[tokio::test]
async fn random_histories_end_as_if_every_record_had_been_parsed() {
    let seeds = seeds(3);
    let mut known = 0;
    for &seed in &seeds {
        for options in ["key => '{id}'", "key => '{id}', order_by => 'at'"] {
            known += history(seed, options, "").await;
        }
    }
    assert!(known > 100, "{seeds:?}: only {known} records were known");
}

#[tokio::test]
async fn random_histories_agree_where_triggers_change_rows() {
    let trigger = "
      create function shop.$name_touch() returns trigger language plpgsql as $t$
      begin new.touched := new.touched + 1; if new.at = 2 then new.at := 3; end if; return new; end $t$;
      create trigger touch before insert or update on shop.$name for each row execute function shop.$name_touch();
      create function shop.$name_after() returns trigger language plpgsql as $t$
      begin if new.id % 7 = 0 and pg_trigger_depth() = 1 then update shop.$name set touched = touched + 10 where id = new.id; end if; return null; end $t$;
      create trigger after after insert or update on shop.$name for each row execute function shop.$name_after();";
    let seed = seeds(1)[0];
    let mut known = 0;
    for options in ["key => '{id}'", "key => '{id}', order_by => 'at'"] {
        known += history(seed, options, trigger).await;
    }
    assert!(known > 20, "{seed}: only {known} records were known");
}

/// A shop with one pipeline over `TABLE`, and what its batches say of known records.
async fn simple(returns: &str, select: &str, options: &str) -> (TestDb, Hand) {
    let db = TestDb::new().await;
    items(&db, "id bigint primary key, n integer", returns, select, options).await;
    let hand = Hand::start(&db).await;
    (db, hand)
}

const PLAIN: (&str, &str) = ("id bigint, n integer", "(doc->>'id')::bigint, (doc->>'n')::integer");

async fn last_known(db: &TestDb) -> String {
    db.value("select known from sluice.batches order by batch_id desc limit 1").await
}

fn records(n: std::ops::Range<i64>) -> Vec<String> {
    n.map(|id| format!(r#"{{"id": {id}, "n": 1}}"#)).collect()
}

#[tokio::test]
async fn records_are_known_from_their_second_load_on() {
    let (db, mut hand) = simple(PLAIN.0, PLAIN.1, "key => '{id}'").await;
    hand.load(&records(0..100)).await;
    assert_eq!(last_known(&db).await, "0");
    for _ in 0..2 {
        assert_eq!(
            hand.load(&records(0..100)).await,
            "extracted=100 transformed=100 produced=100 unchanged=100"
        );
        assert_eq!(last_known(&db).await, "100");
    }
    // Doubled records supersede each other, whether they were parsed or not.
    let doubled = [records(0..100), records(40..50)].concat();
    assert_eq!(
        hand.load(&doubled).await,
        "extracted=110 transformed=110 produced=110 unchanged=100 superseded=10"
    );
    assert_eq!(last_known(&db).await, "110");
}

#[tokio::test]
async fn record_that_came_back_to_an_earlier_state_is_loaded() {
    let (db, mut hand) = simple(PLAIN.0, PLAIN.1, "key => '{id}'").await;
    let a = records(0..100);
    let mut b = a.clone();
    b[7] = r#"{"id": 7, "n": 2}"#.to_owned();
    hand.load(&a).await;
    hand.load(&b).await;
    assert_eq!(last_known(&db).await, "99");
    assert_eq!(
        hand.load(&a).await,
        "extracted=100 transformed=100 produced=100 updated=1 unchanged=99"
    );
    // Within one batch the order decides: known, other, known again; and other last.
    let back = [vec![b[7].clone()], a.clone()].concat();
    hand.load(&back).await;
    assert_eq!(db.value("select n from shop.items where id = 7").await, "1");
    let forth = [a.clone(), vec![b[7].clone()]].concat();
    assert_eq!(
        hand.load(&forth).await,
        "extracted=101 transformed=101 produced=101 updated=1 unchanged=99 superseded=1"
    );
    assert_eq!(db.value("select n from shop.items where id = 7").await, "2");
}

#[tokio::test]
async fn rewritten_table_is_looked_at_anew() {
    let (db, mut hand) = simple(PLAIN.0, PLAIN.1, "key => '{id}'").await;
    hand.load(&records(0..100)).await;
    db.execute("delete from shop.items where id < 10").await;
    // Between the transform, which finds the rows, and the load, other rows of the same
    // transaction take their places.
    hand.stage(&records(0..100)).await.unwrap();
    hand.transform().await.unwrap();
    assert_eq!(
        hand.session
            .query_one("select count(*) from pg_temp.sluice_known", &[])
            .await
            .unwrap()
            .get::<_, i64>(0),
        100
    );
    db.execute("vacuum full shop.items").await;
    assert_eq!(
        hand.merge().await.unwrap(),
        "extracted=100 transformed=100 produced=100 inserted=10 unchanged=90"
    );
    hand.session.batch_execute("commit").await.unwrap();
    assert_eq!(last_known(&db).await, "0");
    assert_eq!(db.value("select count(*) from shop.items").await, "100");
}

#[tokio::test]
async fn nothing_is_skipped_where_bytes_do_not_decide_the_row() {
    for (what, select, options) in [
        (
            "a table is read",
            "(doc->>'id')::bigint, (select count(*)::integer from pg_class)",
            "key => '{id}'",
        ),
        (
            "the clock is read",
            "(doc->>'id')::bigint, extract(epoch from now())::integer",
            "key => '{id}'",
        ),
        (
            "a date moves",
            "(doc->>'id')::bigint, extract(epoch from 'today'::timestamptz)::integer",
            "key => '{id}'",
        ),
        ("the date is read", "(doc->>'id')::bigint, current_date - '2000-01-01'", "key => '{id}'"),
        ("chance decides", "(doc->>'id')::bigint, (random() * 10)::integer", "key => '{id}'"),
        (
            "the catalog is read",
            "(doc->>'id')::bigint, 'pg_class'::text::regclass::oid::integer",
            "key => '{id}'",
        ),
        (
            "a setting is read",
            "(doc->>'id')::bigint, length(current_setting('application_name'))",
            "key => '{id}'",
        ),
        (
            "somebody else's function is called",
            "(doc->>'id')::bigint, public.mine((doc->>'n')::integer)",
            "key => '{id}'",
        ),
        ("it is switched off", PLAIN.1, "key => '{id}', skip_known => false"),
    ] {
        let db = TestDb::new().await;
        db.execute("create function public.mine(integer) returns integer language sql immutable as 'select $1'")
            .await;
        items(&db, "id bigint primary key, n integer", PLAIN.0, select, options).await;
        let mut hand = Hand::start(&db).await;
        hand.load(&records(0..100)).await;
        hand.load(&records(0..100)).await;
        assert_eq!(last_known(&db).await, "0", "{what}");
        assert_eq!(db.value("select count(*) from sluice.known_payloads").await, "0", "{what}");
    }
}

#[tokio::test]
async fn functions_in_sql_are_seen_through_and_others_taken_at_their_word() {
    let cases = [
        ("language sql stable as $$ select (doc->>'id')::bigint, (doc->>'n')::numeric::integer $$", true),
        ("language sql stable as $$ select (doc->>'id')::bigint, extract(year from (doc->>'at')::timestamptz)::integer; $$", true),
        ("language sql stable as $$ select x::bigint, 1 from jsonb_array_elements_text(doc->'ids') x order by x $$", true),
        ("language sql stable as $$ select id, n from jsonb_to_record(doc) r (id bigint, n integer) -- whole
$$", true),
        ("language sql stable begin atomic select (doc->>'id')::bigint, 1; end", true),
        ("language sql stable begin atomic select (doc->>'id')::bigint, extract(epoch from clock_timestamp())::integer; end", false),
        ("language sql stable as $$ select 1; select (doc->>'id')::bigint, 1 $$", false),
        ("language sql stable set work_mem = '8MB' as $$ select (doc->>'id')::bigint, 1 $$", false),
        ("language plpgsql stable as $$ begin return query select (doc->>'id')::bigint, 1; end $$", false),
        ("language plpgsql immutable as $$ begin return query select (doc->>'id')::bigint, 1; end $$", true),
    ];
    let db = TestDb::new().await;
    for (body, expected) in cases {
        db.execute(&format!(
            "create or replace function public.f(doc jsonb) returns table (id bigint, n integer) {body}"
        ))
        .await;
        let found =
            db.value("select sluice._is_repeatable('public.f'::regproc, 'public, pg_temp')").await;
        assert_eq!(found == "t", expected, "{body}");
        db.execute("drop function public.f").await;
    }
    db.execute(
        "create function public.f(doc jsonb, meta jsonb) returns table (id bigint) language sql immutable as 'select 1::bigint'",
    )
    .await;
    let found =
        db.value("select sluice._is_repeatable('public.f'::regproc, 'public, pg_temp')").await;
    assert_eq!(found, "f", "what meta says differs from batch to batch");
}

#[tokio::test]
async fn targets_in_which_a_place_says_too_little_are_left_alone() {
    for (what, ddl, expected) in [
        ("a plain table", "create table t (id bigint primary key, n integer)", true),
        (
            "a domain and an enum",
            "create domain d as integer check (value > 0); create type e as enum ('a'); create table t (id bigint primary key, n d, k e)",
            true,
        ),
        (
            "a domain under a domain",
            "create domain d as integer check (value > 0); create domain e as d; create table t (id bigint primary key, n e)",
            false,
        ),
        (
            "partitions",
            "create table t (id bigint primary key, n integer) partition by range (id)",
            false,
        ),
        (
            "children",
            "create table t (id bigint primary key, n integer); create table c () inherits (t)",
            false,
        ),
        (
            "a check that calls a function of a user",
            "create function f(integer) returns boolean language sql immutable as 'select true'; create table t (id bigint primary key, n integer check (f(n)))",
            false,
        ),
        (
            "a key that was not checked",
            "create table p (id integer primary key); create table t (id bigint primary key, n integer); alter table t add foreign key (n) references p not valid",
            false,
        ),
        (
            "a composite type",
            "create type c as (x integer); create table t (id bigint primary key, n c)",
            false,
        ),
    ] {
        let db = TestDb::new().await;
        db.execute(ddl).await;
        let found = db
            .value("select sluice._may_skip_known('public.t'::regclass, array(select attname::text from pg_attribute where attrelid = 'public.t'::regclass and attnum > 0))")
            .await;
        assert_eq!(found == "t", expected, "{what}");
    }
}

#[tokio::test]
async fn memory_of_payloads_stays_in_proportion_and_goes_with_its_pipeline() {
    let (db, mut hand) = simple(PLAIN.0, PLAIN.1, "key => '{id}'").await;
    let held =
        "select count(*) || ' chunks, ' || coalesce(sum(payload_count), 0) || ' payloads, ' ||
      (select count(*) from sluice.known_anchors) || ' anchors' from sluice.known_payloads";
    hand.load(&records(0..100)).await;
    assert_eq!(db.value(held).await, "1 chunks, 100 payloads, 100 anchors");
    // Few changes are not worth a note; many replace the chunk.
    let mut changed = records(0..100);
    for (place, share) in [(0..6, 1), (0..7, 2)] {
        for id in place {
            changed[id as usize] = format!(r#"{{"id": {id}, "n": {}}}"#, share + 1);
        }
        hand.load(&changed).await;
    }
    assert_eq!(db.value(held).await, "1 chunks, 100 payloads, 100 anchors");
    // Another version makes other rows: a new run forgets what was made by the old one.
    db.execute(
        "create function shop.items_v2(doc jsonb) returns table (id bigint, n integer) language sql stable as
           $$ select (doc->>'id')::bigint, (doc->>'n')::integer + 1 $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
           source => sluice.file_source(path => '-'), key => '{id}')",
    )
    .await;
    let mut hand = Hand::start(&db).await;
    assert_eq!(db.value(held).await, "0 chunks, 0 payloads, 0 anchors");
    hand.load(&records(0..50)).await;
    db.execute("update sluice.known_payloads set last_used_at = now() - interval '31 days'").await;
    Hand::start(&db).await;
    assert_eq!(db.value(held).await, "0 chunks, 0 payloads, 0 anchors");
    let mut hand = Hand::start(&db).await;
    hand.load(&records(50..100)).await;
    db.execute("select sluice.drop_pipeline('items')").await;
    assert_eq!(db.value(held).await, "0 chunks, 0 payloads, 0 anchors");
}

/// How often this session has looked known records up, and gone the long way.
async fn calls(hand: &Hand) -> (i64, i64) {
    let row = hand
        .session
        .query_one(
            "select (coalesce(sum(calls) filter (where funcname = '_look_up_known'), 0))::bigint,
               (coalesce(sum(calls) filter (where funcname in ('_transform_records', '_execute_merge', '_execute_insert')), 0))::bigint
             from pg_stat_xact_user_functions",
            &[],
        )
        .await
        .unwrap();
    (row.get(0), row.get(1))
}

/// Counts instead of times: what a batch of known records does and does not do.
#[tokio::test]
async fn known_records_are_neither_parsed_nor_merged_nor_logged() {
    let (db, mut hand) = simple(PLAIN.0, PLAIN.1, "key => '{id}'").await;
    hand.session.batch_execute("set track_functions = 'all'").await.unwrap();
    let batch = records(0..5000);
    for _ in 0..2 {
        hand.load(&batch).await;
    }
    hand.stage(&batch).await.unwrap();
    let calls_before = calls(&hand).await;
    hand.transform().await.unwrap();
    let plan: serde_json::Value = hand
        .session
        .query_one(
            &format!(
                "explain (analyze, wal, format json) select * from sluice.load_batch({}, {}, {}, '{{}}')",
                hand.run,
                hand.epoch,
                hand.seq + 1
            ),
            &[],
        )
        .await
        .unwrap()
        .get(0);
    let calls_after = calls(&hand).await;
    hand.session.batch_execute("commit").await.unwrap();
    assert_eq!(last_known(&db).await, "5000");
    // The sample and the lookup under the lock, and nothing of the long way.
    assert_eq!((calls_after.0 - calls_before.0, calls_after.1 - calls_before.1), (2, 0));
    // Its ledger row, its state, its run, of which the first change of a page is logged whole.
    let written = plan[0]["Plan"]["WAL Bytes"].as_i64().unwrap();
    assert!(written < 100_000, "{written} bytes of WAL: {plan}");
}
