//! Old never overwrites new: what becomes of an order decides about its lines.

use super::{is_sound, order, order_with, orders_are, shop, shop_with};

#[tokio::test]
async fn an_older_record_changes_neither_the_order_nor_its_lines() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 5, &[1, 2])]).await;
    assert_eq!(
        hand.load(&[order(1, 4, &[2, 3])]).await,
        "extracted=1 transformed=1 produced=3 stale=3"
    );
    orders_are(&db, &["1|5"], &["1|1|s5", "1|2|s5"]).await;
}

#[tokio::test]
async fn of_two_records_in_a_batch_only_the_newer_one_brings_lines() {
    let (db, mut hand) = shop().await;
    assert_eq!(
        hand.load(&[order(1, 5, &[1, 2]), order(1, 4, &[2, 3])]).await,
        "extracted=2 transformed=2 produced=6 inserted=3 superseded=3"
    );
    orders_are(&db, &["1|5"], &["1|1|s5", "1|2|s5"]).await;
    assert_eq!(
        hand.load(&[order(1, 6, &[2]), order(1, 7, &[3])]).await,
        "extracted=2 transformed=2 produced=6 inserted=1 updated=1 deleted=2 superseded=2"
    );
    orders_are(&db, &["1|7"], &["1|3|s7"]).await;
}

#[tokio::test]
async fn when_the_newer_record_is_bad_the_older_one_brings_its_lines() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 5, &[1, 2]), order_with(1, 6, &[3], r#""amount": -1"#)]).await;
    orders_are(&db, &["1|5"], &["1|1|s5", "1|2|s5"]).await;
}

#[tokio::test]
async fn without_order_by_the_later_arrival_brings_the_lines() {
    let (db, mut hand) = shop_with("children => 'replace'", "").await;
    hand.load(&[order(1, 5, &[1, 2]), order(1, 4, &[2, 3])]).await;
    orders_are(&db, &["1|4"], &["1|2|s4", "1|3|s4"]).await;
    hand.load(&[order(1, 3, &[9])]).await;
    orders_are(&db, &["1|3"], &["1|9|s3"]).await;
}

#[tokio::test]
async fn a_replayed_record_does_not_bring_back_lines_that_a_newer_one_replaced() {
    for order_by in [", order_by => 'at'", ""] {
        let (db, mut hand) = shop_with("children => 'replace'", order_by).await;
        hand.load(&[order_with(1, 1, &[1, 2], r#""amount": -1"#)]).await;
        hand.load(&[order(1, 2, &[3])]).await;
        db.execute("alter table shop.orders drop constraint orders_amount_check").await;
        assert_eq!(
            db.rows(
                "select replayed, inserted, updated, deleted, stale from sluice.replay('orders')"
            )
            .await,
            ["1|0|0|0|3"]
        );
        orders_are(&db, &["1|2"], &["1|3|s2"]).await;
    }
}

/// The order itself is the same in both records; only by the lines can they be told apart.
#[tokio::test]
async fn a_replayed_record_of_the_same_order_does_not_bring_older_lines() {
    let (db, mut hand) = shop().await;
    hand.load(&[order(1, 1, &[1])]).await;
    hand.load(&[order(1, 1, &[1, 2]).replacen("\"s1\"", "\"s1\", \"qty\": 0", 1)]).await;
    // Only a line changes, which writes the order, too.
    hand.load(&[order(1, 1, &[4])]).await;
    db.execute("alter table shop.lines drop constraint lines_qty_check").await;
    db.execute("select from sluice.replay('orders')").await;
    orders_are(&db, &["1|1"], &["1|4|s1"]).await;
}

#[tokio::test]
async fn a_record_stays_open_where_nobody_can_tell_whether_its_lines_are_older() {
    let (db, mut hand) = shop_with("children => 'replace'", "").await;
    hand.load(&[order(1, 1, &[1])]).await;
    hand.load(&[order(1, 2, &[1, 2]).replacen("\"s2\"", "\"s2\", \"qty\": 0", 1)]).await;
    // It comes once more, unchanged, which leaves no trace.
    hand.load(&[order(1, 1, &[1])]).await;
    db.execute("alter table shop.lines drop constraint lines_qty_check").await;
    let replay =
        "select unsure, replayed, inserted + updated + deleted from sluice.replay('orders')";
    assert_eq!(db.rows(replay).await, ["1|0|0"]);
    orders_are(&db, &["1|1"], &["1|1|s1"]).await;
    db.execute("select from sluice.replay('orders', overwrite_unsure => true)").await;
    orders_are(&db, &["1|2"], &["1|1|s2", "1|2|s2"]).await;
}

#[tokio::test]
async fn a_reload_does_not_bring_back_lines_that_a_later_batch_replaced() {
    let (db, mut hand) = shop_with("children => 'replace'", ", retain_raw => '1 day'").await;
    hand.load(&[order(1, 1, &[1, 2]), order(2, 1, &[1])]).await;
    // The same order, other lines.
    hand.load(&[order(1, 1, &[3])]).await;
    assert_eq!(
        db.rows("select unchanged, stale, inserted + updated + deleted from sluice.reload('orders', '{1}')")
            .await,
        ["2|3|0"]
    );
    orders_are(&db, &["1|1", "2|1"], &["1|3|s1", "2|1|s1"]).await;
}

#[tokio::test]
async fn a_backfill_adds_orders_with_their_lines_and_replaces_none() {
    let (db, mut hand) = shop_with("children => 'replace'", "").await;
    hand.load(&[order(1, 5, &[1])]).await;
    let name = db.value("select sluice.start_backfill('orders', objects => 'old/*.ndjson')").await;
    let mut past = crate::engine::Hand::of(db.connect().await, &name).await;
    assert_eq!(
        past.load(&[order(1, 1, &[2]), order(2, 1, &[1, 2])]).await,
        "extracted=2 transformed=2 produced=5 inserted=3 stale=2"
    );
    assert_eq!(
        past.load(&[order(2, 1, &[2])]).await,
        "extracted=1 transformed=1 produced=3 updated=1 deleted=1 unchanged=1",
        "what it wrote itself it may replace"
    );
    orders_are(&db, &["1|5", "2|1"], &["1|1|s5", "2|2|s1"]).await;
}

/// The state after any history is that of its newest records.
#[tokio::test]
async fn any_order_of_arrival_ends_with_the_lines_of_the_newest_record() {
    let (db, mut hand) = shop().await;
    let versions: Vec<String> = (1..=4).map(|at| order(1, at, &[at, at + 1])).collect();
    for (n, arrival) in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 0, 2], [2, 0, 3, 1]].iter().enumerate()
    {
        db.execute("delete from shop.lines; delete from shop.orders").await;
        let records: Vec<&str> = arrival.iter().map(|i| versions[*i].as_str()).collect();
        match n % 2 {
            0 => {
                hand.load(&records).await;
            }
            _ => {
                for record in records {
                    hand.load(&[record]).await;
                }
            }
        }
        assert_eq!(db.rows(super::LINES_THERE).await, ["1|4|s4", "1|5|s4"]);
    }
    db.execute("select from sluice.reconcile('orders', '{deleted}', 'a test')").await;
    db.execute(
        "select from sluice.reconcile('orders', '{deleted}', 'a test', target => 'shop.lines')",
    )
    .await;
    is_sound(&db).await;
}
