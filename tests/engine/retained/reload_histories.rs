//! Random histories of loads, replays and reloads: whatever is reloaded when, a row is made of the
//! latest of its records, as far as these have been dealt with.

use crate::engine::{Hand, items};
use crate::support::TestDb;
use fastrand::Rng;
use std::collections::HashMap;

/// What arrived for a key, in order. Its number is the value of its row, in any version.
#[derive(Debug, Clone)]
struct Arrival {
    number: i64,
    at: i64,
    /// Version 1 cannot read it.
    is_bad: bool,
}

/// Adds up what reloads and replays came to.
async fn count(db: &TestDb, sql: &str, outcomes: &mut HashMap<String, i64>) {
    let lines = format!(
        "select c.key || '|' || c.value from {sql} r, json_each_text(to_json(r)) c where c.key in ('updated', 'stale', 'inserted')"
    );
    for line in db.rows(&lines).await {
        let (name, count) = line.split_once('|').unwrap();
        *outcomes.entry(name.to_owned()).or_default() += count.parse::<i64>().unwrap();
    }
}

async fn history(db: &TestDb, seed: u64, by_time: bool, outcomes: &mut HashMap<String, i64>) {
    let mut random = Rng::with_seed(seed);
    let options = match by_time {
        true => "key => '{id}', order_by => 'at', retain_raw => '7 days'",
        false => "key => '{id}', retain_raw => '7 days'",
    };
    items(
        db,
        "id bigint primary key, n integer, version integer, at integer",
        "id bigint, n integer, version integer, at integer",
        "(doc->>'id')::bigint, (doc->>'n')::integer, 1, (doc->>'at')::integer",
        options,
    )
    .await;
    db.execute(&format!(
        "create function shop.items_v2(doc jsonb) returns table (id bigint, n integer, version integer, at integer) language sql stable as $$
           select (doc->>'id')::bigint, ltrim(doc->>'n', '#')::integer, 2, (doc->>'at')::integer $$;
         select sluice.define_pipeline(name => 'items', version => 2, transform => 'shop.items_v2', target => 'shop.items',
           source => sluice.file_source(path => '-'), max_bad_ratio => 1, activate => false, {options})"
    ))
    .await;
    let mut hand = Hand::start(db).await;
    let mut arrivals: HashMap<i64, Vec<Arrival>> = HashMap::new();
    let mut number = 0;
    let steps = random.usize(8..16);
    for step in 0..=steps {
        let version = random.u8(1..3);
        // The last step is a reload: what it does wrong no other mends.
        let kind = if step == steps { 4 } else { random.u8(0..5) };
        match kind {
            0 | 1 => {
                let mut batch = Vec::new();
                for _ in 0..random.usize(1..4) {
                    number += 1;
                    let (key, at, is_bad) =
                        (random.i64(0..4), random.i64(0..6), random.u8(0..3) == 0);
                    let mark = if is_bad { "#" } else { "" };
                    batch.push(format!(
                        r#"{{"id": {key}, "n": "{mark}{number}", "at": {at}}}"#
                    ));
                    let arrival = Arrival { number, at, is_bad };
                    arrivals.entry(key).or_default().push(arrival);
                }
                hand.load(&batch).await;
            }
            2 => count(db, "sluice.replay('items', version => 2)", outcomes).await,
            _ => {
                let batches = "select batch_id from sluice.batches where kind = 'load' order by 1";
                let batches = db.rows(batches).await;
                if let Some(first) = random.choice(&batches) {
                    let which = match random.bool() {
                        true => format!("batches => '{{{first}}}'"),
                        false => format!("from_batch => {first}"),
                    };
                    count(
                        db,
                        &format!("sluice.reload('items', {which}, version => {version})"),
                        outcomes,
                    )
                    .await;
                }
            }
        }
    }
    let open = db
        .rows("select ltrim(payload::jsonb->>'n', '#') from sluice.quarantine_open_details")
        .await;
    let rows = db.rows("select id || '|' || n from shop.items").await;
    for (key, arrivals) in &arrivals {
        let mut done: Vec<&Arrival> = arrivals
            .iter()
            .filter(|a| !a.is_bad || !open.contains(&a.number.to_string()))
            .collect();
        if by_time {
            // Stable: of equal ones the later arrival is the newer.
            done.sort_by_key(|a| a.at);
        }
        let row = done.last().map(|a| format!("{key}|{}", a.number));
        assert_eq!(
            rows.iter().find(|row| row.starts_with(&format!("{key}|"))),
            row.as_ref(),
            "seed {seed} by_time {by_time}: {arrivals:#?}\nopen: {open:#?}"
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
}

async fn histories(by_time: bool) {
    let db = TestDb::new().await;
    let seed = crate::support::seed();
    println!("SLUICE_SEED={seed}");
    let mut outcomes = HashMap::new();
    for offset in 0..12 {
        history(&db, seed + offset, by_time, &mut outcomes).await;
    }
    for name in ["updated", "stale", "inserted"] {
        assert!(outcomes[name] > 0, "{outcomes:?}");
    }
}

#[tokio::test]
async fn row_is_made_of_the_latest_record_by_arrival() {
    histories(false).await;
}

#[tokio::test]
async fn row_is_made_of_the_latest_record_by_order_by() {
    histories(true).await;
}
