//! Into a table that finds rows by a column whose value may change for a row.

use super::crm::Crm;
use super::put;
use crate::support::seed;
use std::collections::BTreeMap;

/// Items are found by `n`.
async fn crm(settings: &str) -> Crm {
    Crm::with("n bigint primary key, id text", &format!(", key => '{{n}}'{settings}")).await
}

fn gone(id: u32) -> String {
    format!(r#"{{"id": "{id}", "del": true}}"#)
}

impl Crm {
    async fn is_as_here(&self) {
        let rows = "select n, id from";
        assert_eq!(
            self.there.rows(&format!("{rows} crm.items order by n")).await,
            self.db.rows(&format!("{rows} shop.items order by n")).await
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_row_under_the_old_value_goes_when_the_value_changes() {
    let crm = crm("").await;
    crm.load([put(1, 5), put(2, 7)]);
    crm.deliver(&[]).exits(0);
    crm.done().await;
    crm.load([put(1, 6), put(2, 7)]);
    let done = crm.deliver(&[]).exits(0).summary();
    assert_eq!((done.count("sent"), done.count("superseded")), (2, 0));
    assert_eq!(crm.done().await, ["delete 1 5", "insert 1 6"]);
    // What was never sent is not there, and what follows does not take the delete's place.
    crm.load([put(1, 8)]);
    crm.load([put(1, 9)]);
    crm.deliver(&[]).exits(0);
    assert_eq!(crm.done().await, ["delete 1 6", "insert 1 9"]);
    crm.load([gone(1)]);
    crm.load([put(1, 3)]);
    crm.deliver(&[]).exits(0);
    assert_eq!(crm.done().await, ["delete 1 9", "insert 1 3"]);
    crm.is_as_here().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_handed_on_are_those_of_their_new_rows() {
    for settings in ["", ", parcel_rows => 1"] {
        let crm = crm(settings).await;
        crm.load([put(1, 1), put(2, 2), put(3, 3)]);
        crm.deliver(&[]).exits(0);
        // Along a chain, in both orders; in a circle; from a row that goes, and to one that comes.
        for records in [
            vec![put(1, 2), put(2, 4)],
            vec![put(2, 5), put(1, 4)],
            vec![put(1, 5), put(2, 4)],
            vec![put(1, 4), gone(2), put(3, 5), put(4, 3)],
            vec![put(2, 3), put(4, 1)],
        ] {
            crm.load(records);
            crm.deliver(&[]).exits(0);
            crm.is_as_here().await;
        }
        // Several changes at once, of which the later ones take up what the earlier ones left.
        crm.load([put(1, 9), put(2, 4)]);
        crm.load([put(3, 3), put(1, 5)]);
        crm.load([put(4, 9), put(2, 1)]);
        crm.deliver(&[]).exits(0);
        crm.is_as_here().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_table_is_as_the_target_after_any_history() {
    let mut random = fastrand::Rng::with_seed(seed());
    let crm = crm(", parcel_rows => 2").await;
    let mut items: BTreeMap<u32, u32> = BTreeMap::new();
    for step in 0..16 {
        let mut changed: BTreeMap<u32, Option<u32>> = BTreeMap::new();
        for _ in 0..random.u32(1..5) {
            let (id, n) = (random.u32(0..5), random.u32(0..7));
            let holder = items.iter().find(|item| *item.1 == n).map(|item| *item.0);
            if let Some(holder) = holder.filter(|holder| *holder != id) {
                // It goes, or both change places.
                let other = items.get(&id).copied().filter(|_| random.bool());
                changed.insert(holder, other);
                items.remove(&holder);
                items.extend(other.map(|other| (holder, other)));
            }
            changed.insert(id, Some(n));
            items.insert(id, n);
        }
        let mut records: Vec<String> = changed
            .into_iter()
            .map(|(id, n)| n.map_or_else(|| gone(id), |n| put(id, n.into())))
            .collect();
        random.shuffle(&mut records);
        crm.load(records);
        if step == 15 || random.u32(0..3) == 0 {
            crm.deliver(&[]).exits(0);
            crm.is_as_here().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_deletes_the_row_under_the_old_value_stays() {
    let crm = crm(", deletes => false").await;
    crm.load([put(1, 5)]);
    crm.deliver(&[]).exits(0);
    crm.load([put(1, 6)]);
    crm.deliver(&[]).exits(0);
    let rows = "select n, id from crm.items order by n";
    assert_eq!(crm.there.rows(rows).await, ["5|1", "6|1"]);
}

/// As the table has the rows for a moment, both of them have one id.
#[tokio::test(flavor = "multi_thread")]
async fn rows_exchange_values_where_a_second_unique_constraint_is_deferred() {
    let columns = "n bigint primary key, id text unique deferrable initially deferred";
    let crm = Crm::with(columns, ", key => '{n}'").await;
    crm.load([put(1, 1), put(2, 2)]);
    crm.deliver(&[]).exits(0);
    crm.load([put(1, 2), put(2, 1)]);
    let done = crm.deliver(&[]).exits(0).summary();
    assert_eq!((done.count("sent"), done.count("dead")), (2, 0));
    crm.is_as_here().await;
}
