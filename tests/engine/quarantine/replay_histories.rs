//! Random histories of loads and replays: whatever is replayed when, a row is what the latest of
//! its records says, as far as these have been dealt with.

use crate::engine::{Hand, items};
use crate::support::TestDb;
use fastrand::Rng;
use std::collections::HashMap;

const KEYS: i64 = 4;

/// What arrived for a key, in order.
#[derive(Debug, Clone)]
struct Arrival {
    payload: String,
    value: i64,
    at: i64,
    /// Version 1 cannot read it.
    is_bad: bool,
}

/// The payloads that are open, and the rows, of a database.
async fn found(db: &TestDb) -> (Vec<String>, HashMap<i64, i64>) {
    let open = db
        .rows("select convert_from(payload, 'UTF8') from sluice.quarantine where status = 'open'")
        .await;
    let rows = db.rows("select id, n from shop.items").await;
    let rows = rows.iter().map(|row| {
        let (id, n) = row.split_once('|').unwrap();
        (id.parse().unwrap(), n.parse().unwrap())
    });
    (open, rows.collect())
}

async fn history(db: &TestDb, seed: u64, by_time: bool) -> HashMap<String, i64> {
    let mut random = Rng::with_seed(seed);
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
           source => sluice.file_source(path => '-'), max_bad_ratio => 1, activate => false, {options})"
    ))
    .await;
    let mut hand = Hand::start(db).await;
    let mut arrivals: HashMap<i64, Vec<Arrival>> = HashMap::new();
    let mut outcomes: HashMap<String, i64> = HashMap::new();
    let mut number = 0;
    for _ in 0..random.usize(6..16) {
        if random.u8(..) < 150 {
            let mut batch = Vec::new();
            for _ in 0..random.usize(1..4) {
                number += 1;
                let (key, value) = (random.i64(0..KEYS), random.i64(0..2));
                let at = random.i64(0..6);
                let is_bad = random.bool();
                let mark = if is_bad { "#" } else { "" };
                // Unique bytes: the same ones would be one record in quarantine.
                let payload =
                    format!(r#"{{"id": {key}, "n": "{mark}{value}", "at": {at}, "no": {number}}}"#);
                batch.push(payload.clone());
                arrivals.entry(key).or_default().push(Arrival {
                    payload,
                    value,
                    at,
                    is_bad,
                });
            }
            hand.load(&batch).await;
        } else {
            let filter = format!("id % 3 <> {}", random.i64(0..4));
            for line in db
                .rows(&format!(
                    "select c.key || '|' || c.value from sluice.replay('items', version => 2, filter => '{filter}', batch_rows => {}) r, json_each_text(to_json(r)) c
                     where c.key in ('replayed', 'unsure', 'stale', 'inserted', 'updated')",
                    random.usize(1..4)
                ))
                .await
            {
                let (name, count) = line.split_once('|').unwrap();
                *outcomes.entry(name.to_owned()).or_default() += count.parse::<i64>().unwrap();
            }
        }
    }
    let (open, rows) = found(db).await;
    for (key, arrivals) in &arrivals {
        let mut done: Vec<&Arrival> = arrivals
            .iter()
            .filter(|a| !a.is_bad || !open.contains(&a.payload))
            .collect();
        if by_time {
            // Stable: of equal ones the later arrival is the newer.
            done.sort_by_key(|a| a.at);
        }
        assert_eq!(
            rows.get(key),
            done.last().map(|a| &a.value),
            "seed {seed} by_time {by_time} key {key}: {arrivals:#?}\nopen: {open:#?}"
        );
    }
    assert_eq!(
        db.rows("select check_name, detail from sluice.verify() where not is_ok")
            .await,
        Vec::<String>::new(),
        "seed {seed}"
    );
    db.execute("set client_min_messages = warning; select sluice.drop_pipeline('items'); drop schema shop cascade")
        .await;
    outcomes
}

async fn histories(by_time: bool) {
    let db = TestDb::new().await;
    let seed = crate::support::seed();
    println!("SLUICE_SEED={seed}");
    let mut outcomes: HashMap<String, i64> = HashMap::new();
    for offset in 0..15 {
        for (name, count) in history(&db, seed + offset, by_time).await {
            *outcomes.entry(name).or_default() += count;
        }
    }
    // All of it happened; in doubt, which order_by mostly decides, only without it for sure.
    for name in ["replayed", "stale", "inserted", "updated"] {
        assert!(outcomes[name] > 0, "{outcomes:?}");
    }
    assert!(by_time || outcomes["unsure"] > 0, "{outcomes:?}");
}

#[tokio::test]
async fn row_is_what_the_latest_record_says_by_arrival() {
    histories(false).await;
}

#[tokio::test]
async fn row_is_what_the_latest_record_says_by_order_by() {
    histories(true).await;
}
