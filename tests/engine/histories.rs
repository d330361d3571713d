//! Random histories of the pipeline `items`: whatever is loaded, replayed and reloaded when, in the end a row is what
//! the latest of its records says, as far as these have been dealt with.

use super::items;
use crate::support::TestDb;
use fastrand::Rng;
use std::collections::HashMap;

pub(super) const KEYS: i64 = 4;

/// What steps of all histories came to, by name.
pub(super) type Counts = HashMap<String, i64>;

/// A record that arrived for a key.
#[derive(Debug, Clone)]
struct Arrival {
    payload: String,
    value: i64,
    at: i64,
    /// Read by the pipeline itself, and not by a backfill.
    is_live: bool,
    /// Version 1 cannot read it, version 2 can.
    is_bad: bool,
}

pub(super) struct History {
    pub(super) random: Rng,
    by_time: bool,
    arrivals: HashMap<i64, Vec<Arrival>>,
    number: i64,
}

impl History {
    /// With `reloads` payloads are retained, and a row tells the version that made it.
    async fn begin(db: &TestDb, seed: u64, by_time: bool, reloads: bool) -> Self {
        let order = if by_time { ", order_by => 'at'" } else { "" };
        let retain = if reloads { ", retain_raw => '7 days'" } else { "" };
        let options = format!("key => '{{id}}'{order}{retain}");
        let made_by = if reloads { 2 } else { 1 };
        items(
            db,
            "id bigint primary key, n integer, version integer, at integer",
            "id bigint, n integer, version integer, at integer",
            "(doc->>'id')::bigint, (doc->>'n')::integer, 1, (doc->>'at')::integer",
            &options,
        )
        .await;
        let define = |version: u8, is_active: bool| {
            format!(
                "select sluice.define_pipeline(name => 'items', version => {version}, transform => 'shop.items_v{version}',
                   target => 'shop.items', source => sluice.file_source(path => 'drop'), max_bad_ratio => 1,
                   activate => {is_active}, {options});"
            )
        };
        db.execute(&format!(
            "create function shop.items_v2(doc jsonb)
             returns table (id bigint, n integer, version integer, at integer) language sql stable as $$
               select (doc->>'id')::bigint, ltrim(doc->>'n', '#')::integer, {made_by}, (doc->>'at')::integer $$;
             {}{}",
            define(2, false),
            define(1, true)
        ))
        .await;
        History { random: Rng::with_seed(seed), by_time, arrivals: HashMap::new(), number: 0 }
    }

    /// Some records, no two of which have the same bytes; nor the same value, unless there are few `values`.
    pub(super) fn records(&mut self, is_live: bool, values: Option<i64>) -> Vec<String> {
        let count = self.random.usize(1..4);
        (0..count).map(|_| self.record(is_live, values)).collect()
    }

    fn record(&mut self, is_live: bool, values: Option<i64>) -> String {
        self.number += 1;
        let (key, at) = (self.random.i64(0..KEYS), self.random.i64(0..6));
        let value = values.map_or(self.number, |values| self.random.i64(0..values));
        let is_bad = self.random.u8(..) < 110;
        let mark = if is_bad { "#" } else { "" };
        let payload =
            format!(r#"{{"id": {key}, "n": "{mark}{value}", "at": {at}, "no": {}}}"#, self.number);
        self.arrivals.entry(key).or_default().push(Arrival {
            payload: payload.clone(),
            value,
            at,
            is_live,
            is_bad,
        });
        payload
    }

    async fn check(&self, db: &TestDb, seed: u64) {
        let open =
            "select convert_from(payload, 'UTF8') from sluice.quarantine where status = 'open'";
        let open = db.rows(open).await;
        let rows = db.rows("select id, n from shop.items").await;
        for (key, arrivals) in &self.arrivals {
            let mut done: Vec<&Arrival> = arrivals
                .iter()
                .filter(|arrival| !arrival.is_bad || !open.contains(&arrival.payload))
                .collect();
            // Stable: of equal ones the later arrival is the newer. The past is older than all else.
            done.sort_by_key(|arrival| {
                (if self.by_time { arrival.at } else { 0 }, arrival.is_live)
            });
            let expected = done.last().map(|arrival| format!("{key}|{}", arrival.value));
            let found = rows.iter().find(|row| row.starts_with(&format!("{key}|")));
            assert_eq!(
                found,
                expected.as_ref(),
                "seed {seed} by_time {}: {arrivals:#?}\nopen: {open:#?}",
                self.by_time
            );
        }
        db.is_sound().await;
    }
}

/// Adds up the columns of the rows of a query.
pub(super) async fn count(db: &TestDb, sql: &str, counts: &mut Counts) {
    let columns =
        format!("select c.key || '|' || c.value from ({sql}) r, json_each_text(to_json(r)) c");
    for column in db.rows(&columns).await {
        let (name, count) = column.split_once('|').unwrap();
        *counts.entry(name.to_owned()).or_default() += count.parse::<i64>().unwrap_or_default();
    }
}

/// So many histories of these steps. All of `must_happen` has to happen in one of them.
pub(super) async fn play(
    histories: u64,
    by_time: bool,
    reloads: bool,
    must_happen: &[&str],
    steps: impl AsyncFn(&TestDb, &mut History, &mut Counts),
) {
    let db = TestDb::new().await;
    let first = crate::support::seed();
    println!("SLUICE_SEED={first}");
    let mut counts = Counts::new();
    for seed in first..first + histories {
        let mut history = History::begin(&db, seed, by_time, reloads).await;
        steps(&db, &mut history, &mut counts).await;
        history.check(&db, seed).await;
        db.execute("set client_min_messages = warning; select sluice.drop_pipeline('items'); drop schema shop cascade")
            .await;
    }
    for name in must_happen {
        assert!(counts[*name] > 0, "{name}: {counts:?}");
    }
}
