//! Random histories of a live pipeline, a backfill beside it, and replays: in the end a row is
//! what the latest of its records says, those of the past being older than all others.

use std::collections::HashMap;

use fastrand::Rng;

use super::{Hand, items, start};
use crate::support::TestDb;

const KEYS: i64 = 4;

/// What arrived for a key.
#[derive(Debug, Clone)]
struct Arrival {
    payload: String,
    value: i64,
    at: i64,
    /// Read by the pipeline itself.
    is_live: bool,
    /// Version 1 cannot read it.
    is_bad: bool,
}

struct History {
    random: Rng,
    arrivals: HashMap<i64, Vec<Arrival>>,
    number: i64,
}

impl History {
    /// Some records, of which no two are alike: a row that came again unchanged would leave no
    /// trace of that.
    fn batch(&mut self, is_live: bool) -> Vec<String> {
        let count = self.random.usize(1..4);
        (0..count)
            .map(|_| {
                self.number += 1;
                let arrival = Arrival {
                    value: self.number,
                    at: self.random.i64(0..6),
                    is_live,
                    is_bad: self.random.u8(..) < 100,
                    payload: String::new(),
                };
                let key = self.random.i64(0..KEYS);
                let mark = if arrival.is_bad { "#" } else { "" };
                let payload = format!(
                    r#"{{"id": {key}, "n": "{mark}{}", "at": {}}}"#,
                    arrival.value, arrival.at
                );
                self.arrivals.entry(key).or_default().push(Arrival {
                    payload: payload.clone(),
                    ..arrival
                });
                payload
            })
            .collect()
    }
}

async fn play(db: &TestDb, seed: u64, by_time: bool) -> String {
    let options = match by_time {
        true => "key => '{id}', order_by => 'at'",
        false => "key => '{id}'",
    };
    items(
        db,
        "id bigint primary key, n integer, at integer",
        "id bigint, n integer, at integer",
        "(doc->>'id')::bigint, (doc->>'n')::integer, (doc->>'at')::integer",
        options,
    )
    .await;
    db.execute(&format!(
        "create function shop.items_v2(doc jsonb) returns table (id bigint, n integer, at integer) language sql stable as $$
           select (doc->>'id')::bigint, ltrim(doc->>'n', '#')::integer, (doc->>'at')::integer $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
           source => sluice.file_source(path => 'drop'), max_bad_ratio => 1, activate => false, {options});
         select sluice.define_pipeline(name => 'items', version => 1, transform => 'shop.items_v1', target => 'shop.items',
           source => sluice.file_source(path => 'drop'), max_bad_ratio => 1, {options});"
    ))
    .await;
    let mut live = Hand::start(db).await;
    let mut past = start(db).await;
    let mut history = History {
        random: Rng::with_seed(seed),
        arrivals: HashMap::new(),
        number: 0,
    };
    for _ in 0..history.random.usize(8..20) {
        match history.random.u8(..) {
            0..90 => {
                live.load(&history.batch(true)).await;
            }
            90..180 => {
                past.load(&history.batch(false)).await;
            }
            _ => {
                let rest = history.random.i64(0..4);
                db.execute(&format!(
                    "select sluice.replay('items', version => 2, filter => 'id % 3 <> {rest}', batch_rows => {})",
                    history.random.usize(1..4)
                ))
                .await;
            }
        }
    }
    let open = db
        .rows("select convert_from(payload, 'UTF8') from sluice.quarantine where status = 'open'")
        .await;
    let rows = db.rows("select id, n from shop.items").await;
    for (key, arrivals) in &history.arrivals {
        let mut done: Vec<&Arrival> = arrivals
            .iter()
            .filter(|a| !a.is_bad || !open.contains(&a.payload))
            .collect();
        // Stable: of equal ones the later arrival is the newer.
        done.sort_by_key(|a| (if by_time { a.at } else { 0 }, a.is_live));
        let expected = done.last().map(|a| format!("{key}|{}", a.value));
        let found = rows.iter().find(|row| row.starts_with(&format!("{key}|")));
        assert_eq!(
            found,
            expected.as_ref(),
            "seed {seed} by_time {by_time}: {arrivals:#?}\nopen: {open:#?}"
        );
    }
    db.is_sound().await;
    // What it came to: rows the backfill wrote and left, and its records that were replayed.
    let outcome = db
        .value(
            "select coalesce(sum(b.inserted), 0) || ' ' || coalesce(sum(b.updated), 0) || ' ' || coalesce(sum(b.stale), 0) || ' ' || (
               select count(*) from sluice.quarantine q join sluice.batches l on l.batch_id = q.last_batch_id where q.status = 'replayed' and l.pipeline_id = p.pipeline_id)
             from sluice.pipelines p left join sluice.batches b using (pipeline_id) where p.backfill_of is not null group by p.pipeline_id",
        )
        .await;
    db.execute("set client_min_messages = warning; select sluice.drop_pipeline('items'); drop schema shop cascade")
        .await;
    outcome
}

async fn histories(by_time: bool) {
    let db = TestDb::new().await;
    let seed = crate::support::seed();
    println!("SLUICE_SEED={seed}");
    let mut sums = [0; 4];
    for offset in 0..20 {
        let outcome = play(&db, seed + offset, by_time).await;
        for (sum, count) in sums.iter_mut().zip(outcome.split(' ')) {
            *sum += count.parse::<i64>().unwrap();
        }
    }
    assert!(sums.iter().all(|sum| *sum > 0), "{sums:?}");
}

#[tokio::test]
async fn row_is_what_the_latest_record_says_by_arrival() {
    histories(false).await;
}

#[tokio::test]
async fn row_is_what_the_latest_record_says_by_order_by() {
    histories(true).await;
}
