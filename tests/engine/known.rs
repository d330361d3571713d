//! Records recognised by their bytes are skipped only where the long way would find their row
//! unchanged: the same histories go through a pipeline that skips and one that does not.

use super::{Hand, Problem};
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
        let mut workers = Vec::new();
        for name in ["fast", "slow"] {
            let first = Hand::of(db.connect().await, name).await;
            let second = Hand {
                session: db.connect().await,
                pipeline: name.to_owned(),
                ..first
            };
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
        self.db
            .value("select coalesce(sum(known), 0) from sluice.batches")
            .await
            .parse()
            .unwrap()
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
                1 if place < batch.len() => batch.insert(rng.usize(0..=place), batch[place].clone()),
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
            3 => format!("update shop.$name set id = id + 1000 where id = {}", rng.u32(0..40)),
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

#[tokio::test]
async fn random_histories_end_as_if_every_record_had_been_parsed() {
    let seeds = match std::env::var("SLUICE_SEED") {
        Ok(seed) => vec![seed.parse().unwrap()],
        Err(_) => (0..4).map(|_| fastrand::u64(..)).collect(),
    };
    for seed in seeds {
        for options in ["key => '{id}'", "key => '{id}', order_by => 'at'"] {
            let known = history(seed, options, "").await;
            assert!(known > 100, "seed {seed}: only {known} records were known");
        }
    }
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
    let seed = fastrand::u64(..);
    for options in ["key => '{id}'", "key => '{id}', order_by => 'at'"] {
        let known = history(seed, options, trigger).await;
        assert!(known > 100, "seed {seed}: only {known} records were known");
    }
}
