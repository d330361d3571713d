//! Random histories of a source, against a model of what its target has to be.

use super::{finish, puts, shop};
use crate::engine::Hand;
use crate::support::TestDb;
use fastrand::Rng;
use std::collections::BTreeSet;

const IDS: i64 = 30;

/// What a target and the read that is going on come to.
#[derive(Default)]
struct Model {
    there: BTreeSet<i64>,
    gone: BTreeSet<i64>,
    seen: BTreeSet<i64>,
    is_open: bool,
    is_flawed: bool,
}

impl Model {
    fn load(&mut self, ids: &BTreeSet<i64>) {
        self.is_open = true;
        self.there.extend(ids);
        self.seen.extend(ids);
    }

    fn end(&mut self, marks: bool) {
        let (seen, is_flawed) = (std::mem::take(&mut self.seen), self.is_flawed);
        (self.is_open, self.is_flawed) = (false, false);
        if is_flawed || seen.is_empty() {
            return;
        }
        match marks {
            true => self.gone = self.there.difference(&seen).copied().collect(),
            false => self.there = seen,
        }
    }

    fn forget(&mut self) {
        self.seen.clear();
        self.is_flawed = false;
    }
}

fn some(random: &mut Rng) -> BTreeSet<i64> {
    (0..random.i64(0..IDS)).map(|_| random.i64(0..IDS)).collect()
}

async fn check(db: &TestDb, model: &Model, context: &str) {
    for (what, expected) in [("true", &model.there), ("gone", &model.gone)] {
        let expected: Vec<String> = expected.iter().map(i64::to_string).collect();
        let found = db.rows(&format!("select id from shop.items where {what} order by id")).await;
        assert_eq!(found, expected, "{context}: {what}");
    }
}

async fn random_history(marks: bool) {
    let seed = crate::support::seed();
    println!("SLUICE_SEED={seed}");
    let mut random = Rng::with_seed(seed);
    let options = match marks {
        true => "missing => 'mark', mark_column => 'gone', max_delete_ratio => 1",
        false => "missing => 'delete', max_delete_ratio => 1",
    };
    let (db, mut hand) = shop("id bigint primary key, n bigint, gone boolean", options).await;
    let mut model = Model::default();
    let mut reads = 0;
    for step in 0..120 {
        let context = format!("SLUICE_SEED={seed} step {step}");
        match random.u8(0..12) {
            0..=4 => {
                let ids = some(&mut random);
                hand.load(&puts(ids.iter().copied())).await;
                model.load(&ids);
            }
            5 => {
                let ids = some(&mut random);
                let mut records = puts(ids.iter().copied());
                records.push(format!("bad {step}"));
                hand.load(&records).await;
                model.load(&ids);
                model.is_flawed = true;
            }
            6 => {
                let ids = some(&mut random);
                super::reads::load_as(&mut hand, &puts(ids.iter().copied()), "snapshot => 'begin'")
                    .await;
                model.forget();
                model.load(&ids);
            }
            7 => hand = Hand::start(&db).await,
            8 => {
                db.execute("select sluice.rewind('items', to_start => true)").await;
                hand = Hand::start(&db).await;
                model.is_flawed |= model.is_open;
            }
            // Somebody else's rows and changes are nobody's business.
            9 => {
                let id = random.i64(0..IDS);
                db.execute(&format!("update shop.items set n = n + 1 where id = {id}")).await;
            }
            _ => {
                finish(&mut hand).await;
                model.end(marks);
                reads += 1;
            }
        }
        check(&db, &model, &context).await;
    }
    assert!(reads > 5, "{reads} reads");
    // Not row by row: some rows were changed by hand.
    let broken = "select check_name, detail from sluice.verify() where not is_ok";
    assert_eq!(db.rows(broken).await, [""; 0]);
}

#[tokio::test]
async fn rows_are_deleted_as_the_model_says() {
    random_history(false).await;
}

#[tokio::test]
async fn rows_are_marked_as_the_model_says() {
    random_history(true).await;
}
